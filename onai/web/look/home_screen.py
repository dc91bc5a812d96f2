"""What a browser asks of a site beside its pages: the manifest and icons for a phone's home screen,
the page shown without a network, and the rules for robots.

All of it is the same for everybody, and no page of a person is kept for later.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from onai.web.look import language

_for_an_hour = cache_control(public=True, max_age=3600)
_GROUND = "#0c0f0e"


@require_safe
@_for_an_hour
@language.of_address
def manifest(_request: HttpRequest) -> HttpResponse:
    """The web app manifest: how the site looks on a home screen."""
    icons = [
        {"src": static(f"icons/{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    whole = {
        "src": static("icons/maskable-512.png"),
        "sizes": "512x512",
        "type": "image/png",
        "purpose": "maskable",
    }
    told = {
        "id": "/",
        "name": "onAI Academy",
        "short_name": "onAI",
        "description": _now("Воронка продаж и доступы студентов"),
        "lang": get_language(),
        "start_url": reverse("home"),
        "scope": "/",
        "display": "standalone",
        "background_color": _GROUND,
        "theme_color": _GROUND,
        "icons": [*icons, whole],
    }
    return JsonResponse(told, content_type="application/manifest+json")


@require_safe
@_for_an_hour
def favicon(_request: HttpRequest) -> HttpResponse:
    """The icon that browsers ask for without being told."""
    return redirect(static("icons/favicon.ico"))


@require_safe
@_for_an_hour
def robots(_request: HttpRequest) -> HttpResponse:
    """Nothing here is for a search engine."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")


@require_safe
@_for_an_hour
@language.of_address
def offline(request: HttpRequest) -> HttpResponse:
    """The page a browser shows while it has no network. It names nobody."""
    return render(request, "offline.html")


@require_safe
@cache_control(public=True, max_age=0, must_revalidate=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """The script that shows the offline page. At the root, since it may answer for its folder."""
    return render(request, "service-worker.js", content_type="text/javascript; charset=utf-8")

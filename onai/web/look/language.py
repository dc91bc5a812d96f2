"""The language of the pages: Russian, until a reader chooses another one.

A browser's `Accept-Language` does not count: many in Kazakhstan work in Russian on a browser that
says English. A program sends no cookie, so the API speaks Russian.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from onai.web.look import browser_choice

COOKIE = "language"
# In an address of ours, and in the form of the header.
PARAMETER = "language"
# Sent with the `request` and the `language` that its reader has chosen in the header.
language_chosen = Signal()

_View = Callable[..., HttpResponse]


def of_browser(request: HttpRequest) -> str:
    """The language that was chosen in this browser; empty where none was, or one we do not know."""
    # `request.COOKIES` would keep what the request limits have yet to leave out.
    return _known(parse_cookie(request.META.get("HTTP_COOKIE", "")).get(COOKIE, ""))


def use(language: str) -> None:
    """Go on answering the request in a language."""
    translation.activate(language)


class LanguageMiddleware:
    """Answers each request in its reader's language, and says which one it is.

    The language stays active after the answer, because a file is written while it is sent.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        translation.activate(of_browser(request) or settings.LANGUAGE_CODE)
        response = self.get_response(request)
        patch_vary_headers(response, ["Cookie"])
        response.headers.setdefault("Content-Language", translation.get_language())
        return response


@csrf_exempt
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Remember the language in this browser, and return to the page.

    Another site that posts here changes the language of the pages and nothing else, because the
    browser sends it without the cookies of a session. So the form needs no secret of its reader.
    """
    response = browser_choice.back(request)
    if language := _known(request.POST.get(PARAMETER, "")):
        browser_choice.remember(response, COOKIE, language)
        language_chosen.send(choose, request=request, language=language)
    return response


def of_address(view: _View) -> _View:
    """Answer in the language of the address alone. For answers that are the same for everybody."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        use(_known(request.GET.get(PARAMETER, "")) or settings.LANGUAGE_CODE)
        return view(request, *args, **kwargs)

    return answer


def of_link(view: _View) -> _View:
    """Answer in the language of a letter's link where this browser has chosen none, and remember it
    for the pages that follow."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        language = _known(request.GET.get(PARAMETER, ""))
        if not language or of_browser(request):
            return view(request, *args, **kwargs)
        use(language)
        response = view(request, *args, **kwargs)
        browser_choice.remember(response, COOKIE, language)
        return response

    return answer


def _known(language: str) -> str:
    return language if language in dict(settings.LANGUAGES) else ""

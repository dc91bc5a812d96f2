"""What a reader chooses for one browser, which keeps it in a cookie: the theme, the language."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

_REMEMBERED = timedelta(days=365)


def back(request: HttpRequest) -> HttpResponse:
    """To the page where the choice was made, or home where the form names none of this site."""
    page = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return HttpResponseRedirect(page if is_ours else "/")


def remember(response: HttpResponse, cookie: str, value: str) -> None:
    """Keep the choice in this browser for a year."""
    response.set_cookie(
        cookie,
        value,
        max_age=_REMEMBERED,
        secure=not settings.DEBUG,
        httponly=True,
        samesite="Lax",
    )

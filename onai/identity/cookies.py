"""The browser's session: Supabase's two tokens in cookies that no script can read."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from onai.identity.supabase import Tokens

ACCESS_COOKIE = "onai_access"
REFRESH_COOKIE = "onai_refresh"
# The refresh token has no end of its own; a phone left alone this long signs in again.
_LIFETIME = timedelta(days=30)


def read(request: HttpRequest) -> tuple[str, str]:
    """The access and the refresh token the browser sent; empty where it sent none."""
    return request.COOKIES.get(ACCESS_COOKIE, ""), request.COOKIES.get(REFRESH_COOKIE, "")


def keep(response: HttpResponse, tokens: Tokens) -> None:
    for name, value in (
        (ACCESS_COOKIE, tokens.access_token),
        (REFRESH_COOKIE, tokens.refresh_token),
    ):
        response.set_cookie(
            name,
            value,
            max_age=_LIFETIME,
            httponly=True,
            samesite="Lax",
            secure=not settings.DEBUG,
        )


def drop(response: HttpResponse) -> None:
    for name in (ACCESS_COOKIE, REFRESH_COOKIE):
        response.delete_cookie(name, samesite="Lax")

"""The browser's session: Supabase's two tokens in cookies that no script can read.

The refresh token is sealed, so that a token that we did not issue never reaches Supabase. A third
cookie recognises the browser after its session: see `sign_in_limits`.
"""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from onai import encryption
from onai.identity.supabase import Tokens

# The refresh token has no end of its own; a phone unused for this long signs in again.
_LIFETIME = timedelta(days=30)
_DEVICE_LIFETIME = timedelta(days=365)
_PURPOSE = "refresh token"
_DEVICE_PURPOSE = "known device"


def host_bound(name: str) -> str:
    """The name of a cookie for the whole site.

    With its prefix a browser accepts the cookie over HTTPS only, from this host and for all paths,
    so a neighbouring host of the domain cannot replace it. Development has no HTTPS.
    """
    return name if settings.DEBUG else f"__Host-{name}"


def access_cookie() -> str:
    return host_bound("onai_access")


def refresh_cookie() -> str:
    return host_bound("onai_refresh")


def device_cookie() -> str:
    return host_bound("onai_device")


def read(request: HttpRequest) -> tuple[str, str]:
    """The access and the refresh token that the browser sent; empty where it sent none of ours."""
    return (
        request.COOKIES.get(access_cookie(), ""),
        _unsealed(request, refresh_cookie(), _PURPOSE, _LIFETIME),
    )


def read_device(request: HttpRequest) -> str:
    """The value that `keep_device` stored."""
    return _unsealed(request, device_cookie(), _DEVICE_PURPOSE, _DEVICE_LIFETIME)


def keep(response: HttpResponse, tokens: Tokens) -> None:
    sealed = encryption.seal(tokens.refresh_token, purpose=_PURPOSE)
    _set(response, access_cookie(), tokens.access_token, _LIFETIME)
    _set(response, refresh_cookie(), sealed, _LIFETIME)


def keep_device(response: HttpResponse, device: str) -> None:
    """Recognise this browser for a year, also when it is signed out."""
    sealed = encryption.seal(device, purpose=_DEVICE_PURPOSE)
    _set(response, device_cookie(), sealed, _DEVICE_LIFETIME)


def drop(response: HttpResponse) -> None:
    for name in (access_cookie(), refresh_cookie()):
        # Set empty, because a browser lets such a cookie be changed with its attributes only.
        _set(response, name, "", timedelta(0))


def is_decided(response: HttpResponse) -> bool:
    """Whether a view has already kept or dropped the session."""
    return access_cookie() in response.cookies


def _set(response: HttpResponse, name: str, value: str, lifetime: timedelta) -> None:
    response.set_cookie(
        name,
        value,
        max_age=lifetime,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=not settings.DEBUG,
    )


def _unsealed(request: HttpRequest, name: str, purpose: str, lifetime: timedelta) -> str:
    sealed = request.COOKIES.get(name, "")
    if not sealed:
        return ""
    try:
        return encryption.unseal(sealed, purpose=purpose, not_older_than=lifetime)
    except (encryption.Unsealable, UnicodeError):
        return ""

"""Headers of every answer: pages, JSON, static files and refusals."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control

# Of the browser's features our pages use the clipboard and web-share. The latter is on by default,
# and not every browser knows its name. The others are off.
_PERMISSIONS = ", ".join(
    (
        # Reading the clipboard asks the person first.
        "clipboard-read=(self)",
        "clipboard-write=(self)",
        *(
            f"{power}=()"
            for power in (
                *("accelerometer", "autoplay", "browsing-topics", "camera"),
                *("display-capture", "encrypted-media", "fullscreen", "gamepad", "geolocation"),
                *("gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer"),
                *("microphone", "midi", "payment", "picture-in-picture"),
                *("publickey-credentials-get", "screen-wake-lock", "serial", "storage-access"),
                *("usb", "window-management", "xr-spatial-tracking"),
            )
        ),
    )
)


class ResponseHeadersMiddleware:
    """Restricts answers to their page and their reader.

    Other sites may neither show nor embed our answers. Nothing on the way may store an answer that
    sets a cookie, belongs to somebody signed in, or does not say how long it is valid.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = _PERMISSIONS
        if (
            response.cookies
            or getattr(request, "identity", None) is not None
            or not response.has_header("Cache-Control")
        ):
            patch_cache_control(response, private=True, no_store=True)
        return response

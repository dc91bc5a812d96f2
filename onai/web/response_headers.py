"""Headers that every answer carries, whoever made it: pages, JSON, static files and refusals."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control

# Of the browser's powers our pages use the clipboard, and web-share, which is theirs by default
# and which not every browser knows by name. The others are off.
_PERMISSIONS = ", ".join(
    (
        # What was copied may also be read again, by us and after the person was asked.
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
    """Keeps answers to their page and their reader.

    Other sites may neither show nor embed what is ours, and nothing on the way may store what sets
    a cookie, what somebody signed in was answered, or what does not say how long it is good for.
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

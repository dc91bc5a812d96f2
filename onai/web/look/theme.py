"""The theme of the pages: light, dark, or the system's choice."""

from datetime import timedelta
from enum import StrEnum

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

COOKIE = "theme"
_REMEMBERED = timedelta(days=365)


class Theme(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


NAMES: dict[Theme, str | Promise] = {
    Theme.SYSTEM: _("Как в системе"),
    Theme.LIGHT: _("Светлая"),
    Theme.DARK: _("Тёмная"),
}


def of_request(request: HttpRequest) -> Theme:
    """The theme this browser chose; the system's where it chose none, or one we do not know."""
    return _named(request.COOKIES.get(COOKIE, ""))


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Remember the theme in this browser for a year, and return to the page."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"
    response = HttpResponseRedirect(back)
    response.set_cookie(
        COOKIE,
        _named(request.POST.get("theme", "")),
        max_age=_REMEMBERED,
        secure=not settings.DEBUG,
        httponly=True,
        samesite="Lax",
    )
    return response


def _named(name: str) -> Theme:
    return Theme(name) if name in set(Theme) else Theme.SYSTEM

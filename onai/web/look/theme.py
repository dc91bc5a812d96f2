"""The theme of the pages: light, dark, or the system's choice."""

from enum import StrEnum

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from onai.web.look import browser_choice

COOKIE = "theme"


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
    """Remember the theme in this browser, and return to the page."""
    response = browser_choice.back(request)
    browser_choice.remember(response, COOKIE, _named(request.POST.get("theme", "")))
    return response


def _named(name: str) -> Theme:
    return Theme(name) if name in set(Theme) else Theme.SYSTEM

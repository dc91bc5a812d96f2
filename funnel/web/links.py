"""Addresses of the funnel's pages, which keep the question from one to the next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Parameters = list[tuple[str, str]]
Choice = TypeVar("Choice", bound=str)

# Parameters of the view, independent of the question.
LOOK = ("compare", "count", "by", "sort")
# The question and the view, kept from page to page.
KEPT = ("period", "from", "to", "compare", "count", "source", "by", "sort")
# Parameters of one page, kept while one stays on it.
VIEW = ("q", "metric", "mark", "rows")
# Another question begins with the first rows, none of them opened.
_PLACE = ("page", "after", "open")

PAGES: dict[str, str | Promise] = {
    "funnel": _("Обзор"),
    "funnel-sources": _("Источники"),
    "funnel-trend": _("Динамика"),
    "funnel-ads": _("Реклама"),
    "funnel-speed": _("Скорость"),
    "funnel-people": _("Люди"),
    "funnel-duplicates": _("Сверка"),
    "funnel-money": _("Деньги"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another page or choice. `is_current` marks the present one."""

    href: str
    text: str
    is_current: bool = False


def parameters(query: QueryDict, *names: str) -> Parameters:
    """These parameters as they stand in an address; a source may be empty, the others not."""
    return [
        (name, value)
        for name in names
        for value in query.getlist(name)
        if value or name == "source"
    ]


def joined(query: str, more: Parameters) -> str:
    """A query with more parameters behind it, if there are any."""
    return "&".join(filter(None, (query, urlencode(more))))


def address(page: str, query: str) -> str:
    """The address of a page by its name, with a query."""
    return f"{reverse(page)}{'?' if query else ''}{query}"


def navigation(current: str, query: str) -> list[Link]:
    """The funnel's pages, each asked the same question."""
    return [
        Link(address(page, query), str(title), page == current) for page, title in PAGES.items()
    ]


def changed(query: QueryDict, **changes: str | Iterable[str] | None) -> str:
    """The query of an address with other values for some parameters; None removes one."""
    told = query.copy()
    for name in _PLACE:
        told.pop(name, None)
    for name, value in changes.items():
        told.pop(name, None)
        if value is not None:
            told.setlist(name, [value] if isinstance(value, str) else list(value))
    return f"?{told.urlencode()}"


def choices(
    query: QueryDict, name: str, texts: Mapping[Choice, str | Promise], chosen: str
) -> list[Link]:
    """The values of a parameter to choose from."""
    return [
        Link(changed(query, **{name: value}), str(text), value == chosen)
        for value, text in texts.items()
    ]

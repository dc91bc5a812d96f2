"""The header of every page of the cabinet: its sections, and how many wait in the queue."""

import logging
from dataclasses import dataclass

from django import template
from django.db import InterfaceError, OperationalError, connections
from django.template.context import Context
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sales.handoff import queue

logger = logging.getLogger(__name__)
register = template.Library()

# The first section is also that of every page which belongs to no other.
_SECTIONS: dict[str, str | Promise] = {
    "sales-manager": _("Студенты"),
    "queue": _("Очередь"),
    "results": _("Результаты"),
    "activity": _("Журнал"),
}


@dataclass(frozen=True, slots=True)
class NavigationLink:
    """A section of the cabinet. `count` is empty where there is nothing to count."""

    href: str
    text: str | Promise
    is_current: bool
    count: str


@register.simple_tag(takes_context=True)
def cabinet_navigation(context: Context) -> list[NavigationLink]:
    """The sections, of which one holds the present page."""
    path = context["request"].path
    addresses = {name: reverse(name) for name in _SECTIONS}
    home, *others = addresses.values()
    current = next((one for one in others if path.startswith(one)), home)
    return [
        NavigationLink(
            href=addresses[name],
            text=title,
            is_current=addresses[name] == current,
            count=_waiting() if name == "queue" else "",
        )
        for name, title in _SECTIONS.items()
    ]


def _waiting() -> str:
    """How many wait, for a badge; empty where nobody does or the database cannot say."""
    try:
        count = queue.waiting_count()
    except (OperationalError, InterfaceError) as error:
        logger.warning("queue_not_counted", extra={"error": type(error).__name__})
        connections["tripwire"].close_if_unusable_or_obsolete()
        return ""
    if count >= queue.MOST_COUNTED:
        return f"{queue.MOST_COUNTED - 1}+"
    return str(count or "")

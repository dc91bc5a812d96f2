"""Sections of a page, each of which fails by itself in an outage, and what their views share."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections

from funnel.signals.marks import MarkId
from funnel.signals.wording import silence_of
from onai.identity.models import StaffMember
from onai.identity.roles import IdentifiedRequest
from sales.cabinet.availability import Availability
from sales.cabinet.statistics import NOBODY
from sales.web.cabinet.forms import ManagerForm

logger = logging.getLogger(__name__)
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Section(Generic[Found]):
    """A part of the page. `found` is None when the database could not be asked."""

    found: Found | None


def section(find: Callable[[], Found]) -> Section[Found]:
    """Compute a part of the page; an outage takes down this part and no other."""
    try:
        return Section(find())
    except (OperationalError, InterfaceError) as error:
        logger.error("part_of_cabinet_unavailable", exc_info=error)
        connections["tripwire"].close_if_unusable_or_obsolete()
        return Section(None)


def unknown_in(known: Availability) -> list[str]:
    """What a page about sign-ins and progress cannot know, a sentence each."""
    silence = silence_of(MarkId.SIGNED_IN) if known.sign_ins else ""
    return [*known.unknown, *([silence] if silence else [])]


def staff() -> list[StaffMember]:
    return list(StaffMember.objects.order_by("full_name", "email"))


def whose(request: IdentifiedRequest, form: ManagerForm) -> UUID | None:
    """The manager a page is about, `NOBODY` for those without one, None for all.

    A manager sees their own students, whatever the address says.
    """
    if not request.identity.is_admin:
        return request.identity.user_id
    return NOBODY if form.without_manager else form.manager_id


def kept(request: IdentifiedRequest, *names: str) -> list[tuple[str, str]]:
    """The values of the address that a form or a link on the page passes on."""
    return [(name, request.GET[name]) for name in names if request.GET.get(name)]


def query(request: IdentifiedRequest, *names: str) -> str:
    return urlencode(kept(request, *names))

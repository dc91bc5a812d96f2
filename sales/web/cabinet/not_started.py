"""Beside the list of those who have not started: their share by manager and by source."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from django.utils.translation import gettext as _

from funnel.report.sources import readable
from funnel.templatetags.names import days
from onai.identity.models import StaffMember
from sales.cabinet import not_started, statistics
from sales.cabinet.availability import Availability
from sales.cabinet.student_list import StudentFilter
from sales.staff import distinct_names
from sales.web.cabinet.forms import NOBODY


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One share. The other fields are what its list adds to the address, None for nothing."""

    name: str
    not_started: int
    with_access: int
    percent: int
    manager: str | None = None
    source: str | None = None
    source_unknown: str | None = None


@dataclass(frozen=True, slots=True)
class ShareRows:
    all: not_started.Share[None]
    by_manager: list[ShareRow]
    by_source: list[ShareRow]


def rows_of(
    wanted: StudentFilter, known: Availability, colleagues: list[StaffMember]
) -> ShareRows | None:
    """The shares where the list is of those who have not started, else None."""
    group = wanted.attention
    if group is None or group.has_started:
        return None
    everybody = replace(wanted, text="", status=None, letter=None, attention=None)
    found = not_started.shares(everybody.students(known), group, known)
    if found is None:
        return None
    names = _names({one.of for one in found.by_manager if one.of}, colleagues)
    return ShareRows(
        found.all,
        [
            ShareRow(
                (names.get(one.of) if one.of else None) or _("без менеджера"),
                *(one.not_started, one.with_access, one.percent),
                manager=str(one.of or NOBODY),
                source=wanted.source or None,
                source_unknown="on" if wanted.source_unknown else None,
            )
            for one in found.by_manager
        ],
        [
            ShareRow(
                readable(one.of) if one.of else _("источник неизвестен"),
                *(one.not_started, one.with_access, one.percent),
                manager=_manager(wanted),
                source=one.of or None,
                source_unknown=None if one.of else "on",
            )
            for one in found.by_source
        ],
    )


def narrowed_to(wanted: StudentFilter) -> str:
    """To what else a link has narrowed the list; empty for nothing."""
    told = []
    if wanted.source_unknown:
        told.append(_("источник покупки неизвестен"))
    elif wanted.source:
        told.append(_("источник покупки: %(source)s") % {"source": readable(wanted.source)})
    if wanted.week:
        went_quiet = wanted.attention is not None and wanted.attention.has_started
        words = _("пропали %(days)s") if went_quiet else _("доступ открыт %(days)s")
        told.append(words % {"days": days(wanted.week)})
    return ", ".join(told)


def _names(managers: Iterable[UUID], colleagues: list[StaffMember]) -> dict[UUID, str]:
    present = distinct_names(colleagues)
    return present | statistics.names_of_former(set(managers) - present.keys())


def _manager(wanted: StudentFilter) -> str | None:
    if wanted.without_manager:
        return NOBODY
    return str(wanted.manager_id) if wanted.manager_id else None

"""What waits for a manager, in figures: each links to the list with as many rows."""

from dataclasses import dataclass
from functools import partial

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from funnel.signals.marks import MarkId
from funnel.signals.wording import incomplete_in
from onai.periods import Period
from onai.templatetags.russian import duration
from onai.web.look.badge import Badge, Tone
from onai.web.paging import COUNTED_AT_MOST
from sales.cabinet.attention import NOT_STARTED, QUIET, Attention
from sales.cabinet.availability import Availability
from sales.cabinet.student_list import LetterFilter, StudentFilter, count_students
from sales.handoff import queue


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One kind of work. `narrower_href` leads to a part of it; empty without one."""

    title: str
    note: str
    href: str
    badge: Badge
    narrower: str = ""
    narrower_href: str = ""


def work_rows(wanted: StudentFilter, known: Availability, *, manager: str) -> list[WorkRow]:
    """What there is to do, the most urgent first; nothing where nobody needs anything.

    `manager` is the one that an admin has chosen, as the address names them.
    """
    count = partial(count_students, wanted, known)
    rows = [_waiting(), _lost(count(letter=LetterFilter.LOST), manager)]
    if known.sign_ins:
        incomplete = incomplete_in(Period.last_days(1), only_kept=True).of([MarkId.SIGNED_IN])
        unlettered = count(attention=NOT_STARTED, letter=LetterFilter.LOST)
        rows += [
            _not_started(count(attention=NOT_STARTED), unlettered, incomplete, manager),
            _quiet(count(attention=QUIET), incomplete, manager),
        ]
    else:
        rows += [
            _unknown(_("Не начали"), NOT_STARTED, manager),
            _unknown(_("Пропали"), QUIET, manager),
        ]
    return [row for row in rows if row is not None]


def _waiting() -> WorkRow | None:
    found = queue.summary()
    if not found.count:
        return None
    note = _("дольше всех %(time)s") % {"time": duration(found.longest)}
    badge = Badge(number_format(found.count, force_grouping=True), Tone.BAD)
    return WorkRow(_("Ждут доступа"), note, reverse("queue"), badge)


def _lost(count: int, manager: str) -> WorkRow | None:
    if not count:
        return None
    note = _("логин и пароль не получены")
    href = _list_of(manager, letter=LetterFilter.LOST)
    return WorkRow(_("Письмо не дошло"), note, href, _count(count, Tone.BAD))


def _not_started(count: int, unlettered: int, incomplete: str, manager: str) -> WorkRow | None:
    if not count:
        return None
    return WorkRow(
        _("Не начали"),
        _noted(_("доступ от 1 дня, входа не было"), incomplete),
        _list_of(manager, attention=NOT_STARTED),
        _count(count, Tone.LOOK),
        _("письмо не дошло: %(count)s") % {"count": unlettered} if unlettered else "",
        _list_of(manager, attention=NOT_STARTED, letter=LetterFilter.LOST),
    )


def _quiet(count: int, incomplete: str, manager: str) -> WorkRow | None:
    if not count:
        return None
    note = _noted(_("начали, не видно от 7 дней"), incomplete)
    href = _list_of(manager, attention=QUIET)
    return WorkRow(_("Пропали"), note, href, _count(count, Tone.LOOK))


def _noted(note: str, incomplete: str) -> str:
    return f"{note}, {incomplete}" if incomplete else note


def _unknown(title: str, group: Attention, manager: str) -> WorkRow:
    href = _list_of(manager, attention=group)
    return WorkRow(title, _("неизвестно: входы не видны"), href, Badge("—"))


def _count(count: int, tone: Tone) -> Badge:
    text = number_format(count, force_grouping=True)
    return Badge(f"{text}+" if count >= COUNTED_AT_MOST else text, tone)


def _list_of(
    manager: str, *, letter: LetterFilter | None = None, attention: Attention | None = None
) -> str:
    values = {"letter": letter, "attention": attention, "manager": manager}
    query = urlencode({name: str(value) for name, value in values.items() if value})
    return f"{reverse('sales-manager')}?{query}#students"

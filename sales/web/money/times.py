"""How long people wait for access after their purchase: a page for admins."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from funnel.report.sources import readable
from funnel.web.links import choices
from funnel.web.rows import Cell, Row, Table
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.templatetags.russian import duration
from sales.handoff import matching
from sales.handoff.landing_state import landing_state
from sales.money.time_to_access import Split, TimeToAccess, Waits, WaitsOf, time_to_access
from sales.web.cabinet.sections import section
from sales.web.money.forms import SplitForm
from sales.web.money.question import names_of, page_of
from sales.web.money.words import number

_ROWS = 31
_SPLITS = {
    Split.SOURCE: _("по источникам"),
    Split.MANAGER: _("по менеджерам"),
    Split.HOUR: _("по часу покупки"),
    Split.WEEKDAY: _("по дню недели"),
}


@role_required("admin")
@require_safe
def times(request: IdentifiedRequest) -> HttpResponse:
    """The typical, slow and worst waits, with those who wait now counted in."""
    form = SplitForm(request.GET)
    question, split = form.question(), form.split
    found = section(lambda: time_to_access(question.period, question.sources, split)).found
    context = {
        **page_of(request, form, "funnel-money-times"),
        "compare": None,
        "share": section(matching.match_share),
        "landing": section(landing_state).found,
        "splits": choices(request.GET, "rows", _SPLITS, split),
    }
    if found is not None:
        names = section(lambda: _names(found)).found or {}
        context |= {
            "found": found.all,
            "sentence": _sentence(found.all),
            "table": _table(found, split, names, form.number),
        }
    status = 400 if form.errors else 200
    return render(request, "sales/money/times.html", context, status=status)


def _names(found: TimeToAccess) -> dict[UUID, str]:
    return names_of(one.key for one in found.parts if isinstance(one.key, UUID))


def _sentence(waits: Waits) -> str:
    if waits.typical is not None:
        told = {"time": duration(waits.typical)}
        return _now("Обычно доступ открывают через %(time)s после покупки.") % told
    if waits.worst is not None:
        told = {"time": duration(waits.worst)}
        return _now("Большинство ещё ждёт доступа, дольше всех — %(time)s.") % told
    return _now("За эти дни никто не ждал доступа.")


def _table(found: TimeToAccess, split: Split, names: Mapping[UUID, str], page: int) -> Table:
    titles = [
        str(_FIRST[split]),
        _now("Обычно"),
        _now("Медленные 25 %"),
        _now("Дольше всех"),
        _now("Ждут сейчас"),
        _now("Человек"),
    ]
    shown = Paginator(found.parts, _ROWS).get_page(page)
    rows = [
        Row(_name(one, split, names), tuple(zip(titles[1:], _cells(one.waits), strict=True)))
        for one in shown
    ]
    return Table(titles, rows, shown)


_FIRST = {
    Split.SOURCE: _("Источник"),
    Split.MANAGER: _("Менеджер"),
    Split.HOUR: _("Час покупки"),
    Split.WEEKDAY: _("День покупки"),
}


def _name(one: WaitsOf, split: Split, names: Mapping[UUID, str]) -> str:
    match one.key:
        case UUID() as manager:
            return names.get(manager) or _now("Без менеджера")
        case str() as source:
            return readable(source)
        case int() as count if split is Split.WEEKDAY:
            return str(WEEKDAYS[count - 1])
        case int() as hour:
            return f"{hour:02}:00–{(hour + 1) % 24:02}:00"
    return _now("Без менеджера")


def _cells(waits: Waits) -> list[Cell]:
    worst = _time(waits.worst)
    if waits.worst_waits:
        worst = _now("%(time)s, ещё ждёт") % {"time": worst}
    return [
        Cell(_quantile(waits.typical, waits)),
        Cell(_quantile(waits.slow, waits)),
        Cell(worst),
        Cell(number(waits.waiting)),
        Cell(number(waits.people)),
    ]


def _quantile(time: timedelta | None, waits: Waits) -> str:
    """A quantile, or what it is longer than, because too many wait still."""
    if time is None and waits.worst is not None:
        return _now("дольше %(time)s") % {"time": duration(waits.worst)}
    return _time(time)


def _time(time: timedelta | None) -> str:
    return "—" if time is None else duration(time)

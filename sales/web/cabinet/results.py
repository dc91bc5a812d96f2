"""Results: sales, their change against an earlier period, and the rating of the managers."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from django.db import OperationalError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.formats import number_format
from django.utils.translation import gettext as _now
from django.views.decorators.http import require_safe

from funnel.web.difference import Figure, in_tile
from onai.identity.guards import role_required
from onai.identity.models import StaffMember
from onai.identity.roles import IdentifiedRequest
from onai.identity.session.fragments import marked
from onai.identity.staff import register
from onai.templatetags.russian import nouns, plural, tenge
from onai.web.period_form import ChosenPeriod, PeriodForm
from sales.cabinet import chart, statistics
from sales.cabinet.attention import NOT_STARTED, QUIET
from sales.cabinet.availability import NOTHING, Availability, availability
from sales.cabinet.sales_change import SalesChange, compared_sales, sales_before
from sales.cabinet.week_figures import WeekFigures, last_two_weeks
from sales.staff import distinct_names
from sales.web.cabinet.forms import ManagerForm
from sales.web.cabinet.sections import Section, kept, query, section, staff, unknown_in, whose


@dataclass(frozen=True, slots=True)
class _Headline:
    """The first sentence, the tiles, and the change against an earlier period; None where there is
    nothing to compare with.
    """

    sentence: str
    tiles: list[Figure]
    change: SalesChange | None


@dataclass(frozen=True, slots=True)
class _Figures:
    """What the page shows of figures. `standings` are of people; `without_manager` are the figures
    of the students that belong to nobody.
    """

    headline: _Headline
    chart: chart.SalesChart
    standings: list[statistics.Standing]
    without_manager: statistics.Figures | None
    known: Availability


@dataclass(frozen=True, slots=True)
class _Weeks:
    """The figures of the last full week and of the week before. `unknown`: what cannot be known, in
    words."""

    last: WeekFigures
    before: WeekFigures
    unknown: list[str]
    not_started = NOT_STARTED
    quiet = QUIET


class _PeriodForm(PeriodForm):
    """The period of the results; all time begins with the first student."""

    def first_day_of_all(self) -> date | None:
        return statistics.first_day_of_all()


@role_required("admin", "sales")
@require_safe
def results(request: IdentifiedRequest) -> HttpResponse:
    """The page, or only its sentence and tiles, which renew themselves."""
    if request.headers.get("HX-Target") == "live":
        return _live_figures(request)
    section(lambda: register.note(request.identity))
    colleagues = section(staff).found or []
    form = ManagerForm(request.GET, staff=colleagues)
    manager_id = whose(request, form)
    period_form = _PeriodForm(request.GET)
    chosen = section(lambda: period_form.chosen)
    known = section(availability).found or NOTHING
    context = {
        "period_form": period_form,
        "chosen": chosen.found,
        "form": form,
        "shown_manager": _shown_manager(form, colleagues),
        "figures": section(lambda: _figures(request, chosen, form, known)),
        "weeks": section(lambda: _weeks(manager_id, known)),
        "filter_query": query(request, "manager"),
        "kept": kept(request, "manager"),
        "kept_period": kept(request, "period", "from", "to"),
    }
    status = 400 if period_form.errors or form.errors else 200
    return render(request, "sales/results.html", context, status=status)


def _weeks(manager_id: UUID | None, known: Availability) -> _Weeks:
    return _Weeks(*last_two_weeks(known, manager_id=manager_id), unknown_in(known))


def _shown_manager(form: ManagerForm, colleagues: list[StaffMember]) -> str:
    """Whose figures an admin has chosen."""
    if form.without_manager:
        return _now("без менеджера")
    if form.manager_id is None:
        return _now("все менеджеры")
    return distinct_names(colleagues)[form.manager_id]


def _live_figures(request: IdentifiedRequest) -> HttpResponse:
    """The sentence and the tiles alone, for an open page. An outage keeps what is there."""
    form = ManagerForm(request.GET, staff=staff())
    chosen = _PeriodForm(request.GET).chosen
    known = availability()
    sales = statistics.read_sales(chosen.period, known)
    standings = _with_distinct_names(statistics.leaderboard(sales))
    context = {"headline": _headline(request, chosen, sales, standings, known, form)}
    return marked(request, render(request, "sales/live.html", context))


def _figures(
    request: IdentifiedRequest,
    found: Section[ChosenPeriod],
    form: ManagerForm,
    known: Availability,
) -> _Figures:
    if found.found is None:
        raise OperationalError
    chosen = found.found
    sales = statistics.read_sales(chosen.period, known)
    standings = _with_distinct_names(statistics.leaderboard(sales))
    headline = _headline(request, chosen, sales, standings, known, form)
    manager_id = whose(request, form)
    series = sales.series(manager_id)
    before = sales_before(headline.change, series, manager_id=manager_id)
    nobody = (one.figures for one in standings if one.user_id == statistics.NOBODY)
    return _Figures(
        headline=headline,
        chart=chart.draw(series, before),
        standings=[one for one in standings if one.user_id != statistics.NOBODY],
        without_manager=next(nobody, None),
        known=known,
    )


def _headline(
    request: IdentifiedRequest,
    chosen: ChosenPeriod,
    sales: statistics.PeriodSales,
    standings: list[statistics.Standing],
    known: Availability,
    form: ManagerForm,
) -> _Headline:
    manager_id = whose(request, form)
    now = sales.figures(manager_id)
    change = compared_sales(chosen, now, manager_id=manager_id)
    return _Headline(
        sentence=_sentence(request, chosen, now, standings, manager_id),
        tiles=_tiles(now, change, known),
        change=change,
    )


def _sentence(
    request: IdentifiedRequest,
    chosen: ChosenPeriod,
    now: statistics.Figures,
    standings: list[statistics.Standing],
    manager_id: UUID | None,
) -> str:
    """How much was sold; a manager also reads their place, an admin who is ahead."""
    told = {"when": chosen.opening, "sold": _sales(now.sales), "revenue": tenge(now.revenue)}
    if not now.sales:
        return _now("%(when)s продаж нет.") % told
    people = [one for one in standings if one.user_id != statistics.NOBODY]
    mine = next((one for one in people if one.user_id == manager_id), None)
    if mine and manager_id == request.identity.user_id:
        told |= {"place": str(mine.place), "people": str(len(people))}
        return _now("%(when)s у вас %(sold)s на %(revenue)s. Место %(place)s из %(people)s.") % told
    if mine:
        told |= {"name": mine.name}
        return _now("%(when)s у менеджера %(name)s %(sold)s на %(revenue)s.") % told
    if manager_id is None and people and people[0].figures.sales:
        told |= {"name": people[0].name, "best": _number(people[0].figures.sales)}
        return _now("%(when)s %(sold)s на %(revenue)s. Больше всех — %(name)s: %(best)s.") % told
    return _now("%(when)s %(sold)s на %(revenue)s.") % told


def _tiles(
    now: statistics.Figures, change: SalesChange | None, known: Availability
) -> list[Figure]:
    to = _now("к %(days)s") % {"days": change.days} if change else ""
    tiles = [
        Figure(_now("Продажи"), _number(now.sales), in_tile(change.sales, to) if change else None),
        Figure(
            _now("Выручка"), tenge(now.revenue), in_tile(change.revenue, to) if change else None
        ),
        Figure(_now("Активны"), _number(now.active)),
    ]
    if known.finished:
        tiles.append(Figure(_now("Прошли курс"), _number(now.finished)))
    if known.marks:
        tiles.append(Figure(_now("Отмечены прошедшими"), _number(now.marked_finished)))
    return tiles


def _sales(count: int) -> str:
    return f"{_number(count)}\N{NO-BREAK SPACE}{plural(count, nouns('продажа,продажи,продаж'))}"


def _number(count: int) -> str:
    return number_format(count, force_grouping=True)


def _with_distinct_names(standings: list[statistics.Standing]) -> list[statistics.Standing]:
    names = distinct_names(standings)
    return [replace(one, name=names[one.user_id]) for one in standings]

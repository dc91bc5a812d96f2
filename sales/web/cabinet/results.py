"""Results: how much was sold, how that compares, and the rating of the managers."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from django.db import OperationalError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.formats import number_format
from django.utils.translation import gettext as _now
from django.views.decorators.http import require_safe

from funnel.web.difference import Figure, in_full
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.identity.session.fragments import marked
from onai.identity.staff import register
from onai.templatetags.russian import tenge
from onai.web.period_form import ChosenPeriod, PeriodForm
from sales.cabinet import chart, statistics
from sales.cabinet.attention import NOT_STARTED, QUIET
from sales.cabinet.availability import Availability, availability
from sales.cabinet.sales_change import compared_sales
from sales.cabinet.week_figures import WeekFigures, last_two_weeks
from sales.staff import distinct_names
from sales.web.cabinet.forms import ManagerForm
from sales.web.cabinet.sections import Section, kept, query, section, staff, whose


@dataclass(frozen=True, slots=True)
class _Headline:
    """The figures of the chosen period, and with what they are compared; empty for nothing."""

    figures: list[Figure]
    compared: str


@dataclass(frozen=True, slots=True)
class _Figures:
    headline: _Headline
    chart: chart.SalesChart
    standings: list[statistics.Standing]
    known: Availability


@dataclass(frozen=True, slots=True)
class _Weeks:
    """The figures of the last full week and the week before; what cannot be known, in words."""

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
    """The page, or only its figures, which renew themselves."""
    if request.headers.get("HX-Target") == "live":
        return _live_figures(request)
    section(lambda: register.note(request.identity))
    form = ManagerForm(request.GET, staff=section(staff).found or [])
    manager_id = whose(request, form)
    period_form = _PeriodForm(request.GET)
    chosen = section(lambda: period_form.chosen)
    context = {
        "period_form": period_form,
        "chosen": chosen.found,
        "form": form,
        "figures": section(lambda: _figures(chosen, manager_id)),
        "weeks": section(lambda: _weeks(manager_id)),
        "filter_query": query(request, "manager"),
        "kept": kept(request, "manager"),
        "kept_period": kept(request, "period", "from", "to"),
    }
    status = 400 if period_form.errors or form.errors else 200
    return render(request, "sales/results.html", context, status=status)


def _weeks(manager_id: UUID | None) -> _Weeks:
    known = availability()
    return _Weeks(*last_two_weeks(known, manager_id=manager_id), known.unknown)


def _live_figures(request: IdentifiedRequest) -> HttpResponse:
    """The headline alone, for an open page. An outage keeps what is there."""
    form = ManagerForm(request.GET, staff=staff())
    chosen = _PeriodForm(request.GET).chosen
    manager_id = whose(request, form)
    known = availability()
    finished = statistics.finished_by_manager(chosen.period, known)
    now = statistics.figures(chosen.period, manager_id=manager_id)
    headline = _headline(chosen, now, manager_id, known, finished)
    context = {"chosen": chosen, "headline": headline}
    return marked(request, render(request, "sales/live.html", context))


def _figures(chosen: Section[ChosenPeriod], manager_id: UUID | None) -> _Figures:
    if chosen.found is None:
        raise OperationalError
    period = chosen.found.period
    series = statistics.sales_over_time(period, manager_id=manager_id)
    known = availability()
    finished = statistics.finished_by_manager(period, known)
    standings = statistics.leaderboard(period)
    now = statistics.figures_in(standings, manager_id=manager_id)
    if finished is not None:
        standings = [replace(one, finished=finished.get(one.user_id, 0)) for one in standings]
    return _Figures(
        headline=_headline(chosen.found, now, manager_id, known, finished),
        chart=chart.draw(series),
        standings=_with_distinct_names(standings),
        known=known,
    )


def _headline(
    chosen: ChosenPeriod,
    now: statistics.Figures,
    manager_id: UUID | None,
    known: Availability,
    finished: dict[UUID, int] | None,
) -> _Headline:
    change = compared_sales(chosen, now, manager_id=manager_id)
    figures = [
        Figure(_now("Продажи"), _number(now.sales), in_full(change.sales) if change else None),
        Figure(
            _now("Выручка"),
            tenge(now.revenue),
            in_full(change.revenue, tenge) if change else None,
        ),
        Figure(_now("Активны"), _number(now.active)),
    ]
    if finished is not None:
        count = sum(finished.values()) if manager_id is None else finished.get(manager_id, 0)
        figures.append(Figure(_now("Прошли курс"), _number(count)))
    if known.marks:
        figures.append(Figure(_now("Отмечены прошедшими"), _number(now.marked_finished)))
    return _Headline(figures, change.in_words if change else "")


def _number(count: int) -> str:
    return number_format(count, force_grouping=True)


def _with_distinct_names(standings: list[statistics.Standing]) -> list[statistics.Standing]:
    names = distinct_names(standings)
    return [replace(one, name=names[one.user_id]) for one in standings]

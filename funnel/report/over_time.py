"""The funnel over time: that of every day, week or month, against the days it is compared with.

A lead counts on the day it came, whenever it was e-mailed or bought. Days without a lead are
there, with zeros.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Value

from funnel.landing.statement import Found, JsonObject, Part, ask
from funnel.models import LeadQuerySet
from funnel.report.buckets import Bucket, buckets, number, spans
from funnel.report.counting import WAYS, Sides, read_side, tally
from funnel.report.daily import Daily, daily_part, read_daily
from funnel.report.question import FunnelQuestion, Unit
from funnel.report.steps import Funnel, funnel_of
from funnel.stats.comparison import Section, level_of
from onai.periods import Period


@dataclass(frozen=True, slots=True)
class Point:
    """A bucket and the funnel of its leads. What differs by chance is judged as one of all rows."""

    bucket: Bucket
    funnel: Funnel


@dataclass(frozen=True, slots=True)
class OverTime:
    unit: Unit
    points: tuple[Point, ...]


def funnel_over_time(question: FunnelQuestion) -> OverTime:
    """The period of the question, bucket by bucket. Raises FiguresUnavailable."""
    parts = {"time": over_time_part(question), "daily": daily_part(question)}
    found = ask(question.leads_of_both_periods(), parts)
    return read_over_time(question, found["time"], read_daily(question, found["daily"]))


def over_time_part(question: FunnelQuestion) -> Part:
    rows = buckets(question)
    compared = [row.compared for row in rows if row.compared]
    now, before = question.sides(of_one=True)
    return Part(
        lists={
            "now": _tallies(question, question.leads(), [row.period for row in rows], now),
            "before": _tallies(question, question.compared_leads(), compared, before),
        }
    )


def _tallies(
    question: FunnelQuestion, leads: LeadQuerySet, periods: Sequence[Period], side: Sides
) -> Any:
    row = JsonObject(Value("number"), "number", Value("tally"), tally(question.counting, side))
    return (
        leads.filter(WAYS[question.counting].everyone)
        .annotate(number=number(periods))
        .values("number")
        .annotate(row=row)
        .values("row")
    )


def read_over_time(question: FunnelQuestion, found: Found, days: Daily) -> OverTime:
    rows = buckets(question)
    compared = [row.compared for row in rows if row.compared]
    now = _read([row.period for row in rows], found.lists["now"])
    before = _read(compared, found.lists["before"])
    side, side_before = question.sides(of_one=True)
    level = level_of(Section.OVER_TIME, len(rows) * WAYS[question.counting].marks)
    points = [
        Point(
            row,
            funnel_of(
                question.counting,
                spans(question, row, level=level),
                read_side(question.counting, side, now.get(row.period)),
                read_side(question.counting, side_before, before.get(row.compared)),
                days.of_all,
            ),
        )
        for row in rows
    ]
    return OverTime(question.unit, tuple(points))


def _read(
    periods: Sequence[Period], rows: list[Mapping[str, Any]]
) -> dict[Period | None, Mapping[str, Any]]:
    return {periods[row["number"] - 1]: row["tally"] for row in rows}

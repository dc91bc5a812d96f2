"""The funnel over time: that of every day, week or month, against the days it is compared with.

A lead counts on the day it came, whenever it was e-mailed or bought. Days without a lead are
there, with zeros.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, Value

from funnel.buckets import Bucket, buckets, number, spans
from funnel.counting import WAYS, Tally, read_tally, tally
from funnel.models import LeadQuerySet
from funnel.question import FunnelQuestion, Unit
from funnel.statement import Found, JsonObject, Part, ask
from funnel.steps import Funnel, funnel_of
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
    parts = {"time": over_time_part(question)}
    return read_over_time(question, ask(question.leads_of_both_periods(), parts)["time"])


def over_time_part(question: FunnelQuestion) -> Part:
    rows = buckets(question)
    compared = [row.compared for row in rows if row.compared]
    return Part(
        lists={
            "now": _tallies(question, question.leads(), [row.period for row in rows]),
            "before": _tallies(question, question.compared_leads(), compared),
        }
    )


def _tallies(question: FunnelQuestion, leads: LeadQuerySet, periods: Sequence[Period]) -> Any:
    return (
        leads.filter(WAYS[question.counting].everyone)
        .annotate(number=number(periods))
        .values("number")
        .annotate(
            row=JsonObject(Value("number"), "number", Value("tally"), tally(question.counting, Q()))
        )
        .values("row")
    )


def read_over_time(question: FunnelQuestion, found: Found) -> OverTime:
    rows = buckets(question)
    now = _read(question, [row.period for row in rows], found.lists["now"])
    before = _read(question, [row.compared for row in rows if row.compared], found.lists["before"])
    nobody = Tally(0, (0,) * len(question.steps), 0)
    points = [
        Point(
            row,
            funnel_of(
                question.counting,
                spans(question, row, among=len(rows)),
                now.get(row.period, nobody),
                before.get(row.compared, nobody),
            ),
        )
        for row in rows
    ]
    return OverTime(question.unit, tuple(points))


def _read(
    question: FunnelQuestion, periods: Sequence[Period], rows: list[Mapping[str, Any]]
) -> dict[Period | None, Tally]:
    return {periods[row["number"] - 1]: read_tally(question.counting, row["tally"]) for row in rows}

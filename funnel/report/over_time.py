"""The funnel of every day, week or month, compared with the same of the compared period.

A lead counts on the day it came, whenever it was e-mailed or bought. Days without a lead are
present, with zeros.
"""

from dataclasses import dataclass

from funnel.report.buckets import Bucket, spans
from funnel.report.counts.count_leads import CountedLeads
from funnel.report.counts.counting import Side, Window, marks_of, nobody, side
from funnel.report.counts.daily import Daily
from funnel.report.steps import Funnel, funnel_of
from funnel.stats.comparison import Section, level_of
from onai.periods import Period, Unit


@dataclass(frozen=True, slots=True)
class Point:
    """A bucket and the funnel of its leads. Its differences are tested as one of all rows."""

    bucket: Bucket
    funnel: Funnel


@dataclass(frozen=True, slots=True)
class OverTime:
    """The funnel over time: a point for each unit of the period, in order."""

    unit: Unit
    points: tuple[Point, ...]


def read_over_time(found: CountedLeads, days: Daily) -> OverTime:
    """The period of the question, bucket by bucket."""
    question, plan = found.plan.question, found.plan
    level = level_of(Section.OVER_TIME, len(plan.buckets) * marks_of(question.counting))

    def of(window: Window, days: Period | None) -> Side:
        if days is None:
            return nobody(question.counting)
        return side(question.counting, found.totals, window.of(days))

    points = [
        Point(
            row,
            funnel_of(
                question.counting,
                spans(question, row, level=level),
                of(plan.now, row.period),
                of(plan.before, row.compared),
                days.of_all,
            ),
        )
        for row in plan.buckets
    ]
    return OverTime(question.unit, tuple(points))

"""The figures as pictures: what the page draws of the answers, measured and worded here.

Lengths of the funnel are in units of a picture 100 wide and 100 high for each step, which the page
stretches.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _now

from funnel.report.answers import FunnelAnswers
from funnel.report.over_time import OverTime
from funnel.report.stage_report import StageStatus
from funnel.report.steps import Funnel, Step
from funnel.stages import STAGES, Counting, Stage, StageId
from funnel.templatetags.names import days
from funnel.web.difference import Difference, in_full
from onai.periods import Period
from onai.templatetags.russian import percent, tenge
from onai.web.look.bar_chart import BarChart, Column, bar_chart

_WIDTH = 100
# An empty step is still drawn, as a thread.
_THINNEST = 1.5
_CHART_HEIGHT, _MOST_BARS = 100, 62


@dataclass(frozen=True, slots=True)
class DrawnStep:
    """A step with its wording, its differences, its lists, and its shape as the corners of an SVG
    polygon.

    `status` is the report's, by its thresholds. A cohort's steps have none: there it is the one
    at which most are lost that does badly.
    """

    step: Step
    wording: Stage
    status: StageStatus
    points: str
    reached: Difference
    conversion: Difference | None
    people: str
    lost_people: str
    lost: str


class Metric(StrEnum):
    """What the chart over time shows."""

    LEADS = "leads"
    PURCHASES = "purchases"
    CONVERSION = "conversion"
    REVENUE = "revenue"


@dataclass(frozen=True, slots=True)
class Chart:
    """One metric over time: its bars, the highest value in words, the days that stand below, and
    how many days, weeks or months before them it leaves out."""

    bars: BarChart
    highest: str
    labels: tuple[Period, ...]
    left_out: int


def draw(answers: FunnelAnswers, people: Callable[[StageId, bool], str]) -> tuple[DrawnStep, ...]:
    """Each step at the bottom as wide as its count, and at the top as wide as the one before: what
    is lost on the way to it is lost in its own shape, which has the colour of that loss.

    `people` is the address of the list of those who reached a step, or who were lost at it.
    """
    steps = answers.funnel.steps
    statuses = {stage.id.value: stage.status for stage in answers.report.stages}
    most_lost = max(step.lost for step in steps)
    widest = max(1, *(step.reached.now for step in steps))
    widths = [max(_THINNEST, _WIDTH * step.reached.now / widest) for step in steps]
    above = [widths[0], *widths[:-1]]
    return tuple(
        DrawnStep(
            step,
            STAGES[step.id],
            statuses.get(step.id.value, _status(step, most_lost)),
            _trapezoid(top, bottom),
            in_full(step.reached),
            in_full(step.conversion, percent) if step.conversion else None,
            people(step.id, False),
            people(step.id, True),
            _lost(answers, step),
        )
        for step, top, bottom in zip(steps, above, widths, strict=True)
    )


def _lost(answers: FunnelAnswers, step: Step) -> str:
    """The report's stages are no parts of each other: how many are lost, only their list knows."""
    if answers.question.counting is Counting.REPORTED:
        return _now("кто не дошёл")
    return _now("не дошли: %(count)s") % {"count": number_format(step.lost, force_grouping=True)}


def _status(step: Step, most_lost: int) -> StageStatus:
    is_worst = most_lost and step.lost == most_lost
    return StageStatus.WARNING if is_worst else StageStatus.SUCCESS


_VALUES: dict[Metric, tuple[Callable[[Funnel], int | Decimal], Callable[[Any], str]]] = {
    Metric.LEADS: (lambda funnel: funnel.leads.now, number_format),
    Metric.PURCHASES: (lambda funnel: funnel.purchases.now, number_format),
    Metric.CONVERSION: (lambda funnel: funnel.conversion.percent or Decimal(0), percent),
    Metric.REVENUE: (lambda funnel: funnel.revenue.now, tenge),
}


def draw_over_time(over_time: OverTime, metric: Metric) -> Chart:
    """A bar for each day, week or month, of very many for the last ones."""
    points = over_time.points[-_MOST_BARS:]
    value, written = _VALUES[metric]
    columns = [
        Column(
            of := value(point.funnel),
            f"{days(point.bucket.period)}: {written(of)}",
            is_partial=point.bucket.is_partial,
        )
        for point in points
    ]
    bars = bar_chart(columns, height=_CHART_HEIGHT)
    firsts = [point.bucket.first_day for point in points]
    return Chart(
        bars=bars,
        highest=written(bars.highest),
        labels=tuple(map(Period.day, sorted({firsts[0], firsts[len(firsts) // 2], firsts[-1]}))),
        left_out=len(over_time.points) - len(points),
    )


def _trapezoid(top: float, bottom: float) -> str:
    corners = ((-top, 0), (top, 0), (bottom, 100), (-bottom, 100))
    return " ".join(f"{(_WIDTH + x) / 2:.2f},{y}" for x, y in corners)

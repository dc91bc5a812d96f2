"""The figures as pictures: what the page draws of the answers, measured and worded here.

Lengths of the funnel are in units of a picture 100 wide and 100 high for each step, those of a
chart of one 1000 wide and 100 high; the page stretches both.
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
from funnel.web.difference import Difference, in_full
from onai.periods import Period
from onai.templatetags.russian import percent, tenge

_WIDTH = 100
# An empty step is still drawn, as a thread.
_THINNEST = 1.5
_CHART_WIDTH, _CHART_HEIGHT = 1000, 100
_GAP = 0.25  # of a bar's place


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
    """One metric over time: the bars of whole spans and of unfinished ones as SVG paths, the
    highest of all values in words, and the days that are written below."""

    whole: str
    partial: str
    highest: str
    labels: tuple[Period, ...]


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
    """A bar for each day, week or month; without a value, one has no height."""
    points = over_time.points
    value, written = _VALUES[metric]
    values = [value(point.funnel) for point in points]
    highest, place = max(values), _CHART_WIDTH / len(points)
    paths = {True: "", False: ""}
    for number, (point, of) in enumerate(zip(points, values, strict=True)):
        height = float(_CHART_HEIGHT * of / highest) if highest else 0.0
        x, width = place * (number + _GAP / 2), place * (1 - _GAP)
        bar = f"M{x:.2f},{_CHART_HEIGHT}v{-height:.2f}h{width:.2f}v{height:.2f}z"
        paths[point.bucket.is_partial] += bar
    days = [point.bucket.first_day for point in points]
    return Chart(
        whole=paths[False],
        partial=paths[True],
        highest=written(highest),
        labels=tuple(map(Period.day, sorted({days[0], days[len(days) // 2], days[-1]}))),
    )


def _trapezoid(top: float, bottom: float) -> str:
    corners = ((-top, 0), (top, 0), (bottom, 100), (-bottom, 100))
    return " ".join(f"{(_WIDTH + x) / 2:.2f},{y}" for x, y in corners)

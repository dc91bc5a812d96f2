"""The figures as pictures: what the page draws of the answers, measured and worded here.

Lengths of the funnel are in units of a picture 100 wide and 100 high for each step, those of a
chart of one 1000 wide and 100 high; the page stretches both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from funnel.report.answers import FunnelAnswers
from funnel.report.over_time import OverTime, Point
from funnel.report.stage_report import StageStatus
from funnel.report.steps import Step
from funnel.stages import STAGES, Stage
from onai.periods import Period

_WIDTH = 100
# An empty step is still drawn, as a thread.
_THINNEST = 1.5
_CHART_WIDTH, _CHART_HEIGHT = 1000, 100
_GAP = 0.25  # of a bar's place


@dataclass(frozen=True, slots=True)
class DrawnStep:
    """A step with its wording and its shape: the corner points of an SVG polygon.

    `status` is the report's, by its thresholds. A cohort's steps have none: there it is the one
    at which most are lost that does badly.
    """

    step: Step
    wording: Stage
    status: StageStatus
    points: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, as high as its value, and the point it stands for."""

    point: Point
    value: int | Decimal
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Charts:
    """Three charts over the same days, and the days that are written below them."""

    leads: tuple[Bar, ...]
    purchases: tuple[Bar, ...]
    conversion: tuple[Bar, ...]
    most_leads: int
    most_purchases: int
    best_conversion: Decimal
    labels: tuple[Period, ...]


def draw(answers: FunnelAnswers) -> tuple[DrawnStep, ...]:
    """Each step at the bottom as wide as its count, and at the top as wide as the one before: what
    is lost on the way to it is lost in its own shape, which has the colour of that loss."""
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
        )
        for step, top, bottom in zip(steps, above, widths, strict=True)
    )


def _status(step: Step, most_lost: int) -> StageStatus:
    is_worst = most_lost and step.lost == most_lost
    return StageStatus.WARNING if is_worst else StageStatus.SUCCESS


def draw_over_time(over_time: OverTime) -> Charts:
    points = over_time.points
    days = [point.bucket.first_day for point in points]
    leads = [point.funnel.leads.now for point in points]
    purchases = [point.funnel.purchases.now for point in points]
    conversions = [point.funnel.conversion.percent or Decimal(0) for point in points]
    return Charts(
        leads=_bars(points, leads),
        purchases=_bars(points, purchases),
        conversion=_bars(points, conversions),
        most_leads=max(leads),
        most_purchases=max(purchases),
        best_conversion=max(conversions),
        labels=tuple(map(Period.day, sorted({days[0], days[len(days) // 2], days[-1]}))),
    )


def _bars(points: Sequence[Point], values: Sequence[int | Decimal]) -> tuple[Bar, ...]:
    highest, place = max(values), _CHART_WIDTH / len(points)
    bars = []
    for number, (point, value) in enumerate(zip(points, values, strict=True)):
        height = float(_CHART_HEIGHT * value / highest) if highest else 0.0
        bars.append(
            Bar(
                point=point,
                value=value,
                x=round(place * (number + _GAP / 2), 2),
                y=round(_CHART_HEIGHT - height, 2),
                width=round(place * (1 - _GAP), 2),
                height=round(height, 2),
            )
        )
    return tuple(bars)


def _trapezoid(top: float, bottom: float) -> str:
    corners = ((-top, 0), (top, 0), (bottom, 100), (-bottom, 100))
    return " ".join(f"{(_WIDTH + x) / 2:.2f},{y}" for x, y in corners)

"""The chart over time: what a page draws of the answers, measured and worded here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils.formats import number_format

from funnel.report.over_time import OverTime, Point
from funnel.report.steps import Funnel
from funnel.templatetags.names import days
from onai.periods import Period
from onai.templatetags.russian import percent, tenge
from onai.web.look.bar_chart import BarChart, Column, bar_chart

_CHART_HEIGHT, _MOST_BARS = 100, 62


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


_VALUES: dict[Metric, tuple[Callable[[Funnel], int | Decimal], Callable[[Any], str]]] = {
    Metric.LEADS: (lambda funnel: funnel.leads.now, number_format),
    Metric.PURCHASES: (lambda funnel: funnel.purchases.now, number_format),
    Metric.CONVERSION: (lambda funnel: funnel.conversion.percent or Decimal(0), percent),
    Metric.REVENUE: (lambda funnel: funnel.revenue.now, tenge),
}


def draw_over_time(over_time: OverTime, metric: Metric) -> Chart:
    """A bar for each day, week or month, of very many for the last ones."""
    points = over_time.points[-_MOST_BARS:]
    _, written = _VALUES[metric]
    bars = bar_chart(columns_of(points, metric), height=_CHART_HEIGHT)
    firsts = [point.bucket.first_day for point in points]
    return Chart(
        bars=bars,
        highest=written(bars.highest),
        labels=tuple(map(Period.day, sorted({firsts[0], firsts[len(firsts) // 2], firsts[-1]}))),
        left_out=len(over_time.points) - len(points),
    )


def columns_of(points: Sequence[Point], metric: Metric) -> list[Column]:
    """A column for each of the last days, weeks or months, with its value in words."""
    value, written = _VALUES[metric]
    return [
        Column(
            of := value(point.funnel),
            f"{days(point.bucket.period)}: {written(of)}",
            is_partial=point.bucket.is_partial,
        )
        for point in points[-_MOST_BARS:]
    ]

"""The sales over time as a picture: where each bar stands, in units of its view box."""

from dataclasses import dataclass
from datetime import date

from sales.cabinet.statistics import Point, Series

WIDTH, HEIGHT = 1000, 240
_GAP = 0.25  # of a bar's place


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, as high as its sales, and its figures."""

    point: Point
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars, the line of the revenue through their middles, and what stands below them."""

    bars: list[Bar]
    highest: int
    revenue_line: str
    labels: list[date]
    crosses_years: bool


def draw(series: Series) -> Chart:
    """The series as bars and a line; without any sale, none has a height."""
    points = series.points
    highest = max((point.sales for point in points), default=0)
    most = max((point.revenue for point in points), default=0)
    place = WIDTH / max(len(points), 1)
    bars, line = [], []
    for number, point in enumerate(points):
        height = _height(point.sales, highest)
        bars.append(
            Bar(
                point=point,
                x=round(place * (number + _GAP / 2), 2),
                y=round(HEIGHT - height, 2),
                width=round(place * (1 - _GAP), 2),
                height=round(height, 2),
            )
        )
        line.append(f"{place * (number + 0.5):.2f},{HEIGHT - _height(point.revenue, most):.2f}")
    ends = {points[0].first_day, points[len(points) // 2].first_day, points[-1].first_day}
    crosses_years = points[0].first_day.year != points[-1].last_day.year
    return Chart(bars, highest, " ".join(line), sorted(ends), crosses_years)


def _height(value: int, highest: int) -> float:
    return HEIGHT * max(value, 0) / highest if highest else 0

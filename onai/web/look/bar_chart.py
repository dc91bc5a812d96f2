"""The measures of a bar chart for the SVG in `bar_chart.html`: bars of one series, and optionally a
line of another through their middles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH = 1000
_GAP = 0.25  # of a bar's place
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one bar. `text` says it in words; a partial bar is drawn pale."""

    value: Decimal | int
    text: str
    line: Decimal | int = _NOTHING
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """Its lengths are in units of the view box, as SVG writes them."""

    column: Column
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """`line` is the points of the other series, empty without one; `highest` the highest value."""

    view_box: str
    bars: tuple[Bar, ...]
    line: str
    highest: Decimal | int


def bar_chart(columns: Sequence[Column], *, height: int, with_line: bool = False) -> BarChart:
    """The chart of these columns. Where nothing is above zero, no bar has a height; negative values
    are drawn as zero.
    """
    highest = max((column.value for column in columns), default=_NOTHING)
    top = max((column.line for column in columns), default=_NOTHING)
    place = WIDTH / max(len(columns), 1)
    bars = tuple(
        Bar(
            column=column,
            x=_length(place * (number + _GAP / 2)),
            y=_length(height - _share(column.value, highest) * height),
            width=_length(place * (1 - _GAP)),
            height=_length(_share(column.value, highest) * height),
        )
        for number, column in enumerate(columns)
    )
    points = (
        f"{_length(place * (number + 0.5))},{_length(height - _share(column.line, top) * height)}"
        for number, column in enumerate(columns)
    )
    return BarChart(f"0 0 {WIDTH} {height}", bars, " ".join(points) if with_line else "", highest)


def _share(value: Decimal | int, highest: Decimal | int) -> float:
    return float(max(value, 0) / highest) if highest > 0 else 0.0


def _length(units: float) -> str:
    return f"{units:.2f}"

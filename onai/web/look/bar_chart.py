"""A chart of bars over time, measured for the SVG in `bar_chart.html`, and its small relative, the
sparkline.

A bar stands for a day, week or month. Behind the bars lies the outline of the compared span.
Lengths in per cent leave strokes and hatching as they are, whatever the width of the page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Value = Decimal | int
_BAR_WIDTH = 0.68  # of its place
# The side of the square that paths are drawn in.
_SIDE = 1000
_VIEW_BOX = f"0 0 {_SIDE} {_SIDE}"
# The highest label of the axis, in units of its power of ten; the middle label is half of it.
_ROUND = tuple(Decimal(one) for one in ("1", "1.2", "1.6", "2", "3", "4", "5", "6", "8", "10"))


@dataclass(frozen=True, slots=True)
class Column:
    """A value, and the compared one: None where there is nothing to compare with. `text` says both
    and of which days they are; `label` is short and stands below the axis. An unfinished column is
    not (yet) of a whole day, week or month.
    """

    label: str
    value: Value
    text: str
    before: Value | None = None
    is_unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A column with its lengths in per cent, as SVG writes them."""

    column: Column
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """`scale` labels the axis: its top, its middle (may be empty) and zero. `ghost` is the path of
    the compared span in `view_box`, which the page stretches; empty where nothing is compared.
    `ends` are the columns below which a day stands: the first, the middle and the last.
    """

    bars: tuple[Bar, ...]
    scale: tuple[str, ...]
    ghost: str
    ends: tuple[Column, ...]
    view_box: str = _VIEW_BOX

    @property
    def has_unfinished(self) -> bool:
        return any(bar.column.is_unfinished for bar in self.bars)


@dataclass(frozen=True, slots=True)
class Sparkline:
    """The paths of the whole columns and of the unfinished ones, in `view_box`, which the page
    stretches.
    """

    whole: str
    unfinished: str
    view_box: str = _VIEW_BOX


def bar_chart(columns: Sequence[Column], written: Callable[[Any], str] = str) -> BarChart | None:
    """The chart of these columns; None where no value is above zero. `written` writes a value of
    the axis. Negative values are drawn as zero.
    """
    values = [column.value for column in columns]
    compared = [column.before for column in columns if column.before is not None]
    highest = max([*values, *compared], default=0)
    if highest <= 0:
        return None
    top = round_top(highest)
    place = 100 / len(columns)
    bars = tuple(
        Bar(
            column=column,
            x=_percent(place * (number + (1 - _BAR_WIDTH) / 2)),
            y=_percent(100 - 100 * _share(column.value, top)),
            width=_percent(place * _BAR_WIDTH),
            height=_percent(100 * _share(column.value, top)),
        )
        for number, column in enumerate(columns)
    )
    middle = written(_plain(top / 2, highest)) if _fits(top / 2, highest) else ""
    ends = sorted({0, len(columns) // 2, len(columns) - 1})
    return BarChart(
        bars=bars,
        scale=(written(_plain(top, highest)), middle, written(0)),
        ghost=_outline(columns, top),
        ends=tuple(columns[number] for number in ends),
    )


def sparkline(columns: Sequence[Column]) -> Sparkline | None:
    """The course of these columns; None where no value is above zero."""
    highest = max((column.value for column in columns), default=0)
    if highest <= 0:
        return None
    place = _SIDE / len(columns)
    paths = {True: "", False: ""}
    for number, column in enumerate(columns):
        if column.value <= 0:
            continue
        height = _SIDE * _share(column.value, highest)
        left, width = place * (number + (1 - _BAR_WIDTH) / 2), place * _BAR_WIDTH
        paths[column.is_unfinished] += f"M{left:.0f} {_SIDE}v{-height:.0f}h{width:.0f}v{height:.0f}"
    return Sparkline(paths[False], paths[True])


def round_top(highest: Value) -> Decimal:
    """The lowest round number that is not below `highest`, which is above zero. Of whole numbers,
    it and its half are whole; 1 has no half.
    """
    power = Decimal(1).scaleb(Decimal(highest).adjusted())
    return next(
        top
        for one in _ROUND
        if (top := one * power) >= highest and (top == 1 or _fits(top / 2, highest))
    )


def _fits(label: Decimal, highest: Value) -> bool:
    """Whether a label may stand on the axis: among whole numbers no fraction may."""
    return isinstance(highest, Decimal) or label == label.to_integral()


def _plain(value: Decimal, highest: Value) -> Value:
    return value if isinstance(highest, Decimal) else int(value)


def _outline(columns: Sequence[Column], top: Decimal) -> str:
    """The outline of the compared values, with a gap where there are none."""
    place, path, is_open = _SIDE / len(columns), "", False
    for number, column in enumerate(columns):
        if column.before is None:
            path += f"V{_SIDE}" if is_open else ""
            is_open = False
            continue
        height = _SIDE * (1 - _share(column.before, top))
        begin = "" if is_open else f"M{place * number:.1f} {_SIDE}"
        path += f"{begin}V{height:.0f}H{place * (number + 1):.1f}"
        is_open = True
    return f"{path}V{_SIDE}" if is_open else path


def _share(value: Value, top: Value) -> float:
    return float(max(value, 0) / top)


def _percent(length: float) -> str:
    return f"{length:.2f}%"

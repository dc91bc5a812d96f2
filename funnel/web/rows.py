"""The tables of the funnel's pages as values: the text of each cell, and what stands beside it.

One template draws them all. A page of a table fits a phone; its file has every row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _now

from funnel.report.buckets import Bucket
from funnel.report.time_to_buy import OfBucket, OfSource, Quartiles
from funnel.signals.marks import LEADS, PURCHASE, MarkId
from funnel.signals.wording import Incomplete
from funnel.templatetags.names import days
from funnel.web.difference import Difference, of_median
from funnel.web.picture import Measured, Metric, written
from funnel.web.source_lines import IntervalBar
from funnel.web.wording import METRICS
from onai.templatetags.russian import duration

# A month of days is one page.
_ROWS = 31


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure, the one text beside it, and its link."""

    text: str
    difference: Difference | None = None
    href: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row by its name, with a muted `note`; cells by their columns."""

    name: str
    cells: tuple[tuple[str, Cell], ...]
    note: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one page of a table."""

    columns: list[str]
    rows: list[Row]
    page: Page[Any]


class _Columns:
    """Columns, and rows with cells for them."""

    def __init__(self, *titles: str) -> None:
        self.titles = list(titles)

    def row(self, name: str, cells: Sequence[Cell], *, note: str = "", href: str = "") -> Row:
        return Row(name, tuple(zip(self.titles[1:], cells, strict=True)), note, href)


def over_time(
    metric: Metric, values: Sequence[Measured], *, lacking: Incomplete, number: int
) -> Table:
    """A row for each day, week or month, the last one first."""
    marks = LEADS if metric is Metric.LEADS else PURCHASE
    columns = _Columns(_now("Дни"), _titled(str(METRICS[metric]), lacking, marks), _now("Было"))
    page = Paginator(values[::-1], _ROWS).get_page(number)
    write = written(metric)
    rows = [
        columns.row(
            days(one.bucket.period),
            [Cell(write(one.now)), Cell("", one.difference)],
            note=_state(one.bucket),
        )
        for one in page
    ]
    return Table(columns.titles, rows, page)


def _state(bucket: Bucket) -> str:
    if bucket.is_to_come:
        return _now("ещё не наступили")
    if bucket.is_running:
        return _now("ещё идёт")
    return _now("не целиком") if bucket.is_cut else ""


@dataclass(frozen=True, slots=True)
class TimeLine:
    """How long people of a source, or of a day, week or month, think before they buy. The bar ends
    at the median; the line in it goes from the quick quarter to the slow one.
    """

    name: str
    bar: IntervalBar
    typical: str
    difference: Difference
    quick: str
    slow: str
    known: str


@dataclass(frozen=True, slots=True)
class TimeLines:
    """One page of them; `first` and `known` are the heads of their columns."""

    first: str
    known: str
    lines: list[TimeLine]
    page: Page[Any]


def of_times(
    first: str, times: Sequence[OfSource | OfBucket], *, lacking: Incomplete, number: int
) -> TimeLines:
    """A line for each source, or day, week or month, that sold."""
    sold = [one for one in times if one.times.now.purchases]
    page = Paginator(sold, _ROWS).get_page(number)
    longest = max((_longest(one.times.now) for one in page), default=timedelta())
    return TimeLines(
        first,
        _titled(_now("Известно время"), lacking, PURCHASE),
        [_time_line(one, longest or timedelta(minutes=1)) for one in page],
        page,
    )


def _longest(of: Quartiles) -> timedelta:
    return (of.upper if of.has_quarters else of.median) or timedelta()


def _time_line(one: OfSource | OfBucket, longest: timedelta) -> TimeLine:
    def width(time: timedelta | None) -> str:
        return f"{100 * (time or timedelta()) / longest:.2f}%"

    now = one.times.now
    lower, upper = (now.lower, now.upper) if now.has_quarters else (None, None)
    between = upper - lower if upper is not None and lower is not None else None
    known = _now("%(timed)s из %(purchases)s")
    return TimeLine(
        name=one.name if isinstance(one, OfSource) else days(one.bucket.period),
        bar=IntervalBar(width(now.median), width(lower), width(between)),
        typical=_time(now.median),
        difference=of_median(one.times),
        quick=_time(lower),
        slow=_time(upper),
        known=known % {"timed": now.timed, "purchases": now.purchases},
    )


def _titled(title: str, lacking: Incomplete, marks: frozenset[MarkId]) -> str:
    """The title of a column, which says where its figures are incomplete."""
    return _now("%(title)s, неполно") % {"title": title} if lacking.of(marks) else title


def _time(time: timedelta | None) -> str:
    return "—" if time is None else duration(time)

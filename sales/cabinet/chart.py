"""The chart of sales over time, and the rows of the table beneath it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from funnel.templatetags.names import days
from onai.periods import Period, Unit, business_day
from onai.templatetags.russian import short_number, tenge
from onai.web.look.bar_chart import BarChart, Column, bar_chart
from sales.cabinet.statistics import Point, Series

_TITLES: dict[Unit, str | Promise] = {
    Unit.DAY: _("Продажи по дням"),
    Unit.WEEK: _("Продажи по неделям"),
    Unit.MONTH: _("Продажи по месяцам"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A day, week or month in words; `before` is empty where nothing is compared."""

    days: str
    sales: str
    before: str
    revenue: str


@dataclass(frozen=True, slots=True)
class SalesChart:
    """Bars of sales; None where nothing was sold. `rows` say the same, and the revenue."""

    title: str
    drawn: BarChart | None
    rows: list[Row]
    has_before: bool


def draw(series: Series, before: Sequence[int | None]) -> SalesChart:
    """The chart; `before` are the sales of the compared days of each point."""
    points = list(zip(series.points, before, strict=True))
    rows = [_row(point, earlier) for point, earlier in points]
    columns = [
        Column(
            label=days(Period.day(point.days.first_day)),
            value=point.sales,
            text=_in_words(row),
            before=earlier,
            is_unfinished=_is_unfinished(point, series.unit),
        )
        for (point, earlier), row in zip(points, rows, strict=True)
    ]
    return SalesChart(
        title=str(_TITLES[series.unit]),
        drawn=bar_chart(columns, short_number),
        rows=rows,
        has_before=any(earlier is not None for earlier in before),
    )


def _row(point: Point, before: int | None) -> Row:
    return Row(
        days=days(point.days),
        sales=number_format(point.sales, force_grouping=True),
        before="" if before is None else number_format(before, force_grouping=True),
        revenue=tenge(point.revenue),
    )


def _in_words(row: Row) -> str:
    told = {"days": row.days, "now": row.sales, "before": row.before}
    if not row.before:
        return _now("%(days)s: %(now)s") % told
    return _now("%(days)s: %(now)s, было %(before)s") % told


def _is_unfinished(point: Point, unit: Unit) -> bool:
    """Whether the day, week or month is not over, or not wholly in the period."""
    (whole,) = point.days.whole_units(unit)
    return whole != point.days or point.days.last_day >= business_day()

"""The chart of sales over time: its bars, axis labels and title."""

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from onai.periods import Unit
from onai.templatetags.russian import tenge
from onai.web.look.bar_chart import BarChart, Column, bar_chart
from sales.cabinet.statistics import Point, Series

_HEIGHT = 240
_TITLES = {
    Unit.DAY: _("Продажи по дням"),
    Unit.WEEK: _("Продажи по неделям"),
    Unit.MONTH: _("Продажи по месяцам"),
}


@dataclass(frozen=True, slots=True)
class SalesChart:
    """Bars of sales, a line of revenue, and the labels below them."""

    title: str
    drawn: BarChart
    labels: list[str]
    points: list[Point]


def draw(series: Series) -> SalesChart:
    points = series.points
    first, last = points[0].days.first_day, points[-1].days.last_day
    day_format = "j E" if first.year == last.year else "j E Y"
    columns = [
        Column(
            value=point.sales,
            line=point.revenue,
            text=f"{date_format(point.days.first_day, day_format)}: {point.sales},"
            f" {tenge(point.revenue)}",
        )
        for point in points
    ]
    ends = sorted({first, points[len(points) // 2].days.first_day, points[-1].days.first_day})
    label_format = "F Y" if series.unit is Unit.MONTH else day_format
    return SalesChart(
        title=str(_TITLES[series.unit]),
        drawn=bar_chart(columns, height=_HEIGHT, with_line=True),
        labels=[date_format(day, label_format).lower() for day in ends],
        points=points,
    )

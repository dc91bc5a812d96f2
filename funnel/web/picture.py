"""A metric over time: the values of its days, weeks or months, and the chart of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _now

from funnel.report.answers import FunnelAnswers, Topic
from funnel.report.buckets import Bucket
from funnel.report.steps import Funnel
from funnel.stats.comparison import Counted, Rate
from funnel.templatetags.names import days
from funnel.web.difference import Difference, in_short
from onai.periods import Period
from onai.templatetags.russian import percent, short_number, tenge
from onai.web.look.bar_chart import BarChart, Column, bar_chart

_MOST_BARS = 62


class Metric(StrEnum):
    """What the chart over time shows: purchases by the day their lead came (`PURCHASES`), and by
    the day they were made (`BOUGHT`).
    """

    PURCHASES = "purchases"
    BOUGHT = "bought"
    LEADS = "leads"
    CONVERSION = "conversion"
    REVENUE = "revenue"

    @property
    def topic(self) -> Topic:
        """The topic of the answers that it is read from."""
        return Topic.PURCHASE_DAYS if self is Metric.BOUGHT else Topic.OVER_TIME


@dataclass(frozen=True, slots=True)
class Measured:
    """The values of a day, week or month, now and before, and their difference in words."""

    bucket: Bucket
    now: int | Decimal
    before: int | Decimal | None
    difference: Difference


@dataclass(frozen=True, slots=True)
class Chart:
    """The last bars of a metric; None where all are zero. `left_out` is how many came before."""

    bars: BarChart | None
    left_out: int


_FIGURES: dict[Metric, Callable[[Funnel], Counted | Rate]] = {
    Metric.PURCHASES: lambda funnel: funnel.purchases,
    Metric.LEADS: lambda funnel: funnel.leads,
    Metric.CONVERSION: lambda funnel: funnel.conversion,
    Metric.REVENUE: lambda funnel: funnel.revenue,
}


def figure_of(found: FunnelAnswers, metric: Metric) -> Counted | Rate:
    """The metric of the whole period; not of `BOUGHT`, of which nothing is tested."""
    return _FIGURES[metric](found.funnel)


def written(metric: Metric) -> Callable[[Any], str]:
    """How a value of the metric is written."""
    units: dict[Metric, Callable[[Any], str]] = {
        Metric.CONVERSION: percent,
        Metric.REVENUE: tenge,
    }
    return units.get(metric, _number)


def measured(found: FunnelAnswers, metric: Metric) -> list[Measured]:
    """The metric's days, weeks or months, in order."""
    return list(_bought(found) if metric is Metric.BOUGHT else _over_time(found, metric))


def _bought(found: FunnelAnswers) -> Iterator[Measured]:
    for day in found.purchase_days.days:
        before = "—" if day.before is None else _number(day.before)
        told = Difference(_now("было %(before)s") % {"before": before})
        yield Measured(day.bucket, day.now, day.before, told)


def _over_time(found: FunnelAnswers, metric: Metric) -> Iterator[Measured]:
    write = written(metric)
    for point in found.over_time.points:
        figure = _FIGURES[metric](point.funnel)
        now = (figure.percent or Decimal(0)) if isinstance(figure, Rate) else figure.now
        yield Measured(point.bucket, now, figure.before, in_short(figure, write))


def draw(values: Sequence[Measured], metric: Metric) -> Chart:
    """A bar for each day, week or month, of very many for the last ones."""
    columns = columns_of(values, metric)
    return Chart(bar_chart(columns, _axis(metric)), left_out=len(values) - len(columns))


def columns_of(values: Sequence[Measured], metric: Metric) -> list[Column]:
    """A column for each of the last days, weeks or months."""
    write = written(metric)
    return [
        Column(
            days(Period.day(one.bucket.first_day)),
            one.now,
            _in_words(
                days(one.bucket.period),
                write(one.now),
                None if one.before is None else write(one.before),
            ),
            before=one.before,
            is_unfinished=one.bucket.is_partial,
        )
        for one in values[-_MOST_BARS:]
    ]


def _in_words(name: str, now: str, before: str | None) -> str:
    told = {"days": name, "now": now, "before": before}
    if before is None:
        return _now("%(days)s: %(now)s") % told
    return _now("%(days)s: %(now)s, было %(before)s") % told


def _axis(metric: Metric) -> Callable[[Any], str]:
    units = {Metric.CONVERSION: "%", Metric.REVENUE: "₸"}
    unit = units.get(metric, "")
    return lambda value: "\N{NO-BREAK SPACE}".join(filter(None, (short_number(value), unit)))


def _number(count: int) -> str:
    return number_format(count, force_grouping=True)

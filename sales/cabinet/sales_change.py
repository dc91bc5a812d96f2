"""The change of sales against an earlier period, by the rule of `funnel.stats.comparison`.

A sale is final on the day it is made, so recent days count in full. The numbers of active and
finished students describe today, whatever the period, so they are not compared.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from funnel.stats import chance
from funnel.stats.comparison import Counted, Pair, counted
from funnel.stats.overdispersion import spread_of
from funnel.stats.spans import Compare, Spans, compared_with, cuts, held_against
from funnel.templatetags.names import days
from onai.periods import Period, business_day
from onai.templatetags.russian import clock
from onai.web.period_form import ChosenPeriod, Preset
from sales.cabinet import statistics
from sales.cabinet.statistics import Figures, Series

# The page tests two figures, sales and revenue, so each gets half the level.
_LEVEL = chance.LEVEL / 2


@dataclass(frozen=True, slots=True)
class SalesChange:
    """The changes of sales and revenue against the compared period, up to the same moment."""

    compare: Compare
    spans: Spans
    sales: Counted
    revenue: Counted

    @property
    def days(self) -> str:
        """The compared days, «1–21 октября»; empty where there is nothing to compare with."""
        if self.spans.before_data or self.spans.compared is None:
            return ""
        return days(self.spans.compared)

    @property
    def moment(self) -> str:
        """The time of day up to which an unfinished period is compared, «14:30»; else empty."""
        if not self.days or not self.spans.to_the_same_moment:
            return ""
        return clock(self.spans.cuts.moment)


def compared_sales(
    chosen: ChosenPeriod, now: Figures, *, manager_id: UUID | None
) -> SalesChange | None:
    """The change of the chosen period, whose figures are `now`; None for all time."""
    if chosen.preset is Preset.ALL:
        return None
    period, moment = chosen.period, timezone.now()
    by_month = chosen.preset in (Preset.THIS_MONTH, Preset.LAST_MONTH)
    compare = Compare.LAST_MONTH if by_month else Compare.PREVIOUS
    compared = compared_with(period, compare)
    at = cuts(period, compared, compare, moment, youngest=timedelta(0))
    since = statistics.first_sale(manager_id)
    # Without any sale there is nothing to compare with.
    spans = Spans(period, compared, at, since or moment, level=_LEVEL)
    before = statistics.figures(compared, until=at.before, manager_id=manager_id)
    noise = spread_of([_daily_sales(days, since, manager_id) for days in spans.days_at_hand])
    sales = Pair(now.sales, before.sales)
    revenue = Pair(now.revenue, before.revenue)
    sold = now.sales + before.sales
    worth = max(1, round((now.revenue + before.revenue) / sold)) if sold else 1
    return SalesChange(
        compare,
        spans,
        sales=counted(spans, sales, sales, noise=noise),
        revenue=counted(spans, revenue, revenue, noise=noise, worth=worth),
    )


def sales_before(
    change: SalesChange | None, series: Series, *, manager_id: UUID | None
) -> list[int | None]:
    """The sales of the compared days of each point, up to the same moment; None where there are no
    such days.
    """
    if change is None or not change.days:
        return [None] * len(series.points)
    firsts = [point.days.first_day for point in series.points]
    held = held_against(change.spans.period, change.compare, firsts)
    until, parts = change.spans.cuts.before, [one for one in held if one]
    points = statistics.sales_in(parts, manager_id=manager_id, until=until)
    sold = {point.days: point.sales for point in points}
    return [sold[one] if one else None for one in held]


def _daily_sales(days: Period, since: datetime | None, manager_id: UUID | None) -> list[int]:
    began = business_day(since) if since else days.first_day
    points = statistics.sales_over_time(days, manager_id=manager_id).points
    return [point.sales for point in points if point.days.last_day >= began]

"""How the sales of a period have changed, by the funnel's own rule (`funnel.stats.comparison`).

A sale is there at once, so nothing has to age. How many students are active or have finished is of
today whenever they came, and so is not compared.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from funnel.stats import chance
from funnel.stats.comparison import Counted, Pair, counted
from funnel.stats.overdispersion import spread_of
from funnel.stats.spans import Compare, Spans, compared_with, cuts
from onai.periods import Period, business_day
from onai.web.period_form import ChosenPeriod, Preset
from sales.cabinet import statistics
from sales.cabinet.statistics import Figures

_MOST_DAYS = 31
_ENOUGH_DAYS = 28
# Two figures of the page carry a mark: sales and revenue.
_LEVEL = chance.LEVEL / 2


@dataclass(frozen=True, slots=True)
class SalesChange:
    """What was sold before, up to the same moment, and what may be said of the difference."""

    spans: Spans
    sales: Counted
    revenue: Counted

    @property
    def compared(self) -> Period | None:
        return self.spans.compared


def compared_sales(
    chosen: ChosenPeriod, now: Figures, *, manager_id: UUID | None
) -> SalesChange | None:
    """The change of `now`, the figures of the chosen period; None of all time."""
    if chosen.preset is Preset.ALL:
        return None
    period, moment = chosen.period, timezone.now()
    by_month = chosen.preset in (Preset.THIS_MONTH, Preset.LAST_MONTH)
    compare = Compare.LAST_MONTH if by_month else Compare.PREVIOUS
    compared = compared_with(period, compare)
    at = cuts(period, compared, compare, moment)
    since = statistics.first_sale(manager_id)
    # Without any sale there is nothing to compare with.
    spans = Spans(period, compared, at, since or moment, level=_LEVEL)
    before = statistics.figures_until(compared, at.before, manager_id=manager_id)
    noise = spread_of([_daily_sales(days, since, manager_id) for days in _days_at_hand(spans)])
    revenue = now.revenue + before.revenue
    sold = now.sales + before.sales
    return SalesChange(
        spans,
        sales=counted(
            spans, Pair(now.sales, before.sales), Pair(now.sales, before.sales), noise=noise
        ),
        revenue=counted(
            spans,
            Pair(now.revenue, before.revenue),
            Pair(now.revenue, before.revenue),
            noise=noise,
            worth=max(1, round(revenue / sold)) if sold else 1,
        ),
    )


def _days_at_hand(spans: Spans) -> list[Period]:
    """Whole days that show how sales spread, in runs that have one mean each."""
    yesterday = business_day(spans.cuts.moment) - timedelta(days=1)
    runs = []
    for period in filter(None, (spans.period, spans.compared)):
        last = min(period.last_day, yesterday)
        first = max(period.first_day, last - timedelta(days=_MOST_DAYS - 1))
        if first <= last:
            runs.append(Period(first, last))
    if sum(run.days for run in runs) < _ENOUGH_DAYS:
        last = min(spans.period.first_day, yesterday + timedelta(days=1)) - timedelta(days=1)
        return [Period(last - timedelta(days=_ENOUGH_DAYS - 1), last)]
    return runs


def _daily_sales(days: Period, since: datetime | None, manager_id: UUID | None) -> list[int]:
    points = statistics.sales_over_time(days, manager_id=manager_id).points
    return [
        point.sales for point in points if since is None or point.last_day >= business_day(since)
    ]

"""The funnel of a period as the business reports it: three stages.

The definitions are the business's own, from its report of December 2025.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from funnel.report.counts.count_leads import CountedLeads
from funnel.report.counts.counting import side
from funnel.stages import Counting, StageId
from funnel.stats.comparison import share
from onai.periods import Period
from onai.prices import priced

# Above these conversions, in percent, a stage does well.
EXPRESS_THRESHOLD = 30
PAYMENT_THRESHOLD = 20


class StageStatus(StrEnum):
    """Whether a conversion is above its threshold (`success`); the first stage always is."""

    SUCCESS = "success"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. `reached` is its number of leads.

    `conversion_rate` is `reached` ÷ that of the stage before, in whole percent, rounded half up:
    100 for the first stage, 0 after an empty one. `change` is `reached` minus that of the stage
    before; below zero are leads lost on the way.
    """

    id: StageId
    reached: int
    conversion_rate: int
    change: int
    status: StageStatus

    @property
    def lost(self) -> int:
        """The leads of the stage before beyond those of this one; 0 where this one has more."""
        return max(0, -self.change)

    @property
    def gained(self) -> int:
        """The leads of this stage beyond those of the one before; 0 where that one has more."""
        return max(0, self.change)


@dataclass(frozen=True, slots=True)
class FunnelReport:
    """The funnel of `period` as the database counted it at `as_of`.

    `revenue` and `price` are in tenge: each purchase counts at the price of the day its lead came,
    and `price` is that of the last day. `overall_conversion` is purchases ÷ ProfTest visitors in
    percent, to two decimals; 0 without visitors.
    """

    period: Period
    as_of: datetime
    price: int
    several_prices: bool
    proftest: Stage
    express: Stage
    payment: Stage
    revenue: int
    overall_conversion: Decimal

    @property
    def stages(self) -> tuple[Stage, Stage, Stage]:
        """The three stages in order."""
        return self.proftest, self.express, self.payment

    @property
    def purchases(self) -> int:
        """The leads of the last stage."""
        return self.payment.reached


def read_report(found: CountedLeads) -> FunnelReport:
    """The report of the question's period and sources, whatever its way of counting."""
    period, prices = found.plan.question.period, priced(found.plan.question.period)
    counted = side(Counting.REPORTED, found.totals, found.plan.now)
    visitors, emailed, purchases = counted.shown.reached
    return FunnelReport(
        period=period,
        as_of=found.as_of,
        price=prices[-1].price,
        several_prices=len(prices) > 1,
        proftest=Stage(StageId.PROFTEST, visitors, 100, 0, StageStatus.SUCCESS),
        express=_stage(StageId.EXPRESS, emailed, visitors, EXPRESS_THRESHOLD),
        payment=_stage(StageId.PAYMENT, purchases, emailed, PAYMENT_THRESHOLD),
        revenue=counted.money.revenue,
        overall_conversion=share(purchases, visitors, decimals=2),
    )


def _stage(stage: StageId, reached: int, before: int, threshold: int) -> Stage:
    conversion = share(reached, before, decimals=0)
    status = StageStatus.SUCCESS if conversion > threshold else StageStatus.WARNING
    return Stage(stage, reached, int(conversion), reached - before, status)

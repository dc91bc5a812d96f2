"""The funnel of a period as the business reports it: three stages, and who bought twice.

The definitions are the business's own, of its report of December 2025. There is nothing personal in
it, since the cache keeps it: who bought twice is told by `funnel.people.duplicates`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Count, Value

from funnel.landing.statement import Found, JsonObject, Part, ask
from funnel.models import (
    PURCHASED,
    TOOK_THE_TEST,
    WAS_EMAILED,
    Lead,
    LeadQuerySet,
    within,
)
from funnel.stages import StageId
from onai.periods import Period
from onai.prices import priced

# Above these conversions, in percent, a stage does well.
EXPRESS_THRESHOLD = 30
PAYMENT_THRESHOLD = 20


class StageStatus(StrEnum):
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
        return max(0, -self.change)

    @property
    def gained(self) -> int:
        return max(0, self.change)


@dataclass(frozen=True, slots=True)
class DuplicateCheck:
    """Whether the same person was counted as several purchases.

    Phones and e-mails are told apart by the keys of `onai.contacts`. A
    purchase without a phone or an e-mail is nobody's duplicate. `repeated_phones` and
    `repeated_emails` are how many stand behind more than one purchase.
    """

    purchases: int
    distinct_phones: int
    distinct_emails: int
    without_phone: int
    without_email: int
    repeated_phones: int
    repeated_emails: int

    @property
    def found(self) -> bool:
        return bool(self.repeated_phones or self.repeated_emails)


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
    duplicates: DuplicateCheck

    @property
    def stages(self) -> tuple[Stage, Stage, Stage]:
        return self.proftest, self.express, self.payment

    @property
    def purchases(self) -> int:
        return self.payment.reached


def funnel_report(period: Period, *, sources: Collection[str] = ()) -> FunnelReport:
    """Count the funnel of `period`, of some sources or of all.

    Raises FiguresUnavailable when the database cannot answer.
    """
    leads = Lead.objects.created_in(period).of_sources(sources)
    return read_report(period, ask(leads, {"report": report_part(period, leads)})["report"])


def report_part(period: Period, leads: LeadQuerySet) -> Part:
    """What the report needs of a statement over `leads` or more."""
    purchases, inside = leads.purchases().with_person_keys(), within(period)
    # Counting distinct values is nothing that several processes of the database could share, so it
    # is kept out of the figures, which all leads are read for.
    distinct = JsonObject(
        *(Value("phones"), Count("phone_key", distinct=True)),
        *(Value("emails"), Count("email_key", distinct=True)),
        *(Value("without_phone"), Count("pk") - Count("phone_key")),
        *(Value("without_email"), Count("pk") - Count("email_key")),
    )
    return Part(
        figures={
            "visitors": Count("pk", filter=inside & TOOK_THE_TEST),
            "emailed": Count("pk", filter=inside & WAS_EMAILED),
            **{
                f"purchases_{number}": Count("pk", filter=within(days.days) & PURCHASED)
                for number, days in enumerate(priced(period))
            },
        },
        lists={
            "distinct": purchases.values(all=Value(1)).annotate(row=distinct).values("row"),
            "repeated_phones": _repeated(purchases, "phone_key"),
            "repeated_emails": _repeated(purchases, "email_key"),
        },
    )


def _repeated(purchases: LeadQuerySet, key: str) -> Any:
    """How many purchases each key has that has more than one."""
    return (
        purchases.exclude(**{key: None})
        .values(key)
        .annotate(times=Count("pk"))
        .filter(times__gt=1)
        .values("times")
    )


def read_report(period: Period, found: Found) -> FunnelReport:
    """The report, from what the database said to its part."""
    counted, lists, prices = found.figures, found.lists, priced(period)
    (distinct,) = lists["distinct"]
    visitors, emailed = counted["visitors"], counted["emailed"]
    sold = [counted[f"purchases_{number}"] for number in range(len(prices))]
    purchases = sum(sold)
    return FunnelReport(
        period=period,
        as_of=found.as_of,
        price=prices[-1].price,
        several_prices=len(prices) > 1,
        proftest=Stage(StageId.PROFTEST, visitors, 100, 0, StageStatus.SUCCESS),
        express=_stage(StageId.EXPRESS, emailed, visitors, EXPRESS_THRESHOLD),
        payment=_stage(StageId.PAYMENT, purchases, emailed, PAYMENT_THRESHOLD),
        revenue=sum(count * days.price for count, days in zip(sold, prices, strict=True)),
        overall_conversion=share(purchases, visitors, decimals=2),
        duplicates=DuplicateCheck(
            purchases=purchases,
            distinct_phones=distinct["phones"],
            distinct_emails=distinct["emails"],
            without_phone=distinct["without_phone"],
            without_email=distinct["without_email"],
            repeated_phones=len(lists["repeated_phones"]),
            repeated_emails=len(lists["repeated_emails"]),
        ),
    )


def _stage(stage: StageId, reached: int, before: int, threshold: int) -> Stage:
    conversion = share(reached, before, decimals=0)
    status = StageStatus.SUCCESS if conversion > threshold else StageStatus.WARNING
    return Stage(stage, reached, int(conversion), reached - before, status)


def share(part: int, whole: int, *, decimals: int) -> Decimal:
    """`part` ÷ `whole` in percent, rounded half up to `decimals`; 0 where there is no whole."""
    exact = Decimal(part) * 100 / whole if whole else Decimal(0)
    return exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)

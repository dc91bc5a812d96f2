"""The price of the course on each day, so that a new price does not change past revenue.

`COURSE_PRICE_KZT` is one price or several, each from its first business day. The first price also
counts before its day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings

from onai.periods import Period, business_day

# A price in tenge and the day since which it is in force; None, since ever.
Price = tuple[date | None, int]


@dataclass(frozen=True, slots=True)
class PricedDays:
    """Days of one price, in tenge."""

    days: Period
    price: int


def prices() -> Sequence[Price]:
    """All prices, oldest first."""
    told: int | Sequence[Price] = settings.COURSE_PRICE_KZT
    return ((None, told),) if isinstance(told, int) else told


def price_on(day: date | None = None) -> int:
    """The price on a business day; by default, today."""
    day = day or business_day()
    return priced(Period.day(day))[0].price


def priced(period: Period) -> tuple[PricedDays, ...]:
    """The period cut at each change of the price, in order."""
    found: list[PricedDays] = []
    known = list(prices())
    starts = [date.min, *(since or date.min for since, _ in known[1:])]
    for number, (_, price) in enumerate(known):
        last = starts[number + 1] if number + 1 < len(known) else date.max
        first_day = max(period.first_day, starts[number])
        last_day = period.last_day if last == date.max else last - timedelta(days=1)
        last_day = min(period.last_day, last_day)
        if first_day <= last_day:
            found.append(PricedDays(Period(first_day, last_day), price))
    return tuple(found)

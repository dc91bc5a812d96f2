"""The two ways to count leads, and the tally of a group of leads by either of them.

A tally holds what is shown and, beside it, what is compared (see
`funnel.stats.comparison`): the leads of equal exposure, and what had become of those that have
reached an age.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Count, Q, Value

from funnel.landing.statement import JsonObject
from funnel.models import PURCHASED, TOOK_THE_TEST
from funnel.stages import STAGES_OF, Counting, StageId, is_at, purchased
from onai.periods import Period
from onai.prices import PricedDays, priced


@dataclass(frozen=True, slots=True)
class Way:
    """A way to count: among which leads, and by which mark one of them is at a step.

    `steps` takes an age, by which the step was reached; None for whenever. The first step is what
    a lead is when it comes. `are_subsets` says that every step's leads are among those of the step
    before. `decimals` are those of a step's conversion.
    """

    everyone: Q
    steps: Callable[[timedelta | None], Mapping[StageId, Q]]
    are_subsets: bool
    decimals: int

    @property
    def names(self) -> tuple[StageId, ...]:
        return tuple(self.steps(None))

    @property
    def marks(self) -> int:
        """How many figures of a funnel counted this way can carry a mark."""
        steps = len(self.names)
        # Leads, purchases and revenue, the steps, and the conversions that are proportions.
        return 3 + steps + (steps if self.are_subsets else 1)


def _steps(counting: Counting) -> Callable[[timedelta | None], Mapping[StageId, Q]]:
    return lambda age: {stage.id: is_at(stage.id, age) for stage in STAGES_OF[counting]}


WAYS = {
    # A lead has an id: all of them.
    Counting.REPORTED: Way(
        Q(pk__isnull=False), _steps(Counting.REPORTED), are_subsets=False, decimals=0
    ),
    Counting.COHORT: Way(TOOK_THE_TEST, _steps(Counting.COHORT), are_subsets=True, decimals=1),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """A group of leads: how many, how many of them at each step, and how many bought at all."""

    leads: int
    reached: tuple[int, ...]
    purchases: int


@dataclass(frozen=True, slots=True)
class Money:
    """What purchases brought, in tenge: each at the price of the day its lead came.

    `squares` is the sum of the squared prices.
    """

    revenue: int = 0
    squares: int = 0


@dataclass(frozen=True, slots=True)
class Side:
    """The leads of one span: all that are shown; those of equal exposure, of which only the leads
    and the first step are counted; and those that have reached the age, with what had happened to
    them by then."""

    shown: Tally
    exposed: Tally
    aged: Tally
    money: Money
    aged_money: Money


@dataclass(frozen=True, slots=True)
class Sides:
    """The leads of one span among those of a statement: in `[since, until)`, where None is wherever
    the statement's leads begin or end; and whether only some of them are compared: those before
    `exposed_until`, and those before `aged_until`, as at an age.
    """

    days: Period
    since: datetime | None
    until: datetime | None
    exposed_until: datetime | None
    aged_until: datetime | None
    age: timedelta

    @property
    def shown(self) -> Q:
        return self._to(self.until)

    @property
    def exposed(self) -> Q | None:
        return self._to(self.exposed_until) if self.exposed_until else None

    @property
    def aged(self) -> Q | None:
        return self._to(self.aged_until) if self.aged_until else None

    def _to(self, until: datetime | None) -> Q:
        inside = Q(created_at__gte=self.since) if self.since else Q()
        return inside & Q(created_at__lt=until) if until else inside


def tally(counting: Counting, side: Sides) -> JsonObject:
    """Counts a group of leads of one side; `read_side` reads it."""
    counts = {name: Count("pk", filter=mark) for name, mark in _counts(counting, side).items()}
    return JsonObject(*(part for name, count in counts.items() for part in (Value(name), count)))


def _counts(counting: Counting, side: Sides) -> dict[str, Q]:
    """What is counted of a side, nothing of it twice: what is missing equals what is shown."""
    way = WAYS[counting]
    steps, by_then = way.steps(None), way.steps(side.age)
    first, *others = steps
    everyone = way.everyone & side.shown
    counts = {"leads": everyone, "purchases": everyone & PURCHASED}
    counts |= {step.value: side.shown & steps[step] for step in steps if step != StageId.PAYMENT}
    if side.exposed is not None:
        counts["e leads"] = way.everyone & side.exposed
        counts[f"e {first}"] = side.exposed & steps[first]
    aged = side.shown if side.aged is None else side.aged
    if side.aged is not None:
        counts["a leads"] = way.everyone & aged
        counts[f"a {first}"] = aged & steps[first]
    counts["a purchases"] = way.everyone & aged & purchased(side.age)
    counts |= {f"a {step}": aged & by_then[step] for step in others if step != StageId.PAYMENT}
    prices = priced(side.days)
    for number, days in enumerate(prices[1:]):
        counts[f"priced {number}"] = everyone & PURCHASED & _since(days)
        counts[f"a priced {number}"] = way.everyone & aged & purchased(side.age) & _since(days)
    return counts


def _since(days: PricedDays) -> Q:
    return Q(created_at__gte=days.days.start)


def read_side(counting: Counting, side: Sides, row: Mapping[str, Any] | None) -> Side:
    """What was counted of a side; nothing where there was no row."""
    row = row or {}
    steps = WAYS[counting].names

    def read(prefix: str) -> Tally:
        def count(name: str) -> int:
            of_payment = "purchases" if name == StageId.PAYMENT else name
            told = row.get(prefix + of_payment, row.get(of_payment, 0))
            return int(told)

        return Tally(count("leads"), tuple(map(count, steps)), count("purchases"))

    shown, aged = read(""), read("a ")
    prices = priced(side.days)
    return Side(
        shown=shown,
        exposed=read("e "),
        aged=aged,
        money=_money(prices, shown.purchases, row, "priced"),
        aged_money=_money(prices, aged.purchases, row, "a priced"),
    )


def _money(
    prices: Sequence[PricedDays], purchases: int, row: Mapping[str, Any], name: str
) -> Money:
    # Each price's own and all later ones; the differences are each price's own.
    since = [purchases, *(int(row.get(f"{name} {n}", 0)) for n in range(len(prices) - 1)), 0]
    own = [count - later for count, later in pairwise(since)]
    return Money(
        revenue=sum(count * days.price for count, days in zip(own, prices, strict=True)),
        squares=sum(count * days.price**2 for count, days in zip(own, prices, strict=True)),
    )

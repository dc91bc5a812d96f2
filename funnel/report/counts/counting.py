"""Counts of leads by pieces of time, and the tally of a group of them by either way to count.

Time is cut into pieces wherever a figure of a question begins or ends: at midnights, and at the
moments up to which unfinished spans are compared. The database counts each piece once. A period,
one of its days, or its leads of some age are sums of pieces.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

from funnel.stages import STAGES_OF, Counting
from onai.periods import Period
from onai.prices import priced

# Counts beside the stages, for either way to count.
LEADS, PURCHASES, TIMED = "leads", "purchases", "timed"
# The suffix of a count: only what had happened by an age of the lead.
BY_AGE = " by age"


@dataclass(frozen=True, slots=True)
class Tally:
    """A group of leads: how many, how many at each step, and how many bought at all."""

    leads: int
    reached: tuple[int, ...]
    purchases: int


@dataclass(frozen=True, slots=True)
class Money:
    """The revenue of purchases, in tenge: each at the price of the day its lead came. `squares` is
    the sum of the squared prices.
    """

    revenue: int = 0
    squares: int = 0


@dataclass(frozen=True, slots=True)
class Side:
    """The leads of one span: all, as shown; those of equal exposure, of which only the leads and
    the first step are compared; and those that have reached the age, with what had happened to them
    by then.
    """

    shown: Tally
    exposed: Tally
    aged: Tally
    money: Money
    aged_money: Money


@dataclass(frozen=True, slots=True)
class Window:
    """The days of a side, and the moments, excluded, up to which their leads are shown, compared by
    exposure, and compared at an age.
    """

    days: Period
    shown: datetime
    exposed: datetime
    aged: datetime

    @property
    def moments(self) -> tuple[datetime, ...]:
        """The moments at which any count of the window begins or ends."""
        prices = (days.days.start for days in priced(self.days))
        return (*prices, self.shown, self.exposed, self.aged)

    def of(self, days: Period) -> "Window":
        """The same window for some of its days."""
        cuts = (self.shown, self.exposed, self.aged)
        return Window(days, *(min(cut, days.end, key=in_utc) for cut in cuts))


class Counts:
    """A group of leads, counted in the pieces between `moments`.

    Piece 1 begins at the first of the moments. `names` says what each column counts.
    """

    def __init__(
        self,
        moments: Sequence[datetime],
        names: Sequence[str],
        pieces: Iterable[tuple[int, Sequence[int]]],
    ) -> None:
        self._moments = [in_utc(moment) for moment in moments]
        nothing = [0] * len(names)
        found = [nothing] * (len(moments) + 1)
        for piece, counts in pieces:
            found[piece] = [one + other for one, other in zip(found[piece], counts, strict=True)]
        self._until = list(accumulate(found, _added))
        self._names = {name: place for place, name in enumerate(names)}

    def between(self, since: datetime, until: datetime) -> Mapping[str, int]:
        """The counts in `[since, until)`; both must be among the moments."""
        first, last = self._piece(since), self._piece(until)
        if first >= last:
            return dict.fromkeys(self._names, 0)
        before, after = self._until[first], self._until[last]
        return {name: after[place] - before[place] for name, place in self._names.items()}

    def _piece(self, moment: datetime) -> int:
        moment = in_utc(moment)
        place = bisect_left(self._moments, moment)
        if place == len(self._moments) or self._moments[place] != moment:
            raise ValueError(f"nothing was counted up to {moment}")
        return place


def in_utc(moment: datetime) -> datetime:
    """Python compares moments of one zone by the clock on the wall, also where it was changed."""
    return moment.astimezone(UTC)


def _added(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [first + second for first, second in zip(one, other, strict=True)]


def name_of(counting: Counting, what: str) -> str:
    """The name of a count of one way to count, distinct from the other way's."""
    return f"{counting} {what}"


def side(counting: Counting, counts: Counts, window: Window) -> Side:
    """The leads of a window, by a way to count."""
    since, prices = window.days.start, priced(window.days)
    shown, exposed, aged = (
        counts.between(since, until) for until in (window.shown, window.exposed, window.aged)
    )

    def money(until: datetime, name: str) -> Money:
        bought = [
            counts.between(days.days.start, min(until, days.days.end, key=in_utc))[name]
            for days in prices
        ]
        return Money(
            revenue=sum(n * days.price for n, days in zip(bought, prices, strict=True)),
            squares=sum(n * days.price**2 for n, days in zip(bought, prices, strict=True)),
        )

    purchases = name_of(counting, PURCHASES)
    return Side(
        shown=tally(counting, shown),
        exposed=tally(counting, exposed),
        aged=tally(counting, aged, by_age=True),
        money=money(window.shown, purchases),
        aged_money=money(window.aged, purchases + BY_AGE),
    )


def nobody(counting: Counting) -> Side:
    """A side without a day."""
    none = Tally(0, (0,) * len(STAGES_OF[counting]), 0)
    return Side(none, none, none, Money(), Money())


def tally(counting: Counting, counted: Mapping[str, int], *, by_age: bool = False) -> Tally:
    """The counts as a tally; with `by_age`, of what had happened by the age."""
    suffix = BY_AGE if by_age else ""
    first, *others = STAGES_OF[counting]
    return Tally(
        leads=counted[name_of(counting, LEADS)],
        reached=(counted[first.id], *(counted[stage.id + suffix] for stage in others)),
        purchases=counted[name_of(counting, PURCHASES) + suffix],
    )


def marks_of(counting: Counting) -> int:
    """How many figures of a funnel counted this way can carry a mark."""
    steps = len(STAGES_OF[counting])
    # Leads, purchases and revenue, the steps, and the conversions that are proportions.
    return 3 + steps + (steps if counting is Counting.COHORT else 1)

"""Which spans of days are compared: with which other days, up to which moment, for leads of which
age.

It knows days and moments only. What may be said of their figures is the matter of
`funnel.stats.comparison`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from django.utils import timezone

from funnel.stats import chance
from funnel.stats.overdispersion import Exposure
from onai.periods import Period, business_day

# A purchase comes by this age, as a rule, if it comes at all.
AGE = timedelta(hours=72)
# Where a larger part of the compared days was before the first lead, there is no verdict.
_MOST_MISSING = 0.1
_DAY = timedelta(days=1)
# How many whole days show how figures spread: so many of each span, and so many together at least.
_MOST_DAYS, _ENOUGH_DAYS = 31, 28


class Compare(StrEnum):
    """The days with which a period is compared."""

    PREVIOUS = "previous"
    LAST_MONTH = "last-month"
    LAST_YEAR = "last-year"


def compared_with(period: Period, compare: Compare) -> Period:
    """The period of equal length just before, or the same days of last month or last year.

    A day that the other month lacks becomes its last one: 31 March is compared with 28 February.
    """
    first, last = period.first_day, period.last_day
    return Period(counterpart(first, period, compare), counterpart(last, period, compare))


def counterpart(day: date, period: Period, compare: Compare) -> date:
    """The day with which a day of the period is compared."""
    match compare:
        case Compare.PREVIOUS:
            return day - timedelta(days=period.days)
        case Compare.LAST_MONTH:
            return _month_before(day)
        case Compare.LAST_YEAR:
            return _year_before(day)


def held_against(period: Period, compare: Compare, firsts: Sequence[date]) -> list[Period | None]:
    """The compared days of each part of the period, by the first days of the parts, in order.

    None for a part whose day the other month lacks.
    """
    begins = [counterpart(first, period, compare) for first in firsts]
    # Days that the other month lacks all map to its last day; the first of them gets it.
    own = [begin for begin, last in zip(begins, [None, *begins], strict=False) if begin != last]
    ends = [*(begin - _DAY for begin in own[1:]), compared_with(period, compare).last_day]
    periods = {begin: Period(begin, end) for begin, end in zip(own, ends, strict=True)}
    return [periods.pop(begin, None) for begin in begins]


def _month_before(day: date) -> date:
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))


def _year_before(day: date) -> date:
    if (day.month, day.day) == (2, 29):
        day = day.replace(day=28)
    return day.replace(year=day.year - 1)


@dataclass(frozen=True, slots=True)
class Cuts:
    """The moments, excluded, up to which leads of a period and of the compared one are compared.

    `now` and `before` cut by exposure: at `moment`, and at the same moment of the compared days.
    `aged_now` and `aged_before` leave out leads that have not reached `age`. What happened to a
    lead after that age does not count in a comparison.
    """

    moment: datetime
    now: datetime
    before: datetime
    aged_now: datetime
    aged_before: datetime
    age: timedelta

    @property
    def running(self) -> bool:
        """Whether the period was unfinished at the moment."""
        return self.now == self.moment

    @property
    def hours(self) -> int:
        """The age in whole hours."""
        return int(self.age.total_seconds()) // 3_600


def cuts(
    period: Period,
    compared: Period,
    compare: Compare,
    moment: datetime,
    *,
    youngest: timedelta = AGE,
) -> Cuts:
    """Where a comparison at `moment` cuts both spans.

    The age is `youngest`, or more where all leads of the period have reached it: whole days since
    the period ended, so that the same days give the same statement all day.
    """
    ended_before = moment - period.end.astimezone(moment.tzinfo)
    age = max(youngest, timedelta(days=ended_before.days))

    def cut(at: datetime) -> tuple[datetime, datetime]:
        if at >= period.end:
            return period.end, compared.end
        same = same_moment(at, period, compare)
        return at, min(compared.end, same)

    now, before = cut(moment)
    aged_now, aged_before = cut(moment - age)
    return Cuts(moment, now, before, aged_now, aged_before, age)


def same_moment(at: datetime, period: Period, compare: Compare) -> datetime:
    """The same local time of the compared days."""
    local = timezone.localtime(at, timezone.get_default_timezone())
    day = local.date()
    other = counterpart(day, period, compare)
    if day > period.first_day and counterpart(day - _DAY, period, compare) == other:
        # The other month lacks this day; its whole last day belongs to an earlier one.
        return Period.day(other).end
    return datetime.combine(other, local.time(), tzinfo=timezone.get_default_timezone())


@dataclass(frozen=True, slots=True)
class Spans:
    """The period of the figures and the one they are compared with, cut by `cuts`.

    `compared` is None where there are no such days. `data_since` is when the first lead there is
    came, where that is known. Below `level` a p-value is called a real difference. `exposed` is how
    long leads could come that are compared, now and before, and `aged` the same of leads that have
    reached the age: days before the first lead's are no part of it. `before_data` is whether too
    much of what would be compared was before anything was recorded.
    """

    period: Period
    compared: Period | None
    cuts: Cuts
    data_since: datetime | None = None
    level: float = chance.LEVEL
    before_data: bool = field(init=False, compare=False)
    exposed: tuple[Exposure, Exposure] = field(init=False, compare=False)
    aged: tuple[Exposure, Exposure] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # Computed once, because every figure of a row needs them.
        at = self.cuts
        object.__setattr__(self, "before_data", self._is_before_data())
        object.__setattr__(self, "exposed", self._exposures(at.now, at.before))
        object.__setattr__(self, "aged", self._exposures(at.aged_now, at.aged_before))

    def _is_before_data(self) -> bool:
        if self.compared is None:
            return True
        if self.data_since is None:
            return False
        compared = _days_until(self.compared, self.cuts.before)
        nothing_yet = self.data_since >= self.cuts.before
        return nothing_yet or self._days_before_data > compared * _MOST_MISSING

    def _exposures(self, now: datetime, before: datetime) -> tuple[Exposure, Exposure]:
        compared = _days_until(self.compared, before) if self.compared else 0.0
        recorded = max(0.0, compared - self._days_before_data)
        return Exposure.of(_days_until(self.period, now)), Exposure.of(recorded)

    @property
    def _days_before_data(self) -> int:
        """The first of the compared days that ended before the first lead came."""
        if self.compared is None or self.data_since is None:
            return 0
        return max(0, (business_day(self.data_since) - self.compared.first_day).days)

    @property
    def overlap(self) -> bool:
        """Whether the figures share leads; every test requires independent ones."""
        return self.compared is not None and self.compared.last_day >= self.period.first_day

    @property
    def days_at_hand(self) -> list[Period]:
        """Whole days by which to tell how figures spread, in order: runs that have one mean each.

        They are the last month's worth of each span, of leads that have reached the age; where
        these are few, or overlap, the four weeks before the period stand for the compared span.
        """
        at, period, compared = self.cuts, self.period, self.compared
        now = _whole_days(period, at.aged_now)
        before = _whole_days(compared, at.aged_before) if compared else None
        if sum(run.days for run in (now, before) if run) < _ENOUGH_DAYS or self.overlap:
            last = min(period.first_day, business_day(at.aged_now)) - _DAY
            before = Period(last - _DAY * (_ENOUGH_DAYS - 1), last)
        runs = [run.last(_MOST_DAYS) for run in (now, before) if run]
        return sorted(runs, key=lambda run: run.first_day)

    @property
    def to_come(self) -> int:
        """The days of the period that are not over, that of the moment included."""
        today = business_day(self.cuts.moment)
        return max(0, min(self.period.days, (self.period.last_day - today).days + 1))

    @property
    def to_the_same_moment(self) -> bool:
        """Whether the period is unfinished, so that a part of the other days is compared."""
        is_cut = self.compared is not None and self.cuts.before < self.compared.end
        return self.cuts.running and is_cut

    @property
    def too_young(self) -> bool:
        """Whether no lead has reached the age."""
        return not self.aged[0].days

    @property
    def some_too_young(self) -> bool:
        """Whether some leads have not reached the age."""
        return self.aged[0].days < self.exposed[0].days


def _whole_days(period: Period, cut: datetime) -> Period | None:
    """The days of a period that were over at a moment."""
    last = min(period.last_day, business_day(cut) - _DAY)
    return Period(period.first_day, last) if period.first_day <= last else None


def _days_until(period: Period, cut: datetime) -> float:
    """The days of a period before a moment, in local time."""
    local = timezone.localtime(cut, timezone.get_default_timezone()).replace(tzinfo=None)
    since = (local - datetime.combine(period.first_day, time.min)) / _DAY
    return min(float(period.days), max(0.0, since))

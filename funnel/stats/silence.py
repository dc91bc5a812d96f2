"""When a mark that comes at its own pace has fallen silent, and when it has slowed down.

Pure arithmetic: it knows no lead and no table. A mark is a series of counts by the hour. Its past
says how many to expect in each hour of a week, and how much whole days differ. Each day has a rate
of its own, gamma-distributed around what is expected (`funnel.stats.overdispersion`), so that a
weak day is no silence.

Hours are numbered from 1970-01-01 00:00 UTC. Weekdays and days are those of a time zone.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from math import exp, lgamma, log, log1p

from funnel.stats.overdispersion import spread_of

# The past that an expectation is made of, up to the last sighting.
PAST = timedelta(weeks=4)
# Nothing shorter is called silence, however busy the mark is.
_SHORTEST_SILENCE = timedelta(hours=3)
# Silence is looked for every hour, so a year has at most so many looks.
_LOOKS_A_YEAR = 24 * 365
_DAYS_A_YEAR = 365
# How many events the average weekday, the average hour and their product count for beside what a
# weekday, an hour and an hour of the week have themselves.
_WEEKDAY_PRIOR, _HOUR_PRIOR, _CELL_PRIOR = 6.0, 2.0, 8.0
# An estimated spread is doubted by half a standard error: a whole one tells a silence hours later
# and spares few false ones, as replays of a year show.
_MARGIN = 0.5
# How rarely all marks together may be called silent by mistake. What a past says of itself is
# itself uncertain, so the aim is higher than once a year.
_YEARS_BETWEEN_MISTAKES = 2
# A mark is slow if these days bring less than half of what is expected.
SLOW_OVER = timedelta(days=3)
_SLOW_SHARE = 0.5
_HOUR, _DAY_HOURS, _WEEK_HOURS = 3_600, 24, 168


def hour_of(moment: datetime) -> int:
    """The number of the hour that a moment is in."""
    return int(moment.timestamp() // _HOUR)


def moment_of(hour: int) -> datetime:
    """The moment in UTC at which an hour begins."""
    return datetime.fromtimestamp(hour * _HOUR, UTC)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What to expect of a mark: `rates` are the counts of the 168 hours of a week from Monday.

    `events` is the number of events that it is estimated from, and `spread` how much days differ.
    """

    rates: tuple[float, ...]
    events: int
    spread: float
    zone: tzinfo

    @classmethod
    def of(cls, counts: Mapping[int, int], zone: tzinfo) -> "Expectation | None":
        """The expectation by counts of hours, from the first event to the last; None where there
        are fewer than two.

        The first event only begins the span, so it is not counted.
        """
        seen = [hour for hour, count in counts.items() if count]
        events = sum(counts.values()) - 1
        if events < 1:
            return None
        first, last = min(seen), max(seen)
        cells, exposure = [0] * _WEEK_HOURS, [0] * _WEEK_HOURS
        days: dict[date, int] = defaultdict(int)
        for hour in range(first, last + 1):
            local = datetime.fromtimestamp(hour * _HOUR, zone)
            count = counts.get(hour, 0) - (hour == first)
            cells[_cell(local)] += count
            exposure[_cell(local)] += 1
            days[local.date()] += count
        whole = sorted(days)[1:-1]
        by_weekday = [[days[day] for day in whole if day.weekday() == one] for one in range(7)]
        return cls(
            _rates(cells, exposure, events), events, spread_of(by_weekday, margin=_MARGIN), zone
        )

    @property
    def a_day(self) -> float:
        """The expected number of events a day."""
        return sum(self.rates) / 7

    def by_day(self, since: datetime, until: datetime) -> list[float]:
        """What is expected in `[since, until)`, day by day."""
        days: dict[date, float] = defaultdict(float)
        start, end = since.timestamp() / _HOUR, until.timestamp() / _HOUR
        for hour in range(int(start), int(end) + 1):
            part = min(end, hour + 1) - max(start, hour)
            if part > 0:
                local = datetime.fromtimestamp(hour * _HOUR, self.zone)
                days[local.date()] += part * self.rates[_cell(local)]
        return list(days.values())

    def log_chance_of_gap(self, since: datetime, until: datetime) -> float:
        """The logarithm of the probability that nothing follows an event at `since` before `until`.

        The event makes a weak day less likely for its own day: its rate is gamma-distributed with
        a shape greater by one. The rate itself is known from `events` events only, which shortens
        what is expected as a gamma-distributed rate of that shape would.
        """
        days = self.by_day(since, until)
        total, spread = sum(days), self.spread
        if not total:
            return 0.0
        known = self.events * log1p(total / self.events) / total
        own, *others = [log1p(spread * known * expected) for expected in days]
        return -own * (1 + 1 / spread) - sum(others) / spread

    def chance_of_at_most(self, count: int, since: datetime, until: datetime) -> float:
        """The probability of so few in `[since, until)`: negative binomial with the variance of
        independent days."""
        days = self.by_day(since, until)
        total = sum(days)
        if not total:
            return 1.0
        variance_of_rates = self.spread * sum(day * day for day in days) / total**2
        size = 1 / (variance_of_rates + 1 / self.events)
        return _negative_binomial(count, total, size)


def is_silent(
    expectation: Expectation, last_seen: datetime, now: datetime, *, watched: int
) -> bool:
    """Whether the gap since `last_seen` is one that `watched` marks with pasts like this one bring
    less than once in two years, all of them together, and is at least three hours long.

    A year has as many gaps as events, and silence is looked for every hour.
    """
    if now - last_seen < _SHORTEST_SILENCE:
        return False
    gaps = min(expectation.a_day * _DAYS_A_YEAR, _LOOKS_A_YEAR)
    chance = expectation.log_chance_of_gap(last_seen, now)
    return log(gaps * watched * _YEARS_BETWEEN_MISTAKES) + chance < 0


def is_slow(expectation: Expectation, count: int, now: datetime, *, watched: int) -> bool:
    """Whether `count` events in the last three days are less than half of what is expected, and so
    few that `watched` marks bring it less than once in two years.

    `expectation` is of the days before them.
    """
    since = now - SLOW_OVER
    if count >= _SLOW_SHARE * sum(expectation.by_day(since, now)):
        return False
    chance = expectation.chance_of_at_most(count, since, now)
    return chance * _DAYS_A_YEAR * watched * _YEARS_BETWEEN_MISTAKES < 1


def _cell(local: datetime) -> int:
    return local.weekday() * _DAY_HOURS + local.hour


def _rates(cells: Sequence[int], exposure: Sequence[int], events: int) -> tuple[float, ...]:
    """The expected counts of the hours of a week.

    An hour of the week is expected to be the product of its weekday and its hour of the day. The
    more events it has itself, the less that product counts, and the same holds for a weekday
    and an hour against their average.
    """
    rate = events / sum(exposure)

    def factor(places: range, prior: float) -> float:
        usual = rate * sum(exposure[place] for place in places)
        return (sum(cells[place] for place in places) + prior) / (usual + prior)

    weekdays = [
        factor(range(day * _DAY_HOURS, (day + 1) * _DAY_HOURS), _WEEKDAY_PRIOR) for day in range(7)
    ]
    hours = [factor(range(hour, _WEEK_HOURS, _DAY_HOURS), _HOUR_PRIOR) for hour in range(24)]
    usual = [rate * weekday * hour for weekday in weekdays for hour in hours]
    return tuple(
        (own + _CELL_PRIOR) / (times + _CELL_PRIOR / expected)
        for own, times, expected in zip(cells, exposure, usual, strict=True)
    )


def _negative_binomial(count: int, mean: float, size: float) -> float:
    """The probability of at most `count`, of this mean and the variance mean + mean² / size."""
    share = log(mean) - log(mean + size)
    start = -size * log1p(mean / size)
    return min(
        1.0,
        sum(
            exp(start + lgamma(size + n) - lgamma(size) - lgamma(n + 1) + n * share)
            for n in range(count + 1)
        ),
    )

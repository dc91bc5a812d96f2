"""A year of ordinary weeks is no silence, and a mark that stops is told in time.

Each mark has its own pace by weekday and hour. Its days have rates of their own, gamma-distributed
with a coefficient of variation of 0.3, and 0.2 where the moment of an alarm is measured.
"""

import random
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import exp, sqrt
from zoneinfo import ZoneInfo

import pytest

from funnel.stats.silence import PAST, Expectation, hour_of, is_silent, is_slow

ALMATY = ZoneInfo("Asia/Almaty")
BEGIN = datetime(2025, 12, 1, tzinfo=ALMATY)
HOUR = timedelta(hours=1)
# Shares of a day by the hour, and of a usual day by the weekday.
ONLINE = (3, 2, 1, 0.5, 0.5, 1, 3, 6, 10, 13, 15, 15, 14, 13, 13, 14, 14, 15, 16, 17, 18, 17, 12, 7)
OFFICE = (0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 10, 12, 10, 6, 10, 12, 12, 11, 9, 5, 2, 1, 0, 0)
ALL_WEEK = (1.1, 1.05, 1, 1, 0.95, 0.9, 1)
WORKDAYS = (1.4, 1.4, 1.4, 1.3, 1.3, 0.2, 0)
# How many a day, and when: from leads in all and big sources to sign-ins and rare clicks.
MARKS = (
    *((120, ONLINE, ALL_WEEK), (60, ONLINE, ALL_WEEK), (25, ONLINE, ALL_WEEK)),
    *((20, ONLINE, ALL_WEEK), (20, OFFICE, WORKDAYS), (10, ONLINE, ALL_WEEK)),
    *((7, ONLINE, ALL_WEEK), (3, ONLINE, ALL_WEEK), (3, OFFICE, WORKDAYS), (0.3, ONLINE, ALL_WEEK)),
)


def drawn(
    dice: random.Random,
    a_day: float,
    hours: tuple[float, ...] = ONLINE,
    week: tuple[float, ...] = ALL_WEEK,
    *,
    days: int,
    variation: float,
) -> list[datetime]:
    """The moments of a mark over so many days, in order."""
    shape, total, moments = 1 / variation**2, sum(hours), []
    for number in range(days):
        day = BEGIN + timedelta(days=number)
        rate = a_day * week[day.weekday()] * dice.gammavariate(shape, 1 / shape)
        for hour, share in enumerate(hours):
            count = _poisson(dice, rate * share / total)
            moments += [day + (hour + dice.random()) * HOUR for _ in range(count)]
    return sorted(moments)


def _poisson(dice: random.Random, mean: float) -> int:
    if mean > 60:
        return max(0, round(dice.gauss(mean, sqrt(mean))))
    limit, product, count = exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count


def expected(moments: list[datetime], until: datetime) -> Expectation:
    """What the four weeks up to a moment let expect."""
    first, last = bisect_left(moments, until - PAST), bisect_left(moments, until)
    found = Expectation.of(Counter(map(hour_of, moments[first:last])), ALMATY)
    assert found is not None
    return found


def false_alarms(moments: list[datetime]) -> int:
    """How often a look on the hour finds the mark silent. The last look before it comes again sees
    the longest gap, so an earlier one cannot find what that one does not."""
    alarms = 0
    for last, following in pairwise(moments):
        look = following.replace(minute=0, second=0, microsecond=0)
        if last < BEGIN + PAST or look - last < 3 * HOUR:
            continue
        own = expected(moments, last + timedelta(microseconds=1))
        alarms += is_silent(own, last, look, watched=len(MARKS))
    return alarms


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_year_of_ordinary_weeks_of_all_marks_brings_two_false_alarms_at_most(seed: int) -> None:
    dice = random.Random(seed)

    alarms = [false_alarms(drawn(dice, *mark, days=28 + 365, variation=0.3)) for mark in MARKS]

    assert sum(alarms) <= 2, alarms


@pytest.mark.parametrize(("a_day", "hours"), [(20, 24), (3, 6 * 24)])
@pytest.mark.parametrize("seed", range(8))
def test_clicks_that_stop_in_the_evening_are_called_silent_in_time(
    a_day: int, hours: int, seed: int
) -> None:
    stop = BEGIN + timedelta(days=30 + seed % 7, hours=21, minutes=44)
    moments = drawn(random.Random(seed), a_day, days=60, variation=0.2)
    seen = [moment for moment in moments if moment < stop]
    own = expected(seen, stop)

    def silent_after(passed: int) -> bool:
        return is_silent(own, seen[-1], stop + passed * HOUR, watched=len(MARKS))

    assert silent_after(hours)
    assert not silent_after(6)


def test_an_office_is_not_silent_over_a_weekend() -> None:
    moments = drawn(random.Random(4), 20, OFFICE, WORKDAYS, days=60, variation=0.2)
    friday = BEGIN + timedelta(days=39, hours=20)
    assert friday.weekday() == 4
    last = [moment for moment in moments if moment < friday][-1]
    own = expected(moments, friday)

    assert not is_silent(own, last, friday + timedelta(hours=62), watched=10)  # Monday, 10:00
    assert is_silent(own, last, friday + timedelta(days=4), watched=10)


def test_the_more_days_differ_the_longer_is_a_gap_that_is_called_silence() -> None:
    def hours_until_told(variation: float) -> int:
        moments = drawn(random.Random(5), 20, days=40, variation=variation)
        last, own = moments[-1], expected(moments, moments[-1])
        return next(
            hours
            for hours in range(3, 500)
            if is_silent(own, last, last + hours * HOUR, watched=10)
        )

    assert hours_until_told(0.7) > 1.5 * hours_until_told(0.1)


def test_days_at_a_quarter_of_the_pace_are_slow_and_ordinary_ones_are_not() -> None:
    moments = drawn(random.Random(6), 20, days=60, variation=0.2)
    now = BEGIN + timedelta(days=40)
    own = expected(moments, now - timedelta(days=3))
    usual = sum(now - timedelta(days=3) <= moment < now for moment in moments)

    assert is_slow(own, usual // 4, now, watched=10)
    assert not is_slow(own, usual, now, watched=10)


def test_a_single_event_gives_no_expectation() -> None:
    assert Expectation.of({1: 1}, ALMATY) is None
    assert Expectation.of({}, UTC) is None

"""What a period is compared with, and what may be said of the difference."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from funnel.stats.comparison import (
    SHARES,
    Counted,
    Pair,
    Rate,
    Section,
    Shares,
    Verdict,
    against_others,
    counted,
    level_of,
    rate,
)
from funnel.stats.spans import Compare, Spans, compared_with, cuts, same_moment
from onai.periods import Period
from tests.support.funnel_requests import ALMATY

NOON = datetime(2026, 11, 22, 12, tzinfo=ALMATY)
OCTOBER = Period(date(2026, 10, 1), date(2026, 10, 31))


def _spans(period: Period, compare: Compare = Compare.PREVIOUS, *, at: datetime = NOON) -> Spans:
    compared = compared_with(period, compare)
    return Spans(period, compared, cuts(period, compared, compare, at))


SPANS = _spans(OCTOBER)


def _counted(
    spans: Spans, now: int, before: int, *, noise: float = 0, aged: bool = False
) -> Counted:
    both = Pair(now, before)
    return counted(spans, both, both, noise=noise, aged=aged)


def _rate(
    spans: Spans,
    now: tuple[int, int],
    before: tuple[int, int],
    *,
    is_proportion: bool = True,
    decimals: int = 2,
    noise: float = 1,
) -> Rate:
    shares = Shares(Pair(now[0], before[0]), Pair(now[1], before[1]))
    return rate(spans, shares, shares, is_proportion=is_proportion, decimals=decimals, noise=noise)


@pytest.mark.parametrize(
    ("first", "last", "compare", "with_first", "with_last"),
    [
        ("2026-10-01", "2026-10-31", "previous", "2026-08-31", "2026-09-30"),
        ("2026-11-22", "2026-11-22", "previous", "2026-11-21", "2026-11-21"),
        ("2026-11-01", "2026-11-22", "last-month", "2026-10-01", "2026-10-22"),
        ("2026-01-10", "2026-02-09", "last-month", "2025-12-10", "2026-01-09"),
        # A day that the other month does not have is its last one.
        ("2026-03-31", "2026-03-31", "last-month", "2026-02-28", "2026-02-28"),
        ("2024-03-30", "2024-03-31", "last-month", "2024-02-29", "2024-02-29"),
        ("2026-11-01", "2026-11-22", "last-year", "2025-11-01", "2025-11-22"),
        ("2024-02-29", "2024-02-29", "last-year", "2023-02-28", "2023-02-28"),
        ("2025-02-01", "2025-02-28", "last-year", "2024-02-01", "2024-02-28"),
    ],
)
def test_each_comparison_has_the_expected_days(
    first: str, last: str, compare: str, with_first: str, with_last: str
) -> None:
    period = Period(date.fromisoformat(first), date.fromisoformat(last))

    compared = compared_with(period, Compare(compare))

    assert (compared.first_day.isoformat(), compared.last_day.isoformat()) == (
        with_first,
        with_last,
    )


@pytest.mark.parametrize(
    ("at", "compare", "same"),
    [
        ("2026-11-22 09:30", "last-month", "2026-10-22 09:30"),
        ("2026-11-22 09:30", "last-year", "2025-11-22 09:30"),
        ("2026-11-22 09:30", "previous", "2026-10-31 09:30"),
        # Of February's last day all has been held against 28 March.
        ("2026-03-28 09:30", "last-month", "2026-02-28 09:30"),
        ("2026-03-30 09:30", "last-month", "2026-03-01 00:00"),
    ],
)
def test_the_compared_moment_is_in_local_time(at: str, compare: str, same: str) -> None:
    moment, expected = (datetime.fromisoformat(one).replace(tzinfo=ALMATY) for one in (at, same))
    period = Period(moment.date().replace(day=1), moment.date())

    assert same_moment(moment, period, Compare(compare)) == expected


def test_an_unfinished_period_is_cut_at_the_same_moment() -> None:
    period = Period(date(2026, 11, 16), date(2026, 11, 22))
    at = _spans(period).cuts

    assert at.running
    assert (at.now, at.before) == (NOON, NOON - timedelta(days=7))
    assert (at.aged_now, at.age) == (NOON - timedelta(hours=72), timedelta(hours=72))
    assert at.aged_before == at.aged_now - timedelta(days=7)


def test_a_past_period_is_compared_at_the_age_of_its_youngest_lead() -> None:
    at = SPANS.cuts

    assert not at.running
    assert (at.now, at.before) == (OCTOBER.end, OCTOBER.start)
    assert (at.aged_now, at.aged_before) == (at.now, at.before)
    # The whole days since it ended, so that the statement is the same all day.
    assert at.age == timedelta(days=21)


def test_a_period_just_ended_leaves_out_young_leads() -> None:
    at = _spans(Period(date(2026, 11, 15), date(2026, 11, 21))).cuts

    assert not at.running
    assert at.now > at.aged_now == NOON - timedelta(hours=72)


def test_a_difference_within_chance_is_not_marked() -> None:
    count = _counted(SPANS, 30, 26)

    assert count.verdict is Verdict.WITHIN_CHANCE
    assert (count.difference, count.percent, count.sign) == (4, Decimal(15), 1)


def test_many_figures_raise_the_threshold_of_a_mark() -> None:
    alone = replace(SPANS, level=level_of(Section.HEADLINE, 1))
    among_thirty = replace(SPANS, level=level_of(Section.HEADLINE, 30))

    assert _counted(alone, 30, 12).p_value == _counted(among_thirty, 30, 12).p_value
    assert _counted(alone, 30, 12).verdict is Verdict.BEYOND_CHANCE
    assert _counted(among_thirty, 30, 12).verdict is Verdict.WITHIN_CHANCE
    assert _counted(among_thirty, 60, 3).verdict is Verdict.BEYOND_CHANCE


def test_the_shares_of_false_marks_add_up_to_one() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)
    assert set(SHARES) == set(Section)


def test_days_missing_in_the_calendar_are_not_compared() -> None:
    spans = replace(SPANS, compared=None)

    share = _rate(spans, (10, 100), (0, 0))

    assert _counted(spans, 30, 0).verdict is Verdict.NO_DATA
    assert (share.verdict, share.p_value) == (Verdict.NO_DATA, None)


def test_a_difference_beyond_chance_is_marked() -> None:
    assert _counted(SPANS, 30, 6).verdict is Verdict.BEYOND_CHANCE


def test_overdispersed_counts_raise_the_threshold_of_a_mark() -> None:
    assert _counted(SPANS, 300, 200).verdict is Verdict.BEYOND_CHANCE
    assert _counted(SPANS, 300, 200, noise=1.0).verdict is Verdict.WITHIN_CHANCE


@pytest.mark.parametrize(
    ("now", "before", "percent", "sign"),
    [
        (2_800, 2_700, "-6.3", -1),
        (2_700, 2_800, "-12.9", -1),
        (310, 280, "0.0", 0),
        (62, 28, "100", 1),
    ],
)
def test_months_of_unequal_length_are_compared_by_their_rate_a_day(
    now: int, before: int, percent: str, sign: int
) -> None:
    march = Period(date(2026, 3, 1), date(2026, 3, 31))
    count = _counted(_spans(march, Compare.LAST_MONTH), now, before)

    assert count.by_rate
    assert (count.percent, count.sign) == (
        Decimal(percent) if abs(Decimal(percent)) < 10 else round(Decimal(percent)),
        sign,
    )
    assert (count.difference or 0) * sign >= 0


def test_a_day_just_begun_is_compared_with_the_same_hours() -> None:
    today = Period.day(NOON.date())
    begun = _spans(today, at=NOON.replace(hour=0, minute=5))

    assert _counted(begun, 2, 1).verdict is Verdict.WITHIN_CHANCE
    assert _counted(_spans(today), 20, 90).verdict is Verdict.BEYOND_CHANCE
    # But not the share that bought: who came today may still buy.
    share = _rate(begun, (1, 2), (9, 90))
    assert (share.verdict, share.difference) == (Verdict.TOO_YOUNG, None)
    bought = _counted(begun, 1, 9, aged=True)
    assert (bought.verdict, bought.before, bought.difference, bought.percent) == (
        Verdict.TOO_YOUNG,
        9,
        None,
        None,
    )


def test_a_future_day_has_no_verdict() -> None:
    tomorrow = Period.day(NOON.date() + timedelta(days=1))

    assert _counted(_spans(tomorrow), 0, 0).verdict is Verdict.PERIOD_UNFINISHED


@pytest.mark.parametrize(
    ("since", "verdict"),
    [
        (date(2026, 10, 1), Verdict.BEYOND_CHANCE),
        (date(2026, 10, 4), Verdict.BEYOND_CHANCE),
        (date(2026, 10, 5), Verdict.NO_DATA),
        (date(2026, 11, 3), Verdict.NO_DATA),
    ],
)
def test_days_before_the_first_lead_are_not_compared(since: date, verdict: Verdict) -> None:
    november = Period(date(2026, 11, 1), date(2026, 11, 30))
    later = datetime(2026, 12, 24, tzinfo=ALMATY)
    spans = _spans(november, Compare.LAST_MONTH, at=later)
    spans = replace(spans, compared=OCTOBER, data_since=Period.day(since).start)
    assert _counted(spans, 300, 30).verdict is verdict
    assert _rate(spans, (90, 300), (1, 30)).verdict is verdict


def test_overlapping_periods_are_not_tested() -> None:
    quarter = Period(date(2026, 8, 1), date(2026, 10, 31))
    spans = _spans(quarter, Compare.LAST_MONTH)

    share = _rate(spans, (10, 100), (50, 100))

    assert _counted(spans, 900, 9).verdict is Verdict.PERIODS_OVERLAP
    assert (share.verdict, share.p_value) == (Verdict.PERIODS_OVERLAP, None)


def test_a_ratio_above_100_percent_is_not_tested_as_a_proportion() -> None:
    ratio = _rate(SPANS, (380, 350), (150, 128), is_proportion=False, decimals=0)

    assert [ratio.percent, ratio.before, ratio.difference] == [
        Decimal(109),
        Decimal(117),
        Decimal(-8),
    ]
    assert ratio.verdict is Verdict.NOT_A_PROPORTION
    assert (ratio.interval, ratio.low, ratio.high, ratio.p_value) == (None, None, None, None)


def test_a_proportion_comes_with_its_interval() -> None:
    share = _rate(SPANS, (81, 263), (15, 148))

    assert (share.low, share.high) == (Decimal("25.5"), Decimal("36.6"))
    assert share.difference == Decimal("20.66")
    assert share.verdict is Verdict.BEYOND_CHANCE


def test_a_conversion_shows_all_leads_and_compares_at_equal_age() -> None:
    shown = Shares(Pair(30, 90), Pair(1_000, 1_000))
    tested = Shares(Pair(28, 30), Pair(400, 400))

    share = rate(SPANS, shown, tested, is_proportion=True, decimals=2, noise=1)

    assert (share.percent, share.before) == (Decimal("3.00"), Decimal("9.00"))
    assert (share.difference, share.verdict) == (Decimal("-0.50"), Verdict.WITHIN_CHANCE)


def test_no_data_has_no_verdict() -> None:
    share = _rate(SPANS, (0, 0), (3, 10))

    assert _counted(SPANS, 5, 0).percent is None
    assert (share.percent, share.before, share.difference) == (None, Decimal("30.00"), None)
    assert (share.verdict, share.interval) == (Verdict.NO_DATA, None)


def test_zero_and_zero_is_no_change() -> None:
    nobody = _counted(SPANS, 0, 0)

    assert (nobody.before, nobody.difference, nobody.verdict) == (0, 0, Verdict.WITHIN_CHANCE)


def test_without_compared_figures_no_zero_is_shown() -> None:
    spans = replace(SPANS, data_since=datetime(2026, 9, 20, tzinfo=ALMATY))

    count = _counted(spans, 30, 4)
    ratio = _rate(spans, (38, 35), (4, 2), is_proportion=False, decimals=0)

    assert (count.before, count.difference, count.percent) == (None, None, None)
    assert (ratio.percent, ratio.before, ratio.verdict) == (Decimal(109), None, Verdict.NO_DATA)
    # Nor is it said of one figure that the periods overlap, and of another that nothing was.
    overlapping = replace(spans, compared=Period(date(2026, 9, 1), date(2026, 10, 5)))
    share = _rate(overlapping, (3, 30), (1, 4))
    assert (share.before, share.verdict) == (None, _counted(overlapping, 30, 4).verdict)


def test_a_row_is_tested_against_all_others_as_one_of_many() -> None:
    # 19 of 141 against 11 of 250: p = 0.0015.
    everybody = (30, 391)
    few = replace(SPANS, level=level_of(Section.SOURCE_AGAINST_OTHERS, 2))
    many = replace(SPANS, level=level_of(Section.SOURCE_AGAINST_OTHERS, 200))

    alone = against_others(few, (19, 141), everybody, noise=1)
    among_many = against_others(many, (19, 141), everybody, noise=1)

    assert alone
    assert (alone.others, alone.is_higher, alone.verdict) == (
        Decimal("4.40"),
        True,
        Verdict.BEYOND_CHANCE,
    )
    assert among_many
    assert (among_many.verdict, among_many.p_value) == (Verdict.WITHIN_CHANCE, alone.p_value)
    others = against_others(few, (11, 250), everybody, noise=1)
    assert others
    assert not others.is_higher


@pytest.mark.parametrize(
    ("part", "whole", "verdict"),
    [
        # None of 40: p = 0.10, and nobody can buy less. None of 90: p = 0.004.
        (0, 40, Verdict.TOO_FEW),
        (0, 90, Verdict.BEYOND_CHANCE),
        # One of one: p = 0.07, and one cannot buy more. One of five could.
        (1, 1, Verdict.TOO_FEW),
        (1, 5, Verdict.WITHIN_CHANCE),
    ],
)
def test_too_few_leads_have_no_verdict(part: int, whole: int, verdict: Verdict) -> None:
    spans = replace(SPANS, level=0.01)

    found = against_others(spans, (part, whole), (30 + part, 411 + whole), noise=1)

    assert found
    assert found.verdict is verdict


def test_a_single_row_is_not_compared_with_others() -> None:
    assert against_others(SPANS, (19, 141), (19, 141), noise=1) is None
    assert against_others(SPANS, (0, 0), (19, 141), noise=1) is None


def test_revenue_has_the_verdict_of_purchases() -> None:
    revenue = counted(SPANS, Pair(150_000, 130_000), Pair(150_000, 130_000), noise=0, worth=5_000)

    assert (revenue.now, revenue.before, revenue.difference) == (150_000, 130_000, 20_000)
    purchases = _counted(SPANS, 30, 26)
    assert (revenue.verdict, revenue.p_value) == (purchases.verdict, purchases.p_value)

"""What a period is compared with, and what may be said of the difference."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from funnel.comparison import Compare, Spans, Verdict, against_others, compared_with, counted, rate
from onai.periods import Period

TODAY = date(2026, 11, 22)
OCTOBER = Period(date(2026, 10, 1), date(2026, 10, 31))
SPANS = Spans(OCTOBER, OCTOBER.before(), TODAY)


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
def test_a_period_is_compared_with_the_days_one_expects(
    first: str, last: str, compare: str, with_first: str, with_last: str
) -> None:
    period = Period(date.fromisoformat(first), date.fromisoformat(last))

    compared = compared_with(period, Compare(compare))

    assert (compared.first_day.isoformat(), compared.last_day.isoformat()) == (
        with_first,
        with_last,
    )


def test_a_difference_that_chance_explains_is_shown_as_such() -> None:
    count = counted(SPANS, 30, 26)

    assert count.verdict is Verdict.WITHIN_CHANCE
    assert (count.difference, count.percent) == (4, Decimal(15))


def test_one_of_many_rows_has_to_differ_more_to_be_called_changed() -> None:
    alone, among_thirty = counted(SPANS, 30, 13), counted(replace(SPANS, among=30), 30, 13)

    assert alone.p_value == among_thirty.p_value
    assert alone.verdict is Verdict.BEYOND_CHANCE
    assert among_thirty.verdict is Verdict.WITHIN_CHANCE
    assert counted(replace(SPANS, among=30), 60, 3).verdict is Verdict.BEYOND_CHANCE


def test_days_that_are_not_in_the_calendar_are_nothing_to_compare_with() -> None:
    spans = replace(SPANS, compared=None)

    share = rate(spans, (10, 100), (0, 0), is_proportion=True, decimals=2)

    assert counted(spans, 30, 0).verdict is Verdict.NO_DATA
    assert (share.verdict, share.p_value) == (Verdict.NO_DATA, None)


def test_a_difference_that_chance_does_not_explain_is_shown_as_such() -> None:
    assert counted(SPANS, 30, 6).verdict is Verdict.BEYOND_CHANCE


def test_unequal_days_are_taken_into_account() -> None:
    spans = Spans(OCTOBER, Period(date(2026, 9, 1), date(2026, 9, 7)), TODAY)

    assert counted(spans, 310, 70).verdict is Verdict.WITHIN_CHANCE
    assert counted(spans, 70, 70).verdict is Verdict.BEYOND_CHANCE


def test_a_day_that_has_just_begun_is_not_called_a_fall() -> None:
    today = Period.day(TODAY)
    spans = Spans(today, today.before(), TODAY)

    assert counted(spans, 2, 90).verdict is Verdict.PERIOD_UNFINISHED
    # Nor is the share that bought: who came today may still buy.
    share = rate(spans, (1, 2), (9, 90), is_proportion=True, decimals=2)
    assert share.verdict is Verdict.PERIOD_UNFINISHED


@pytest.mark.parametrize(
    ("since", "verdict"),
    [
        (date(2026, 10, 1), Verdict.BEYOND_CHANCE),
        (date(2026, 10, 4), Verdict.BEYOND_CHANCE),
        (date(2026, 10, 5), Verdict.NO_DATA),
        (date(2026, 11, 3), Verdict.NO_DATA),
    ],
)
def test_days_before_the_first_lead_are_nothing_to_compare_with(
    since: date, verdict: Verdict
) -> None:
    november = Period(date(2026, 11, 1), date(2026, 11, 30))
    october = Period(date(2026, 10, 1), date(2026, 10, 31))
    spans = Spans(november, october, date(2026, 12, 24), since)
    assert counted(spans, 300, 30).verdict is verdict
    share = rate(spans, (90, 300), (1, 30), is_proportion=True, decimals=2)
    assert share.verdict is verdict


@pytest.mark.parametrize(
    ("days", "is_unfinished"), [(1, True), (9, True), (10, False), (30, False)]
)
def test_a_last_day_counts_little_in_a_long_period(days: int, is_unfinished: bool) -> None:
    period = Period(date.fromordinal(TODAY.toordinal() - days + 1), TODAY)

    spans = Spans(period, period.before(), TODAY)

    assert spans.to_come == 1
    assert spans.is_unfinished is is_unfinished


def test_periods_that_share_leads_are_not_tested() -> None:
    quarter = Period(date(2026, 8, 1), date(2026, 10, 31))
    spans = Spans(quarter, compared_with(quarter, Compare.LAST_MONTH), TODAY)

    share = rate(spans, (10, 100), (50, 100), is_proportion=True, decimals=2)

    assert counted(spans, 900, 9).verdict is Verdict.PERIODS_OVERLAP
    assert (share.verdict, share.p_value) == (Verdict.PERIODS_OVERLAP, None)


def test_109_percent_is_no_proportion_and_is_not_treated_as_one() -> None:
    ratio = rate(SPANS, (380, 350), (150, 128), is_proportion=False, decimals=0)

    assert [ratio.percent, ratio.before, ratio.difference] == [
        Decimal(109),
        Decimal(117),
        Decimal(-8),
    ]
    assert ratio.verdict is Verdict.NOT_A_PROPORTION
    assert (ratio.interval, ratio.low, ratio.high, ratio.p_value) == (None, None, None, None)


def test_a_proportion_comes_with_its_interval() -> None:
    share = rate(SPANS, (81, 263), (15, 148), is_proportion=True, decimals=2)

    assert (share.low, share.high) == (Decimal("25.5"), Decimal("36.6"))
    assert share.difference == Decimal("20.66")
    assert share.verdict is Verdict.BEYOND_CHANCE


def test_of_nothing_nothing_is_said() -> None:
    share = rate(SPANS, (0, 0), (3, 10), is_proportion=True, decimals=2)

    assert counted(SPANS, 5, 0).percent is None
    assert (share.percent, share.before, share.difference) == (None, Decimal("30.00"), None)
    assert (share.verdict, share.interval) == (Verdict.NO_DATA, None)


def test_none_before_and_none_now_is_no_change() -> None:
    nobody = counted(SPANS, 0, 0)

    assert (nobody.before, nobody.difference, nobody.verdict) == (0, 0, Verdict.WITHIN_CHANCE)


def test_where_there_is_nothing_to_compare_with_no_zero_stands_for_it() -> None:
    spans = replace(SPANS, data_since=date(2026, 9, 20))

    count = counted(spans, 30, 4)
    ratio = rate(spans, (38, 35), (4, 2), is_proportion=False, decimals=0)

    assert (count.before, count.difference, count.percent) == (None, None, None)
    assert (count.times(5_000).now, count.times(5_000).before) == (150_000, None)
    assert (ratio.percent, ratio.before, ratio.verdict) == (Decimal(109), None, Verdict.NO_DATA)
    # Nor is it said of one figure that the periods overlap, and of another that nothing was.
    overlapping = replace(spans, compared=Period(date(2026, 9, 1), date(2026, 10, 5)))
    share = rate(overlapping, (3, 30), (1, 4), is_proportion=True, decimals=2)
    assert (share.before, share.verdict) == (None, counted(overlapping, 30, 4).verdict)


def test_a_row_is_held_against_all_others_as_one_of_many() -> None:
    # 19 of 141 against 11 of 250: p = 0.0015.
    ours = rate(SPANS, (19, 141), (0, 0), is_proportion=True, decimals=2)

    alone = against_others(ours, 30, 391, among=4)
    among_many = against_others(ours, 30, 391, among=200)

    assert alone
    assert (alone.others, alone.is_higher, alone.verdict) == (
        Decimal("4.40"),
        True,
        Verdict.BEYOND_CHANCE,
    )
    assert among_many
    assert (among_many.verdict, among_many.p_value) == (Verdict.WITHIN_CHANCE, alone.p_value)
    theirs = rate(SPANS, (11, 250), (0, 0), is_proportion=True, decimals=2)
    others = against_others(theirs, 30, 391, among=4)
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
def test_of_too_few_nothing_is_said(part: int, whole: int, verdict: Verdict) -> None:
    one = rate(SPANS, (part, whole), (0, 0), is_proportion=True, decimals=2)

    found = against_others(one, 30 + part, 411 + whole, among=5)

    assert found
    assert found.verdict is verdict


def test_who_is_alone_or_nobody_is_held_against_nobody() -> None:
    everybody = rate(SPANS, (19, 141), (0, 0), is_proportion=True, decimals=2)
    nobody = rate(SPANS, (0, 0), (0, 0), is_proportion=True, decimals=2)

    assert against_others(everybody, 19, 141, among=1) is None
    assert against_others(nobody, 19, 141, among=2) is None


def test_revenue_changes_for_the_reason_that_purchases_do() -> None:
    purchases = counted(SPANS, 30, 26)

    revenue = purchases.times(5_000)

    assert (revenue.now, revenue.before, revenue.difference) == (150_000, 130_000, 20_000)
    assert (revenue.verdict, revenue.p_value) == (purchases.verdict, purchases.p_value)

"""The rows over time, and the days each is held against."""

from datetime import date, timedelta

import pytest

from funnel.question import FunnelQuestion
from funnel.report.buckets import buckets
from funnel.stats.spans import Compare
from onai.periods import Period, Unit

MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))


def _days(period: Period | None) -> str | None:
    if period is None:
        return None
    return f"{period.first_day:%d.%m}–{period.last_day:%d.%m}"


def test_a_day_is_compared_with_the_day_as_far_back() -> None:
    rows = buckets(FunnelQuestion(MARCH))

    assert [_days(row.compared) for row in rows[:2]] == ["29.01–29.01", "30.01–30.01"]
    assert _days(rows[-1].compared) == "28.02–28.02"


def test_a_cut_week_is_compared_with_as_many_days() -> None:
    rows = buckets(FunnelQuestion(MARCH, unit=Unit.WEEK))

    assert [(_days(row.period), _days(row.compared)) for row in rows] == [
        ("01.03–01.03", "29.01–29.01"),
        ("02.03–08.03", "30.01–05.02"),
        ("09.03–15.03", "06.02–12.02"),
        ("16.03–22.03", "13.02–19.02"),
        ("23.03–29.03", "20.02–26.02"),
        ("30.03–31.03", "27.02–28.02"),
    ]


def test_days_that_february_lacks_are_compared_with_nothing() -> None:
    rows = buckets(FunnelQuestion(MARCH, compare=Compare.LAST_MONTH))

    assert [_days(row.compared) for row in rows[26:]] == [
        "27.02–27.02",
        "28.02–28.02",
        None,
        None,
        None,
    ]


def test_a_day_missing_in_this_month_joins_the_day_before() -> None:
    summer = Period(date(2026, 6, 1), date(2026, 7, 31))

    by_day = buckets(FunnelQuestion(summer, compare=Compare.LAST_MONTH))
    by_month = buckets(FunnelQuestion(summer, compare=Compare.LAST_MONTH, unit=Unit.MONTH))

    assert _days(by_day[29].compared) == "30.05–31.05"
    assert [_days(row.compared) for row in by_month] == ["01.05–31.05", "01.06–30.06"]


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("compare", list(Compare))
@pytest.mark.parametrize("days", [1, 28, 31, 366, 1096])
def test_the_compared_days_add_up_to_the_compared_period(
    unit: Unit, compare: Compare, days: int
) -> None:
    first = date(2024, 1, 29)
    question = FunnelQuestion(
        Period(first, first + timedelta(days=days - 1)), compare=compare, unit=unit
    )

    compared = [row.compared for row in buckets(question) if row.compared]

    next_day = question.compared.first_day
    for one in compared:
        assert one.first_day == next_day
        next_day = one.last_day + timedelta(days=1)
    assert next_day == question.compared.last_day + timedelta(days=1)

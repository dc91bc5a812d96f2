"""Every answer of the funnel, against a plain count of the same rows, however odd they are."""

import pickle
from bisect import bisect_right
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from django.core.cache import cache
from django.db import connections
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from funnel.question import FunnelQuestion
from funnel.report.answers import FunnelAnswers, Topic, answers
from funnel.report.buckets import spans
from funnel.report.counts.counting import Tally
from funnel.report.steps import Funnel
from funnel.report.time_to_buy import CLASSES, Quartiles, Times
from funnel.report.utm import MOST_VALUES
from funnel.stages import Counting
from funnel.stats import chance
from funnel.stats.comparison import Verdict, no_verdict_reason, share
from funnel.stats.spans import AGE, Compare, Spans
from onai.periods import Period, Unit, business_day
from tests.conftest import LandingPages
from tests.support import generated_leads as plain
from tests.support.generated_leads import PERIODS, Row, fill

NOVEMBER = Period(date(2025, 11, 23), date(2025, 12, 22))
# The same rows each time: what breaks, breaks for everybody.
PATIENT = settings(
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)


def _now(funnel: Funnel) -> Tally:
    reached = tuple(step.reached.now for step in funnel.steps)
    return Tally(funnel.leads.now, reached, funnel.purchases.now)


def _before(funnel: Funnel) -> Tally | None:
    counts = (funnel.leads, *(step.reached for step in funnel.steps), funnel.purchases)
    if any(count.before is None for count in counts):
        (unsaid,) = {(count.before, count.verdict) for count in counts}
        assert unsaid in ((None, Verdict.NO_DATA), (None, Verdict.PERIOD_UNFINISHED))
        return None
    leads, *reached, purchases = (count.before or 0 for count in counts)
    return Tally(leads, tuple(reached), purchases)


def _agree(found: FunnelAnswers, all_rows: list[Row]) -> None:
    question = found.question
    rows = plain.of_sources(all_rows, question.sources)
    now = plain.within(rows, question.period)
    # Of the compared days, what was there by the same moment.
    before = plain.came_before(plain.within(rows, question.compared), question.cuts().before)
    assert _now(found.funnel) == plain.counted(now, question)
    assert _before(found.funnel) == _held(question.spans, plain.counted(before, question))
    _compared_agree(found.funnel, question, now, before)
    assert found.funnel.revenue.now == found.funnel.purchases.now * 5_000
    _sources_agree(found, now, before)
    _marks_agree(found, now, before)
    _buckets_agree(found, now, before)
    _times_agree(found, now, before)


def _compared_agree(
    funnel: Funnel, question: FunnelQuestion, now: list[Row], before: list[Row]
) -> None:
    """What is compared: leads of equal exposure, and what had become of them at equal age."""
    at = question.cuts()
    exposed = plain.counted(plain.came_before(now, at.now), question)
    exposed_before = plain.counted(before, question)
    aged = plain.counted(plain.came_before(now, at.aged_now), question, at.age)
    aged_before = plain.counted(plain.came_before(before, at.aged_before), question, at.age)
    if funnel.leads.tested:
        assert (funnel.leads.tested.now, funnel.leads.tested.before) == (
            exposed.leads,
            exposed_before.leads,
        )
    for number, step in enumerate(funnel.steps):
        sides = (aged, aged_before) if number else (exposed, exposed_before)
        if step.reached.tested:
            assert (step.reached.tested.now, step.reached.tested.before) == tuple(
                side.reached[number] for side in sides
            )
    if funnel.purchases.tested:
        assert (funnel.purchases.tested.now, funnel.purchases.tested.before) == (
            aged.purchases,
            aged_before.purchases,
        )
        if funnel.revenue.tested:
            assert funnel.revenue.tested.now == aged.purchases * 5_000
        if aged.leads:
            assert funnel.conversion.tested == share(aged.purchases, aged.leads, decimals=2)


def _sources_agree(found: FunnelAnswers, now: list[Row], before: list[Row]) -> None:
    question = found.question
    either = [
        row
        for row in [*now, *before]
        if question.counting is Counting.REPORTED or plain.tested(row)
    ]
    for row in found.sources.rows:
        ours = [one for one in now if plain.source_of(one) == row.source]
        theirs = [one for one in before if plain.source_of(one) == row.source]
        assert _now(row.funnel) == plain.counted(ours, question)
        assert _before(row.funnel) == _held(question.spans, plain.counted(theirs, question))
        _compared_agree(row.funnel, question, ours, theirs)
    names = [row.source for row in found.sources.rows]
    assert len(names) == len(set(names))
    assert set(names) == {plain.source_of(row) for row in either}


def _marks_agree(found: FunnelAnswers, now: list[Row], before: list[Row]) -> None:
    question = found.question
    for table in found.utm:
        mark = table.mark.value
        values = [row.value for row in table.rows]
        assert len(values) == len(set(values))
        either = [
            row
            for row in [*now, *before]
            if question.counting is Counting.REPORTED or plain.tested(row)
        ]
        assert set(values) == {plain.mark_of(row, mark) for row in either}
        for row in table.rows:
            ours = [one for one in now if plain.mark_of(one, mark) == row.value]
            theirs = [one for one in before if plain.mark_of(one, mark) == row.value]
            assert _now(row.funnel) == plain.counted(ours, question)
            assert _before(row.funnel) == _held(question.spans, plain.counted(theirs, question))
            _compared_agree(row.funnel, question, ours, theirs)


def _buckets_agree(found: FunnelAnswers, now: list[Row], before: list[Row]) -> None:
    question, next_day = found.question, found.question.period.first_day
    held_against = plain.held_against(
        question, [point.bucket.first_day for point in found.over_time.points]
    )
    for point, times in zip(found.over_time.points, found.time_to_buy.over_time, strict=True):
        bucket = point.bucket
        # No day is left out, and none is there twice.
        assert bucket.first_day == next_day
        next_day = bucket.last_day + timedelta(days=1)
        inside = plain.within(now, Period(bucket.first_day, bucket.last_day))
        days_before = held_against[bucket.first_day]
        inside_before = [row for row in before if plain.day_of(row) in days_before]
        assert _now(point.funnel) == plain.counted(inside, question)
        days = spans(question, bucket, level=1)
        assert _before(point.funnel) == _held(days, plain.counted(inside_before, question))
        _compared_agree(point.funnel, question, inside, inside_before)
        assert times.bucket == bucket
        _quartiles_agree(times.times.now, question, inside)
        _before_agrees(times.times, days, question, inside_before)
    assert next_day == question.period.last_day + timedelta(days=1)


def _times_agree(found: FunnelAnswers, now: list[Row], before: list[Row]) -> None:
    times, question = found.time_to_buy, found.question
    _quartiles_agree(times.all.now, question, now)
    _before_agrees(times.all, question.spans, question, before)
    for one in times.by_source:
        ours = [row for row in now if plain.source_of(row) == one.source]
        theirs = [row for row in before if plain.source_of(row) == one.source]
        _quartiles_agree(one.times.now, question, ours)
        _before_agrees(one.times, question.spans, question, theirs)
        _verdict_agrees(one.times, found, ours, theirs)
    _verdict_agrees(times.all, found, now, before)
    of_sources = [one.times for one in times.by_source]
    assert sum(one.now.purchases for one in of_sources) == times.all.now.purchases
    if times.all.before:
        bought = sum(one.before.purchases for one in of_sources if one.before)
        assert bought == times.all.before.purchases


def _held(days: Spans, counted: Tally) -> Tally | None:
    """What is shown of the days before: nothing where most of them were before the first lead, or
    where none of them has been up to the same moment."""
    return None if days.before_data or not days.exposed[1].days else counted


def _before_agrees(times: Times, days: Spans, question: FunnelQuestion, rows: list[Row]) -> None:
    assert (times.before is None) == days.before_data
    if times.before:
        _quartiles_agree(times.before, question, rows)


def _verdict_agrees(times: Times, found: FunnelAnswers, now: list[Row], before: list[Row]) -> None:
    question = found.question
    reported = question.counting is Counting.REPORTED
    # A longer period waits longer for those who take their time.
    at = question.cuts(max(AGE, timedelta(days=min(7, question.period.days // 4))))
    samples = []
    for rows, until in ((now, at.aged_now), (before, at.aged_before)):
        classes = [0] * (len(CLASSES) + 1)
        for row in plain.came_before(rows, until):
            if (reported or plain.tested(row)) and plain.bought(row, at.age):
                for seconds in plain.seconds_to_buy([row]):
                    classes[bisect_right(CLASSES, seconds)] += 1
        samples.append(tuple(classes))
    spans = replace(question.spans, cuts=at)
    if unsaid := no_verdict_reason(spans, aged=True):
        assert times.verdict is unsaid
    elif not times.before or not times.before.timed:
        assert times.verdict is Verdict.NO_DATA
    else:
        assert times.p_value == chance.rank_sum(*samples)
        above = chance.above(*samples)
        assert times.is_longer == (None if above in (None, 0.5) else above > 0.5)


def _quartiles_agree(found: Quartiles, question: FunnelQuestion, rows: list[Row]) -> None:
    among = [row for row in rows if question.counting is Counting.REPORTED or plain.tested(row)]
    counted = plain.times_to_buy(among)
    assert found.purchases == counted.purchases
    assert found.without_moment == counted.without_moment
    assert found.before_lead == counted.before_lead
    assert found.timed == found.purchases - found.without_moment - found.before_lead
    if counted.quartiles is None:
        assert (found.lower, found.median, found.upper) == (None, None, None)
        return
    for here, there in zip(
        (found.lower, found.median, found.upper), counted.quartiles, strict=True
    ):
        assert here is not None
        # Half a second may be rounded either way.
        assert abs(here.total_seconds() - there) <= 1


@settings(PATIENT, max_examples=30)
@given(data=st.data())
def test_few_odd_leads_agree_with_a_count_by_hand(
    landing: LandingPages, data: st.DataObject
) -> None:
    question = data.draw(plain.questions())
    rows = data.draw(st.lists(plain.leads(question), max_size=25))
    cache.clear()
    fill(landing, rows)

    _agree(answers(question), rows)


# Thousands of rows are not worth shrinking: the few above are.
@settings(PATIENT, max_examples=6, phases=[Phase.explicit, Phase.generate])
@given(question=plain.questions(), seed=st.integers(0, 2**32))
# Between these days are three that February has nothing to hold against.
@example(
    question=FunnelQuestion(
        Period(date(2025, 3, 20), date(2025, 4, 10)), compare=Compare.LAST_MONTH
    ),
    seed=7,
)
def test_thousands_of_odd_leads_agree_with_a_count_by_hand(
    landing: LandingPages, question: FunnelQuestion, seed: int
) -> None:
    rows = plain.many(question, 4_000, seed=seed)
    cache.clear()
    fill(landing, rows)

    _agree(answers(question), rows)


def test_a_topic_requested_alone_has_the_same_answer_as_among_all_topics(
    landing: LandingPages,
) -> None:
    question = FunnelQuestion(NOVEMBER, counting=Counting.COHORT, unit=Unit.WEEK)
    fill(landing, plain.many(question, 500, seed=3))

    found = answers(question)

    assert answers(question, [Topic.FUNNEL]).funnel == found.funnel
    assert answers(question, [Topic.SOURCES]).sources == found.sources
    assert answers(question, [Topic.OVER_TIME]).over_time == found.over_time
    assert answers(question, [Topic.TIME_TO_BUY]).time_to_buy == found.time_to_buy
    assert answers(question, [Topic.UTM]).utm == found.utm
    assert answers(question, []).report == replace(found.report, as_of=ANY)


@pytest.mark.parametrize("count", [0, 2_000])
@pytest.mark.parametrize("counting", list(Counting))
def test_all_answers_take_one_statement_for_any_number_of_rows(
    landing: LandingPages, count: int, counting: Counting
) -> None:
    question = FunnelQuestion(NOVEMBER, counting=counting, sources=("TF4", "proftest"))
    fill(landing, plain.many(question, count, seed=5))

    with CaptureQueriesContext(connections["landing"]) as statements:
        answers(question)

    assert len(statements) == 1


def test_answers_survive_serialisation(landing: LandingPages) -> None:
    question = FunnelQuestion(NOVEMBER)
    fill(landing, plain.many(question, 50, seed=1))
    found = answers(question)

    assert pickle.loads(pickle.dumps(found)) == found


def test_each_step_of_the_cohort_is_a_subset_of_the_one_before(landing: LandingPages) -> None:
    question = FunnelQuestion(NOVEMBER, counting=Counting.COHORT)
    fill(landing, plain.many(question, 3_000, seed=2))

    reached = [step.reached.now for step in answers(question).funnel.steps]

    assert reached == sorted(reached, reverse=True)
    assert 0 < reached[-1] < reached[0]


def _lead(**columns: Any) -> Row:
    return {
        "source": "proftest_muha",
        "created_at": NOVEMBER.start + timedelta(days=2),
        **columns,
    }


@pytest.mark.parametrize(
    ("columns", "reached"),
    [
        ({}, (1, 0, 0, 0)),
        ({"email_sent": True}, (1, 1, 0, 0)),
        ({"sms_sent": True}, (1, 1, 0, 0)),
        ({"email_sent": True, "email_clicked": True}, (1, 1, 1, 0)),
        ({"sms_sent": True, "sms_clicked": True}, (1, 1, 1, 1)),
        # No step is missing: a click without a message is beside the way.
        ({"email_clicked": True}, (1, 0, 0, 0)),
        # Opening an e-mail is no step, since nothing writes it.
        ({"email_opened_at": NOVEMBER.start}, (1, 0, 0, 0)),
    ],
)
def test_messages_and_clicks_count_by_e_mail_or_sms(
    landing: LandingPages, columns: Row, reached: tuple[int, ...]
) -> None:
    landing.write(_lead(**columns))

    funnel = answers(FunnelQuestion(NOVEMBER, counting=Counting.COHORT)).funnel

    assert tuple(step.reached.now for step in funnel.steps) == reached


def test_buyers_outside_the_cohorts_steps_are_reported(landing: LandingPages) -> None:
    landing.write(
        _lead(email_sent=True, email_clicked=True, sms_sent=True, sms_clicked=True),
        _lead(sms_clicked=True),
        _lead(email_clicked=True, sms_clicked=True),
        # No test, no cohort.
        _lead(source="TF4", sms_clicked=True),
    )

    funnel = answers(FunnelQuestion(NOVEMBER, counting=Counting.COHORT)).funnel

    assert funnel.steps[-1].reached.now == 1
    assert funnel.outside_steps == 2
    assert (funnel.purchases.now, funnel.revenue.now) == (3, 15_000)
    assert (funnel.overall.part, funnel.overall.whole) == (3, 3)


def test_the_cohort_ignores_the_order_of_moments(landing: LandingPages) -> None:
    later = NOVEMBER.end + timedelta(days=40)
    landing.write(
        _lead(email_sent=True, email_sent_at=later, email_opened_at=later, email_clicked_at=later)
    )

    funnel = answers(FunnelQuestion(NOVEMBER, counting=Counting.COHORT)).funnel

    assert [step.reached.now for step in funnel.steps] == [1, 1, 0, 0]


def test_a_source_without_new_leads_is_still_compared(landing: LandingPages) -> None:
    landing.write(
        _lead(created_at=NOVEMBER.start - timedelta(days=1), sms_clicked=True),
        # The days before are of a time that was recorded.
        _lead(created_at=NOVEMBER.start - timedelta(days=90)),
    )

    (row,) = answers(FunnelQuestion(NOVEMBER)).sources.rows

    assert (row.funnel.leads.now, row.funnel.leads.before) == (0, 1)
    assert row.funnel.conversion.interval is None


def test_weeks_begin_on_monday_and_the_cut_ones_are_marked(landing: LandingPages) -> None:
    # 23 November 2025 is a Sunday, 22 December a Monday.
    points = answers(FunnelQuestion(NOVEMBER, unit=Unit.WEEK)).over_time.points

    days = [(one.bucket.first_day.isoformat(), one.bucket.last_day.isoformat()) for one in points]
    assert days == [
        ("2025-11-23", "2025-11-23"),
        ("2025-11-24", "2025-11-30"),
        ("2025-12-01", "2025-12-07"),
        ("2025-12-08", "2025-12-14"),
        ("2025-12-15", "2025-12-21"),
        ("2025-12-22", "2025-12-22"),
    ]
    assert [point.bucket.is_cut for point in points] == [True, *[False] * 4, True]
    assert not any(point.bucket.is_running for point in points)


def test_months_are_whole_or_marked(landing: LandingPages) -> None:
    question = FunnelQuestion(Period(date(2024, 1, 31), date(2024, 3, 31)), unit=Unit.MONTH)

    points = answers(question).over_time.points

    days = [(one.bucket.first_day.day, one.bucket.last_day.day) for one in points]
    assert days == [(31, 31), (1, 29), (1, 31)]
    assert [point.bucket.is_cut for point in points] == [True, False, False]


def test_an_unfinished_day_is_marked(landing: LandingPages) -> None:
    points = answers(FunnelQuestion(Period.last_days(3))).over_time.points

    assert [point.bucket.is_running for point in points] == [False, False, True]
    assert points[-1].bucket.last_day == business_day()


def test_many_utm_values_are_cut_and_reported(landing: LandingPages) -> None:
    landing.write(
        *(_lead(metadata={"utm_content": f"{n:04d}"}) for n in range(MOST_VALUES + 5)),
        _lead(metadata={"utm_content": "9999"}, sms_clicked=True),
        _lead(metadata={}),
    )

    content = next(t for t in answers(FunnelQuestion(NOVEMBER)).utm if t.mark == "content")

    assert content.there_are_more
    assert content.without
    assert content.without.funnel.leads.now == 1
    assert content.marked[0].value == "9999"
    assert len(content.rows) == MOST_VALUES


def test_a_purchase_dated_before_its_lead_has_no_time_to_buy(landing: LandingPages) -> None:
    came = NOVEMBER.start + timedelta(days=1)
    for hours in (-1, 2, 4, 6):
        landing.write(
            _lead(created_at=came, sms_clicked=True, sms_clicked_at=came + timedelta(hours=hours))
        )
    landing.write(
        _lead(created_at=came, sms_clicked=True),
        # A moment without the purchase is none.
        _lead(created_at=came, sms_clicked=False, sms_clicked_at=came + timedelta(hours=99)),
    )

    times = answers(FunnelQuestion(NOVEMBER)).time_to_buy.all.now

    assert (times.purchases, times.timed, times.without_moment, times.before_lead) == (5, 3, 1, 1)
    assert (times.lower, times.median, times.upper) == tuple(
        timedelta(hours=hours) for hours in (3, 4, 5)
    )


@pytest.mark.parametrize("compare", list(Compare))
@pytest.mark.parametrize("period", PERIODS)
def test_without_leads_every_figure_is_zero(
    landing: LandingPages, compare: Compare, period: Period
) -> None:
    found = answers(FunnelQuestion(period, compare=compare))

    assert _now(found.funnel) == Tally(0, (0, 0, 0), 0)
    assert found.sources.rows == ()
    assert found.time_to_buy.all.now.median is None
    assert len(found.over_time.points) == period.days
    assert all(point.funnel.leads.now == 0 for point in found.over_time.points)

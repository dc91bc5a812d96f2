"""How long people wait for access after their purchase, those who still wait counted in."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onai.periods import Period
from sales.money.time_to_access import Split, time_to_access
from tests.conftest import LandingPages
from tests.support.buyers import Buyers, ago
from tests.support.desk import Desk
from tests.support.outages import tripwire_outage
from tests.support.student_rows import ALMATY, Sales, text_on

PAGE = "/funnel/money/times"
DAYS = Period.last_days(20)
# Hours since the purchase, and hours after it at which access was opened: never, or before it.
PERSON = st.tuples(st.integers(2, 300), st.one_of(st.none(), st.integers(-3, 280)), st.booleans())


@pytest.fixture
def world(landing: LandingPages, desk: Desk) -> Buyers:
    return Buyers(landing, desk)


def _write(desk: Desk, sales: Sales, people: list[Any]) -> None:
    desk.connection.execute("truncate sales_buyers, sales_student_leads, tripwire_users cascade")
    for bought, after, is_closed in people:
        buyer = desk.row(
            "insert into sales_buyers (id, name, phone, email, created_at, source, won_at,"
            " closed_at) values (gen_random_uuid(), '', '', '', now(), 'TF4', %s, %s) returning id",
            ago(hours=bought),
            ago(hours=1) if is_closed else None,
        )
        if after is not None and after < bought:
            student = sales.add(created_at=ago(hours=bought - after - 0.001))
            desk.connection.execute(
                "insert into sales_student_leads (student_id, buyer_id, phone, first_signal, how)"
                " values (%s, %s, '', '', 'id')",
                [student["id"], buyer["id"]],
            )


def _by_hand(people: list[Any]) -> tuple[Any, ...]:
    """Those with access, those who wait, and the two quantiles in hours, as Kaplan and Meier."""
    waits: list[tuple[int, bool]] = []
    for bought, after, is_closed in people:
        is_open = after is not None and after < bought
        if is_open and after >= 0:
            waits.append((after, True))
        elif not is_open and not is_closed:
            waits.append((bought, False))
    quantiles: list[int | None] = []
    for share in (0.5, 0.25):
        left, found = 1.0, None
        for time in sorted({time for time, is_open in waits if is_open}):
            opened = sum(1 for one, is_open in waits if is_open and one == time)
            left *= 1 - opened / sum(1 for one, _ in waits if one >= time)
            if left <= share + 1e-9:
                found = time
                break
        quantiles.append(found)
    opened = sum(1 for _, is_open in waits if is_open)
    return opened, len(waits) - opened, *quantiles, max((time for time, _ in waits), default=None)


def _hours(time: timedelta | None) -> int | None:
    return None if time is None else round(time / timedelta(hours=1))


@given(people=st.lists(PERSON, max_size=9))
@settings(
    max_examples=40,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_times_of_random_people_equal_those_by_hand(
    desk: Desk, sales: Sales, people: list[Any]
) -> None:
    _write(desk, sales, people)

    for split in Split:
        found = time_to_access(DAYS, (), split)
        waits = found.all
        told = (waits.opened, waits.waiting, *map(_hours, (waits.typical, waits.slow, waits.worst)))
        assert told == _by_hand(people)
        assert sum(one.waits.people for one in found.parts) == waits.people
    assert waits.before + waits.closed == len(people) - waits.people


def test_the_hour_and_the_weekday_are_of_the_purchase_in_almaty(desk: Desk, sales: Sales) -> None:
    moments = [ago(hours=hours) for hours in (3, 30, 200)]
    _write(desk, sales, [(hours, None, False) for hours in (3, 30, 200)])

    hours = [one.key for one in time_to_access(DAYS, (), Split.HOUR).parts]
    weekdays = [one.key for one in time_to_access(DAYS, (), Split.WEEKDAY).parts]

    local = [moment.astimezone(ALMATY) for moment in moments]
    assert hours == sorted({moment.hour for moment in local})
    assert weekdays == sorted({moment.isoweekday() for moment in local})


def test_the_page_says_the_typical_wait_and_who_waits_longest(
    admin: Client, world: Buyers, sales: Sales
) -> None:
    assert "За эти дни никто не ждал доступа." in text_on(admin.get(PAGE))
    _write(world.desk, sales, [(30, 5, False), (40, 7, False), (50, None, False)])

    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text_on(admin.get(f"{PAGE}?rows=source"))))

    assert "Обычно доступ открывают через 7 ч" in page
    assert "Человек: 3, из них ждут сейчас: 1." in page
    assert "Команда TF4 7 ч дольше 2 д 2 ч 2 д 2 ч, ещё ждёт 1 3" in page
    for rows in ("manager", "hour", "weekday"):
        assert admin.get(f"{PAGE}?rows={rows}").status_code == 200
    for other in ("/funnel/money", "/funnel/speed"):
        link = f'href="{PAGE}?period=7-days"'
        assert link in text_on(admin.get(f"{other}?period=7-days")), other


def test_where_most_wait_no_typical_time_is_made_up(
    admin: Client, world: Buyers, sales: Sales
) -> None:
    _write(world.desk, sales, [(30, 5, False), (40, None, False), (50, None, False)])

    assert "Большинство ещё ждёт доступа, дольше всех — 2 д 2 ч." in text_on(admin.get(PAGE))


def test_without_tripwire_the_times_say_so(
    admin: Client, world: Buyers, fresh_connection: None
) -> None:
    admin.get(PAGE)
    with tripwire_outage():
        text = text_on(admin.get(PAGE))

    assert "База студентов (Tripwire) не отвечает, поэтому времени до доступа" in text

"""The cabinet's figures, chart and leaderboard are what one counts by hand."""

import random
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from django.test import Client

from onai.identity.register import refresh as refresh_staff
from onai.periods import Period
from sales import chart, statistics
from tests.changing import (
    SignIn,
)
from tests.desk import Desk, Row
from tests.people import Accounts
from tests.processes import aside
from tests.sales import ALMATY, CABINET, Sales, names_on

NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))


# Two whole months, and days before and after them.
LONG = Period(date(2026, 9, 25), date(2026, 12, 5))


@pytest.fixture
def manager(as_person: SignIn) -> Client:
    return as_person("ayaulym@onai.test")


def _counted(rows: list[Row], period: Period, manager: UUID | None) -> statistics.Figures:
    """The figures counted in plain Python, row by row."""
    inside = [
        row
        for row in rows
        if period.start <= row["created_at"] < period.end
        and (manager is None or row["granted_by"] == manager)
    ]
    return statistics.Figures(
        sales=len(inside),
        revenue=sum(row["price"] or 0 for row in inside),
        active=sum(row["status"] == "active" for row in inside),
        finished=sum(row["status"] == "completed" for row in inside),
    )


def _random_students(sales: Sales, count: int, seed: int) -> list[Row]:
    dice = random.Random(seed)
    midnight = NOVEMBER.start
    return [
        sales.add(
            granted_by=dice.choice([*sales.ids.values(), None]),
            price=dice.choice([5000, 4500, 0, None, 7000]),
            status=dice.choice(["active", "inactive", "completed", "blocked", None]),
            # Many of them on the edge of a day.
            created_at=midnight
            + timedelta(days=dice.randint(-40, 40), seconds=dice.choice([-1, 0, 1, 43_000])),
        )
        for _ in range(count)
    ]


def test_every_figure_is_what_one_counts_by_hand(sales: Sales) -> None:
    rows = _random_students(sales, 300, seed=4)
    spans = (NOVEMBER, Period.day(date(2026, 11, 1)), NOVEMBER.before(), LONG)
    for period in spans:
        for manager in (None, sales.ids["ayaulym"], sales.ids["admin"]):
            found = statistics.headline(period, period.before(), manager_id=manager)
            assert found.now == _counted(rows, period, manager)
            assert found.before == _counted(rows, period.before(), manager)


def test_the_figures_follow_whatever_is_changed_or_deleted(sales: Sales, desk: Desk) -> None:
    rows = _random_students(sales, 120, seed=5)
    run = desk.connection.execute
    run("update tripwire_users set status = 'completed' where status = 'active'")
    run("update tripwire_users set price = coalesce(price, 0) + 1, granted_by = null")
    run("update tripwire_users set created_at = created_at + interval '3 days'")
    for row in rows[::3]:
        run("delete from tripwire_users where id = %s", [row["id"]])
    left = desk.rows("select * from tripwire_users")

    found = statistics.headline(NOVEMBER, None, manager_id=None)

    days = Period(date(2026, 11, 2), date(2026, 11, 20))
    of_days = statistics.headline(days, None, manager_id=None)

    assert len(left) == 80
    assert found.now == _counted(left, NOVEMBER, None)
    assert of_days.now == _counted(left, days, None)
    # Put together by the worker, the totals are the same and fewer.
    assert statistics.compact() > 100
    assert statistics.headline(NOVEMBER, None, manager_id=None) == found
    assert statistics.headline(days, None, manager_id=None) == of_days
    assert statistics.compact() == 0
    run("truncate tripwire_users cascade")
    assert statistics.headline(NOVEMBER, None, manager_id=None).now.sales == 0


def test_staff_are_never_students(sales: Sales, manager: Client) -> None:
    sales.add("real@onai.test", full_name="Настоящий Студент")
    # Half past midnight is the day before in UTC.
    early = datetime(2026, 11, 10, 0, 30, tzinfo=ALMATY)
    me = {"full_name": "Я Сама", "user_id": sales.ids["ayaulym"], "created_at": early}
    sales.add("me@onai.test", **me)

    found = statistics.headline(NOVEMBER, None, manager_id=None)

    assert (found.now.sales, found.now.revenue, found.now.active) == (1, 5000, 1)
    points = statistics.sales_over_time(NOVEMBER, manager_id=None).points
    assert [(point.first_day.day, point.sales) for point in points if point.sales] == [(10, 1)]
    assert names_on(manager.get(f"{CABINET}?from=2026-11-01")) == ["Настоящий Студент"]
    with time_machine.travel(datetime(2026, 11, 22, 12, tzinfo=ALMATY), tick=False):
        first = statistics.leaderboard(NOVEMBER)[0]
    assert (first.figures.sales, first.sales_this_month) == (1, 1)


@pytest.mark.parametrize(
    ("days", "unit", "points"),
    [
        (1, "day", 1),
        (62, "day", 62),
        (63, "week", None),
        (90, "week", None),
        (366, "week", None),
        (367, "month", None),
        (800, "month", None),
    ],
)
def test_days_without_sales_are_there_as_zeros(
    sales: Sales, days: int, unit: str, points: int | None
) -> None:
    period = Period(date(2026, 11, 30) - timedelta(days=days - 1), date(2026, 11, 30))
    rows = [
        sales.add(created_at=datetime.combine(period.last_day, datetime.min.time(), ALMATY)),
        sales.add(created_at=period.start),
    ]

    series = statistics.sales_over_time(period, manager_id=None)

    assert series.unit == unit
    assert points is None or len(series.points) == points
    assert sum(point.sales for point in series.points) == len(rows)
    assert series.points[0].sales == series.points[-1].sales == (1 if days > 1 else 2)
    assert series.points[0].first_day == period.first_day
    assert series.points[-1].last_day == period.last_day
    for one, following in zip(series.points, series.points[1:], strict=False):
        assert following.first_day == one.last_day + timedelta(days=1)


def test_the_leaderboard_has_everybody_and_ties_are_ties(
    sales: Sales, desk: Desk, accounts: Accounts
) -> None:
    accounts.create("nameless@onai.test", role="sales", full_name="")
    aside(refresh_staff)
    for name, price in (("ayaulym", 5000), ("botagoz", 6000)):
        for _ in range(2):
            sales.add(granted_by=sales.ids[name], price=price)
    sales.add(granted_by=None)
    gone, long_ago = uuid4(), datetime(2026, 9, 1, tzinfo=ALMATY)
    sales.add(granted_by=gone, manager_name="Давно Ушла")
    sales.add(granted_by=gone, manager_name="Прежнее Имя", created_at=long_ago)
    # Who has nobody left is not on it, unless they are staff.
    deleted = sales.add(granted_by=uuid4(), manager_name="Никого Нет")
    desk.connection.execute("delete from tripwire_users where id = %s", [deleted["id"]])

    with time_machine.travel(datetime(2026, 11, 22, 12, tzinfo=ALMATY), tick=False):
        board = statistics.leaderboard(NOVEMBER)

    assert [(one.place, one.name, one.figures.sales, one.sales_this_month) for one in board] == [
        (1, "Ботагоз Тест", 2, 2),
        (1, "Аяулым Тест", 2, 2),
        (3, "", 1, 1),
        (3, "Давно Ушла", 1, 1),
        (5, "nameless@onai.test", 0, 0),
        (5, "Админ Тест", 0, 0),
    ]
    assert [one.is_staff for one in board] == [True, True, False, False, True, True]


def test_whoever_is_staff_no_more_leaves_the_board(sales: Sales, accounts: Accounts) -> None:
    leaving = accounts.create("leaving@onai.test", role="sales", full_name="Скоро Уйдёт")
    aside(refresh_staff)
    assert "Скоро Уйдёт" in [one.name for one in statistics.leaderboard(NOVEMBER)]
    accounts.call("DELETE", f"/admin/users/{leaving['id']}").raise_for_status()
    aside(refresh_staff)
    assert "Скоро Уйдёт" not in [one.name for one in statistics.leaderboard(NOVEMBER)]


def test_the_leaderboard_of_a_former_period_tells_this_months_sales_too(sales: Sales) -> None:
    sales.add(created_at=datetime(2026, 10, 10, tzinfo=ALMATY))
    sales.add()
    sales.add()
    with time_machine.travel(datetime(2026, 11, 22, 12, tzinfo=ALMATY), tick=False):
        first = statistics.leaderboard(Period(date(2026, 10, 1), date(2026, 10, 31)))[0]
    assert (first.figures.sales, first.sales_this_month) == (1, 2)


def test_the_chart_stands_as_high_as_the_sales_and_the_line_as_the_revenue() -> None:
    def point(day: int, sold: int, revenue: int) -> statistics.Point:
        return statistics.Point(date(2026, 11, day), date(2026, 11, day), sold, revenue)

    points = [point(1, 2, 30_000), point(2, 0, 0), point(3, 4, 15_000), point(4, -1, -5_000)]
    drawn = chart.draw(statistics.Series(statistics.Unit.DAY, points))

    assert drawn.highest == 4
    assert [(bar.y, bar.height) for bar in drawn.bars] == [(120, 120), (240, 0), (0, 240), (240, 0)]
    assert [(bar.x, bar.width) for bar in drawn.bars][:2] == [(31.25, 187.5), (281.25, 187.5)]
    assert drawn.revenue_line == "125.00,0.00 375.00,240.00 625.00,120.00 875.00,240.00"
    assert [day.day for day in drawn.labels] == [1, 3, 4]
    empty = chart.draw(statistics.Series(statistics.Unit.DAY, [point(1, 0, 0)]))
    assert (empty.bars[0].height, empty.revenue_line) == (0, "500.00,240.00")

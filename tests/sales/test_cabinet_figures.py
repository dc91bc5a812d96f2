"""The cabinet's figures, chart and leaderboard are what one counts by hand."""

import random
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from django.http import QueryDict
from django.test import Client

from funnel.stats.comparison import Verdict
from onai.identity.staff.register import refresh as refresh_staff
from onai.periods import Period
from onai.web.period_form import PeriodForm
from sales.cabinet import chart, statistics
from sales.cabinet.availability import availability
from sales.cabinet.sales_change import compared_sales, sales_before
from sales.cabinet.student_list import StudentFilter, page_of_students
from tests.support.desk import Desk, Row
from tests.support.people import Accounts
from tests.support.processes import on_own_connections
from tests.support.student_changes import SignIn
from tests.support.student_rows import ALMATY, CABINET, RESULTS, Sales, names_on, text_on

NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))


# Two whole months, and days before and after them.
LONG = Period(date(2026, 9, 25), date(2026, 12, 5))


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
        marked_finished=sum(row["status"] == "completed" for row in inside),
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


def test_figures_equal_a_count_by_hand(sales: Sales) -> None:
    rows = _random_students(sales, 300, seed=4)
    spans = (
        NOVEMBER,
        Period.day(date(2026, 11, 1)),
        Period(date(2026, 10, 2), date(2026, 10, 31)),
        LONG,
    )
    for period in spans:
        for manager in (None, sales.ids["ayaulym"], sales.ids["admin"]):
            found = statistics.figures(period, manager_id=manager)
            assert found == _counted(rows, period, manager)
            read = statistics.read_sales(period)
            assert read.figures(manager) == found
            assert read.series(manager) == statistics.sales_over_time(period, manager_id=manager)
            # And up to a moment of it.
            moment = period.start + (period.end - period.start) * 0.7
            until = statistics.figures(period, until=moment, manager_id=manager)
            early = [row for row in rows if row["created_at"] < moment]
            assert until == _counted(early, period, manager)


def test_the_figures_follow_whatever_is_changed_or_deleted(sales: Sales, desk: Desk) -> None:
    rows = _random_students(sales, 120, seed=5)
    run = desk.connection.execute
    run("update tripwire_users set status = 'completed' where status = 'active'")
    run("update tripwire_users set price = coalesce(price, 0) + 1, granted_by = null")
    run("update tripwire_users set created_at = created_at + interval '3 days'")
    for row in rows[::3]:
        run("delete from tripwire_users where id = %s", [row["id"]])
    left = desk.rows("select * from tripwire_users")

    found = statistics.figures(NOVEMBER, manager_id=None)

    days = Period(date(2026, 11, 2), date(2026, 11, 20))
    of_days = statistics.figures(days, manager_id=None)

    assert len(left) == 80
    assert found == _counted(left, NOVEMBER, None)
    assert of_days == _counted(left, days, None)
    run("truncate tripwire_users cascade")
    assert statistics.figures(NOVEMBER, manager_id=None).sales == 0


def test_staff_are_never_students(sales: Sales, manager: Client) -> None:
    sales.add("real@onai.test", full_name="Настоящий Студент")
    # Half past midnight is the day before in UTC.
    early = datetime(2026, 11, 10, 0, 30, tzinfo=ALMATY)
    me = {"full_name": "Я Сама", "user_id": sales.ids["ayaulym"], "created_at": early}
    sales.add("me@onai.test", **me)

    found = statistics.figures(NOVEMBER, manager_id=None)

    assert (found.sales, found.revenue, found.active) == (1, 5000, 1)
    points = statistics.sales_over_time(NOVEMBER, manager_id=None).points
    assert [(point.days.first_day.day, point.sales) for point in points if point.sales] == [(10, 1)]
    assert names_on(manager.get(CABINET)) == ["Настоящий Студент"]
    with time_machine.travel(datetime(2026, 11, 22, 12, tzinfo=ALMATY), tick=False):
        first = statistics.leaderboard(statistics.read_sales(NOVEMBER))[0]
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
def test_days_without_sales_are_zeros(
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
    assert series.points[0].days.first_day == period.first_day
    assert series.points[-1].days.last_day == period.last_day
    for one, following in zip(series.points, series.points[1:], strict=False):
        assert following.days.first_day == one.days.last_day + timedelta(days=1)


def test_the_leaderboard_lists_everybody_with_ties(
    sales: Sales, desk: Desk, accounts: Accounts
) -> None:
    accounts.create("nameless@onai.test", role="sales", full_name="")
    on_own_connections(refresh_staff)
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
        board = statistics.leaderboard(statistics.read_sales(NOVEMBER))

    assert [(one.place, one.name, one.figures.sales, one.sales_this_month) for one in board] == [
        (1, "Ботагоз Тест", 2, 2),
        (1, "Аяулым Тест", 2, 2),
        # Whoever belongs to nobody takes no place.
        (3, "", 1, 1),
        (3, "Давно Ушла", 1, 1),
        (4, "nameless@onai.test", 0, 0),
        (4, "Админ Тест", 0, 0),
    ]
    assert [one.is_staff for one in board] == [True, True, False, False, True, True]


def test_former_staff_leave_the_leaderboard(sales: Sales, accounts: Accounts) -> None:
    leaving = accounts.create("leaving@onai.test", role="sales", full_name="Скоро Уйдёт")
    on_own_connections(refresh_staff)
    assert "Скоро Уйдёт" in [
        one.name for one in statistics.leaderboard(statistics.read_sales(NOVEMBER))
    ]
    accounts.call("DELETE", f"/admin/users/{leaving['id']}").raise_for_status()
    on_own_connections(refresh_staff)
    assert "Скоро Уйдёт" not in [
        one.name for one in statistics.leaderboard(statistics.read_sales(NOVEMBER))
    ]


def test_a_past_leaderboard_also_shows_this_month(sales: Sales) -> None:
    sales.add(created_at=datetime(2026, 10, 10, tzinfo=ALMATY))
    sales.add()
    sales.add()
    with time_machine.travel(datetime(2026, 11, 22, 12, tzinfo=ALMATY), tick=False):
        october = statistics.read_sales(Period(date(2026, 10, 1), date(2026, 10, 31)))
        first = statistics.leaderboard(october)[0]
    assert (first.figures.sales, first.sales_this_month) == (1, 2)


def test_the_chart_draws_sales_over_those_of_the_compared_days(sales: Sales) -> None:
    for day, sold in ((1, 2), (3, 4)):
        for _ in range(sold):
            sales.add(created_at=datetime(2026, 11, day, 12, tzinfo=ALMATY))
    sales.add(created_at=datetime(2026, 10, 30, 12, tzinfo=ALMATY), price=7_000)
    sales.add(created_at=datetime(2026, 9, 1, 12, tzinfo=ALMATY))

    period = PeriodForm(QueryDict("from=2026-11-01&to=2026-11-03")).chosen
    now = statistics.figures(period.period, manager_id=None)
    series = statistics.sales_over_time(period.period, manager_id=None)
    change = compared_sales(period, now, manager_id=None)
    before = sales_before(change, series, manager_id=None)
    shown = chart.draw(series, before)

    assert before == [0, 1, 0]
    assert shown.drawn
    assert shown.drawn.scale == ("4", "2", "0")
    assert [bar.height for bar in shown.drawn.bars] == ["50.00%", "0.00%", "100.00%"]
    assert shown.drawn.ghost
    # The table beneath says the same.
    assert [(row.days, row.sales, row.before) for row in shown.rows] == [
        ("1\N{NO-BREAK SPACE}ноября", "2", "0"),
        ("2\N{NO-BREAK SPACE}ноября", "0", "1"),
        ("3\N{NO-BREAK SPACE}ноября", "4", "0"),
    ]


def test_the_chart_compares_an_unfinished_day_up_to_the_same_moment(sales: Sales) -> None:
    for hour in (9, 20):
        sales.add(created_at=datetime(2026, 11, 11, hour, tzinfo=ALMATY))
    sales.add(created_at=datetime(2026, 11, 12, 9, tzinfo=ALMATY))
    sales.add(created_at=datetime(2026, 9, 1, tzinfo=ALMATY))

    with time_machine.travel(datetime(2026, 11, 12, 12, tzinfo=ALMATY), tick=False):
        period = PeriodForm(QueryDict("period=today")).chosen
        now = statistics.figures(period.period, manager_id=None)
        series = statistics.sales_over_time(period.period, manager_id=None)
        change = compared_sales(period, now, manager_id=None)
        before = sales_before(change, series, manager_id=None)
        shown = chart.draw(series, before)

    assert before == [1]
    assert shown.drawn
    assert [bar.column.is_unfinished for bar in shown.drawn.bars] == [True]


def _days_of_sales(sales: Sales, first: date, days: int, each: int) -> None:
    for day in range(days):
        for number in range(each):
            came = datetime.combine(first + timedelta(days=day), datetime.min.time(), ALMATY)
            sales.add(created_at=came + timedelta(hours=9 + number, minutes=1))


@pytest.mark.parametrize(
    ("at", "preset", "sold", "before"),
    [
        # Ten hours of the 12th, and as many of 12 October: not the day of the 12th as a whole.
        (datetime(2026, 11, 12, 10, tzinfo=ALMATY), "this-month", 34, 34),
        (datetime(2026, 11, 12, 0, 5, tzinfo=ALMATY), "7-days", 18, 18),
        (datetime(2026, 11, 12, 11, tzinfo=ALMATY), "today", 2, 2),
        # October has 31 days, September 30.
        (datetime(2026, 11, 12, 11, tzinfo=ALMATY), "last-month", 93, 90),
    ],
)
def test_the_cabinet_compares_as_the_funnel_does(
    sales: Sales, at: datetime, preset: str, sold: int, before: int
) -> None:
    _days_of_sales(sales, date(2026, 8, 1), 104, 3)
    desk = sales.desk.connection
    desk.execute("delete from tripwire_users where created_at >= %s", [at])

    with time_machine.travel(at, tick=False):
        form = PeriodForm(QueryDict(f"period={preset}"))
        chosen = form.chosen
        now = statistics.figures(chosen.period, manager_id=None)
        change = compared_sales(chosen, now, manager_id=None)

    assert change
    assert (change.sales.now, change.sales.before, change.sales.sign) == (sold, before, 0)
    assert change.sales.verdict == change.revenue.verdict == Verdict.WITHIN_CHANCE


def test_the_sales_of_a_new_manager_have_no_comparison(sales: Sales) -> None:
    _days_of_sales(sales, date(2026, 10, 1), 42, 1)
    began = datetime(2026, 11, 10, 12, tzinfo=ALMATY)
    sales.add(created_at=began, granted_by=sales.ids["botagoz"])

    with time_machine.travel(datetime(2026, 11, 11, 23, tzinfo=ALMATY), tick=False):
        chosen = PeriodForm(QueryDict("period=this-month")).chosen
        for manager, shown in ((sales.ids["botagoz"], None), (None, 11)):
            now = statistics.figures(chosen.period, manager_id=manager)
            change = compared_sales(chosen, now, manager_id=manager)
            assert change
            assert change.sales.before == shown


def test_half_the_sales_are_marked_as_fewer(sales: Sales) -> None:
    _days_of_sales(sales, date(2026, 9, 1), 30, 8)
    _days_of_sales(sales, date(2026, 10, 1), 31, 3)

    with time_machine.travel(datetime(2026, 11, 11, 23, tzinfo=ALMATY), tick=False):
        chosen = PeriodForm(QueryDict("period=last-month")).chosen
        now = statistics.figures(chosen.period, manager_id=None)
        change = compared_sales(chosen, now, manager_id=None)

    assert change
    assert (change.sales.verdict, change.sales.sign) == (Verdict.BEYOND_CHANCE, -1)
    assert (change.revenue.verdict, change.revenue.sign) == (Verdict.BEYOND_CHANCE, -1)


def test_managers_with_the_same_name_are_shown_with_their_emails(
    sales: Sales, accounts: Accounts, as_person: SignIn
) -> None:
    twin = accounts.create("twin@onai.test", role="sales", full_name="Аяулым Тест")
    on_own_connections(refresh_staff)
    sales.add(granted_by=twin["id"], manager_name="Аяулым Тест", created_at=datetime.now(ALMATY))

    board = text_on(as_person("admin@onai.test").get(RESULTS)).partition("Рейтинг менеджеров")[2]
    for email in ("twin@onai.test", "ayaulym@onai.test"):
        assert f"Аяулым Тест ({email})" in board
    # In the list of students, and in the form that narrows it.
    page = text_on(as_person("admin@onai.test").get(CABINET))
    assert page.count("Аяулым Тест (twin@onai.test)") == 2


def test_days_of_two_years_are_shown_with_the_year(sales: Sales, manager: Client) -> None:
    sales.add(created_at=datetime(2025, 12, 31, 12, tzinfo=ALMATY))

    across = text_on(manager.get(f"{RESULTS}?from=2025-12-30&to=2026-01-02"))

    assert "<span>30 декабря 2025</span>" in across
    assert "<span>2 января</span>" in across


def test_the_total_is_right_however_many_student_rows_staff_have(sales: Sales) -> None:
    sales.desk.connection.execute("set session_replication_role = replica")
    sales.desk.connection.execute(
        "insert into tripwire_users (user_id, full_name, email)"
        " select %s, 'Сама', 'me' || n || '@onai.test' from generate_series(1, 50) n",
        [sales.ids["ayaulym"]],
    )
    sales.desk.connection.execute(
        "insert into tripwire_users (user_id, full_name, email)"
        " select gen_random_uuid(), 'Студент', 's' || n || '@onai.test'"
        " from generate_series(1, 1200) n"
    )
    sales.desk.connection.execute("set session_replication_role = origin")

    page = page_of_students(StudentFilter(), availability())

    assert (page.count, page.there_are_more) == (1_000, True)

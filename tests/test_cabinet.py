"""The sales manager's cabinet: figures, leaderboard, students, the activity log."""

import csv
import io
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import OperationalError, connections
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from onai.period_choice import PeriodForm, chosen_period
from onai.periods import Period
from sales import statistics
from sales.finding import Order, StudentFilter
from sales.staff import refresh_staff
from sales.students import all_students, page_of_students
from tests.browser import complaints_of, sign_in
from tests.desk import Desk
from tests.people import Accounts
from tests.processes import aside

ALMATY = ZoneInfo("Asia/Almaty")
CABINET = "/sales-manager"
SignIn = Callable[[str], Client]
Row = dict[str, Any]


@dataclass(slots=True)
class Sales:
    """Students as any software may have written them."""

    desk: Desk
    ids: dict[str, UUID]

    def add(self, email: str = "", **columns: Any) -> Row:
        """One student, with an account behind it."""
        user_id = columns.pop("user_id", None) or uuid4()
        row = {
            "full_name": "Ару Сапарова",
            "email": email or f"{uuid4().hex}@onai.test",
            "granted_by": self.ids["ayaulym"],
            "manager_name": "Аяулым Тест",
            "created_at": datetime(2026, 11, 10, 12, tzinfo=ALMATY),
            **columns,
            "user_id": user_id,
        }
        self.desk.connection.execute(
            "insert into auth.users (id, email, is_sso_user, is_anonymous)"
            " values (%s, %s, false, false) on conflict do nothing",
            [user_id, f"{user_id}@onai.test"],
        )
        names, places = ", ".join(row), ", ".join(["%s"] * len(row))
        return self.desk.row(
            f"insert into tripwire_users ({names}) values ({places}) returning *", *row.values()
        )


@pytest.fixture
def sales(desk: Desk, accounts: Accounts) -> Sales:
    other = accounts.create("botagoz@onai.test", role="sales", full_name="Ботагоз Тест")
    ids = {
        name: UUID(accounts.sign_in(f"{name}@onai.test")["user"]["id"])
        for name in ("ayaulym", "admin")
    }
    aside(refresh_staff)
    return Sales(desk, {**ids, "botagoz": UUID(other["id"])})


@pytest.fixture
def manager(as_person: SignIn) -> Client:
    return as_person("ayaulym@onai.test")


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(answer.content.decode())).replace("\xa0", " ")


def _names(answer: Any) -> list[str]:
    page = _text(answer)
    return re.findall(r'/sales-manager/students/[0-9a-f-]{36}"><bdi>([^<]*)</bdi>', page)


# --- Figures -----------------------------------------------------------------------------------

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
    sales.add("me@onai.test", full_name="Я Сама", user_id=sales.ids["ayaulym"])

    found = statistics.headline(NOVEMBER, None, manager_id=None)

    assert (found.now.sales, found.now.revenue, found.now.active) == (1, 5000, 1)
    assert (
        sum(point.sales for point in statistics.sales_over_time(NOVEMBER, manager_id=None).points)
        == 1
    )
    assert _names(manager.get(f"{CABINET}?from=2026-11-01")) == ["Настоящий Студент"]
    with time_machine.travel(datetime(2026, 11, 22, 12, tzinfo=ALMATY), tick=False):
        first = statistics.leaderboard(NOVEMBER)[0]
    assert (first.figures.sales, first.sales_this_month) == (1, 1)


@pytest.mark.parametrize(
    ("days", "unit", "points"),
    [(1, "day", 1), (62, "day", 62), (90, "week", None), (800, "month", None)],
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
    assert series.points[0].first_day == period.first_day
    assert series.points[-1].last_day == period.last_day
    for one, following in zip(series.points, series.points[1:], strict=False):
        assert following.first_day == one.last_day + timedelta(days=1)


def test_the_leaderboard_has_everybody_and_ties_are_ties(sales: Sales) -> None:
    for name, count in (("ayaulym", 2), ("botagoz", 2)):
        for _ in range(count):
            sales.add(granted_by=sales.ids[name])
    sales.add(granted_by=None)
    gone = uuid4()
    sales.add(granted_by=gone, manager_name="Давно Ушла")

    with time_machine.travel(datetime(2026, 11, 22, 12, tzinfo=ALMATY), tick=False):
        board = statistics.leaderboard(NOVEMBER)

    assert [(one.place, one.name, one.figures.sales, one.sales_this_month) for one in board] == [
        (1, "Аяулым Тест", 2, 2),
        (1, "Ботагоз Тест", 2, 2),
        (3, "", 1, 1),
        (3, "Давно Ушла", 1, 1),
        (5, "Админ Тест", 0, 0),
    ]
    assert [one.is_staff for one in board] == [True, True, False, False, True]


def test_the_page_shows_mine_to_a_manager_and_all_to_an_admin(
    sales: Sales, as_person: SignIn
) -> None:
    sales.add(price=4000)
    sales.add(price=7000, granted_by=sales.ids["botagoz"], full_name="Чужой Студент")
    sales.add(price=1, granted_by=None)
    address = f"{CABINET}?from=2026-11-01&to=2026-11-30"

    mine = _text(as_person("ayaulym@onai.test").get(address))
    crafted = as_person("ayaulym@onai.test").get(f"{address}&manager={sales.ids['botagoz']}")
    alls = _text(as_person("admin@onai.test").get(address))
    one = _text(as_person("admin@onai.test").get(f"{address}&manager={sales.ids['botagoz']}"))
    nobodys = _text(as_person("admin@onai.test").get(f"{address}&manager=none"))

    revenue = r"<dt>Выручка</dt><dd>([\d ]+)₸</dd>"
    assert re.findall(revenue, mine) == ["4 000 "]
    assert re.findall(revenue, _text(crafted)) == ["4 000 "]
    assert "Чужой Студент" not in _text(crafted)
    assert re.findall(revenue, alls) == ["11 001 "]
    assert re.findall(revenue, one) == ["7 000 "]
    assert re.findall(revenue, nobodys) == ["1 "]
    assert "без менеджера" in alls


# --- Periods -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", "2026-11-01", "2026-11-22"),
        ("period=today", "2026-11-22", "2026-11-22"),
        ("period=yesterday", "2026-11-21", "2026-11-21"),
        ("period=7-days", "2026-11-16", "2026-11-22"),
        ("period=30-days", "2026-10-24", "2026-11-22"),
        ("period=this-week", "2026-11-16", "2026-11-22"),
        ("period=this-month", "2026-11-01", "2026-11-22"),
        ("period=last-month", "2026-10-01", "2026-10-31"),
        ("from=2026-11-03&to=2026-11-05", "2026-11-03", "2026-11-05"),
        ("from=2026-11-03", "2026-11-03", "2026-11-22"),
        ("period=today&from=2026-11-03&to=2026-11-05", "2026-11-03", "2026-11-05"),
    ],
)
def test_a_period_is_in_the_address(query: str, first: str, last: str) -> None:
    # At this moment it is the 21st in UTC still.
    with time_machine.travel(datetime(2026, 11, 22, 0, 30, tzinfo=ALMATY), tick=False):
        form = PeriodForm(QueryDict(query))
        chosen = chosen_period(form)

    assert not form.errors
    assert (chosen.period.first_day.isoformat(), chosen.period.last_day.isoformat()) == (
        first,
        last,
    )
    assert chosen.before is not None
    assert chosen.before.days == chosen.period.days
    assert chosen.before.last_day == chosen.period.first_day - timedelta(days=1)


def test_all_time_begins_with_the_first_sale(sales: Sales, manager: Client) -> None:
    sales.add(created_at=datetime(2024, 5, 1, tzinfo=ALMATY))
    sales.add()

    page = _text(manager.get(f"{CABINET}?period=all"))

    assert re.findall(r"<dt>Продажи</dt><dd>(\d+)</dd>", page) == ["2"]
    assert "1 мая 2024" in page
    assert "Продажи по месяцам" in page
    assert "май 2024" in page  # where the chart begins
    assert "было" not in page  # nothing is before all time


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-11-05&to=2026-11-03", "Конец раньше начала."),
        ("from=yesterday", "Это не дата."),
        ("to=2026-11-03", "Укажите, с какого дня."),
        ("from=0001-01-01", "Таких дней у нас нет."),
        ("from=2026-01-01&to=9999-12-31", "Таких дней у нас нет."),
        ("period=century", "Такого периода нет."),
    ],
)
def test_a_bad_period_is_told_and_takes_nothing_down(
    sales: Sales, manager: Client, query: str, sentence: str
) -> None:
    answer = manager.get(f"{CABINET}?{query}")

    assert answer.status_code == 400
    assert sentence in _text(answer)
    assert "Рейтинг менеджеров" in _text(answer)


# --- Students ----------------------------------------------------------------------------------


def test_one_finds_students_by_any_part_in_any_case(sales: Sales, manager: Client) -> None:
    sales.add("aigerim@mail.kz", full_name="Әйгерім Нұрланқызы")
    sales.add("dana.k@onai.test", full_name="Дана Ким")
    sales.add("yan@onai.test", full_name="Ян Ли")

    def found(text: str) -> list[str]:
        return sorted(_names(manager.get(CABINET, {"q": text})))

    assert found("әЙГЕР") == found("ланқ") == found("RIM@mail") == ["Әйгерім Нұрланқызы"]
    assert found("ким дан") == ["Дана Ким"]
    assert found("ян") == ["Ян Ли"]
    assert found("onai.test") == ["Дана Ким", "Ян Ли"]
    assert found("нет такого") == []
    assert found("100%_") == []
    assert "хотя бы две буквы" in _text(manager.get(CABINET, {"q": "я"}))


def test_filters_are_exact(sales: Sales, as_person: SignIn, desk: Desk) -> None:
    def with_letter(name: str, state: str) -> None:
        student = sales.add(full_name=name)
        desk.connection.execute(
            "insert into sales_letters (id, student_id, recipient, full_name, sealed_password,"
            " asked_by, idempotency_key, state, attempts, problem, refused, due_at, give_up_at,"
            " leased_until) values (gen_random_uuid(), %s, 'x', 'x', 'x', gen_random_uuid(),"
            " gen_random_uuid(), %s, 1, '', false, now(), now(), now())",
            [student["id"], state],
        )

    sales.add(full_name="Ушло", welcome_email_sent=True, status="blocked")
    sales.add(full_name="Нет письма", welcome_email_sent=None, granted_by=None)
    with_letter("Ждёт", "pending")
    with_letter("Не ушло", "failed")
    admin = as_person("admin@onai.test")

    def found(**query: str) -> list[str]:
        return sorted(_names(admin.get(CABINET, query)))

    assert found(letter="sent") == ["Ушло"]
    assert found(letter="waiting") == ["Ждёт"]
    assert found(letter="failed") == ["Не ушло"]
    assert found(letter="none") == ["Нет письма"]
    assert found(status="blocked") == ["Ушло"]
    assert found(manager="none") == ["Нет письма"]
    assert found(manager=str(sales.ids["botagoz"])) == []
    assert "Никого не нашлось." in _text(admin.get(CABINET, {"status": "completed"}))
    nonsense = admin.get(CABINET, {"status": "sleeping", "sort": "x", "after": "AAAA"})
    assert nonsense.status_code == 400
    assert len(_names(nonsense)) == 4


@pytest.mark.parametrize("order", list(Order))
def test_the_pages_together_are_the_list(sales: Sales, order: Order) -> None:
    dice = random.Random(6)
    for number in range(60):
        moment = datetime(2026, 11, dice.randint(1, 5), tzinfo=UTC)
        sales.add(
            full_name=f"Имя {dice.randint(1, 9)}",
            created_at=dice.choice([moment, None]),
            last_active_at=dice.choice([moment, None]),
            email=f"{number}@onai.test",
        )
    wanted = StudentFilter(order=order)
    seen, after, pages = [], "", 0
    while True:
        page = page_of_students(wanted, after=after)
        seen += page.students
        pages += 1
        if page.following is None:
            break
        after = page.following

    assert pages == 3
    assert page.count == 60
    assert len({student.pk for student in seen}) == 60
    assert [student.pk for student in seen] == [student.pk for student in all_students(wanted)]
    keys: dict[Order, Callable[[Any], Any]] = {
        Order.NEWEST: lambda one: -(one.created_at or datetime(1900, 1, 1, tzinfo=UTC)).timestamp(),
        Order.ACTIVE: lambda one: (
            -(one.last_active_at or datetime(1900, 1, 1, tzinfo=UTC)).timestamp()
        ),
        Order.NAME: lambda one: one.full_name.lower(),
    }
    assert [keys[order](one) for one in seen] == sorted(keys[order](one) for one in seen)


def test_the_number_of_statements_does_not_depend_on_the_rows(
    sales: Sales, as_person: SignIn
) -> None:
    admin = as_person("admin@onai.test")

    def statements() -> int:
        with CaptureQueriesContext(connections["tripwire"]) as captured:
            assert admin.get(f"{CABINET}?period=all").status_code == 200
            assert admin.get(f"{CABINET}/activity").status_code == 200
        return len(captured)

    sales.add()
    few = statements()
    for _ in range(30):
        sales.add()

    assert statements() == few
    assert few < 25


def test_the_file_holds_exactly_what_is_filtered(sales: Sales, manager: Client) -> None:
    sales.add("evil@onai.test", full_name="=HYPERLINK(1)", manager_name="@cmd", price=None)
    sales.add("plain@onai.test", full_name='Имя; "в кавычках"', status="blocked")
    sales.add("other@onai.test", granted_by=sales.ids["botagoz"])

    answer = manager.get(f"{CABINET}/students.csv", {"q": "onai"})
    body = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.reader(io.StringIO(body), delimiter=";"))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="students.csv"' in answer["Content-Disposition"]
    assert rows[0][:3] == ["Имя", "Почта", "Статус"]
    assert {row[1] for row in rows[1:]} == {"evil@onai.test", "plain@onai.test"}
    by_email = {row[1]: row for row in rows[1:]}
    assert by_email["evil@onai.test"][0] == "'=HYPERLINK(1)"
    assert by_email["evil@onai.test"][3:5] == ["'@cmd", "0"]
    assert by_email["plain@onai.test"][0] == 'Имя; "в кавычках"'
    assert by_email["plain@onai.test"][7] == "10.11.2026 12:00"


def test_who_has_no_students_hears_what_to_do(sales: Sales, manager: Client) -> None:
    page = _text(manager.get(CABINET))

    assert "Студентов пока нет." in page
    assert "За эти дни продаж нет." in page


def test_an_outage_takes_down_only_the_part_it_concerns(
    sales: Sales, manager: Client, monkeypatch: Any
) -> None:
    sales.add(full_name="Всё ещё здесь")

    def down(*args: Any, **options: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("sales.statistics.leaderboard", down)
    page = _text(manager.get(CABINET))

    assert "База сейчас не отвечает" in page
    assert "Всё ещё здесь" in page
    assert "gone" not in page


def test_the_figures_keep_themselves_current(sales: Sales, manager: Client) -> None:
    address = f"{CABINET}?from=2026-11-01&to=2026-11-30"
    page = _text(manager.get(address))
    assert 'hx-get="/sales-manager?from=2026-11-01&to=2026-11-30"' in page
    sales.add(price=4000)

    live = manager.get(address, headers={"HX-Request": "true", "HX-Target": "live"})

    assert "4 000 ₸" in _text(live)
    assert 'id="live"' in _text(live)
    assert "<html" not in _text(live)


def test_students_and_strangers_see_none_of_it(sales: Sales, as_person: SignIn) -> None:
    student = as_person("student@onai.test")
    for path in ("", "/activity", "/students.csv"):
        assert student.get(CABINET + path).status_code == 403
        assert Client().get(CABINET + path).status_code == 302


# --- The activity log --------------------------------------------------------------------------


def _acts(answer: Any) -> list[tuple[str, str]]:
    found = re.findall(
        r'<span class="act">([^<]*)</span>.*?<bdi>([^<]*)</bdi>', _text(answer), re.DOTALL
    )
    return [(act, who) for act, who in found]


def test_the_log_says_who_did_what_to_whom(sales: Sales, as_person: SignIn, desk: Desk) -> None:
    student = sales.add(full_name="Ару Сапарова")
    log = (
        "insert into sales_activity_log (manager_id, action_type, target_user_id, details,"
        " created_at) values (%s, %s, %s, %s, %s)"
    )
    for minute, (name, action, target, details) in enumerate(
        [
            ("ayaulym", "user_created", student["user_id"], "{}"),
            ("botagoz", "user_deleted", uuid4(), '{"full_name": "Кого Нет"}'),
            ("ayaulym", "email_sent", student["user_id"], "[]"),
        ]
    ):
        moment = datetime(2026, 11, 10, 12, minute, tzinfo=ALMATY)
        desk.connection.execute(log, [sales.ids[name], action, target, details, moment])

    mine = _acts(as_person("ayaulym@onai.test").get(f"{CABINET}/activity"))
    crafted = as_person("ayaulym@onai.test").get(
        f"{CABINET}/activity", {"manager": str(sales.ids["botagoz"])}
    )
    alls = as_person("admin@onai.test").get(f"{CABINET}/activity")
    deleted = as_person("admin@onai.test").get(f"{CABINET}/activity", {"action": "user_deleted"})
    card = as_person("ayaulym@onai.test").get(f"{CABINET}/students/{student['id']}")

    assert mine == [("Отправил письмо", "Ару Сапарова"), ("Создал доступ", "Ару Сапарова")]
    assert _acts(crafted) == mine
    assert [act for act, _ in _acts(alls)] == ["Отправил письмо", "Удалил доступ", "Создал доступ"]
    assert _acts(deleted) == [("Удалил доступ", "Кого Нет")]
    assert [act for act, _ in _acts(card)] == ["Отправил письмо", "Создал доступ"]


def test_the_pages_of_the_log_together_are_the_log(
    sales: Sales, as_person: SignIn, desk: Desk
) -> None:
    desk.connection.execute(
        "insert into sales_activity_log (manager_id, action_type, created_at)"
        " select %s, 'email_sent', timestamptz '2026-11-10' from generate_series(1, 120)",
        [sales.ids["ayaulym"]],
    )
    manager = as_person("ayaulym@onai.test")
    address, seen = f"{CABINET}/activity", 0
    for _ in range(3):
        answer = manager.get(address)
        seen += len(re.findall('<span class="act">', _text(answer)))
        following = re.search(r'href="(\?[^"]*after=[^"]*)"', _text(answer))
        if following:
            address = f"{CABINET}/activity{following[1]}"

    assert seen == 120
    assert following is None


# --- In a browser ------------------------------------------------------------------------------


def _full(sales: Sales, count: int) -> None:
    long = {"email": f"{'long' * 15}@{'a' * 60}.onai.test", "full_name": "Ж" * 120}
    for number in range(count):
        sales.add(
            created_at=datetime.now(UTC) - timedelta(days=number % 40),
            **(long if number == 0 else {"full_name": f"Имя {number}"}),
        )


@pytest.mark.parametrize("count", [0, 3, 40])
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1440, "light")])
def test_the_cabinet_fits(
    open_page: Any, sales: Sales, count: int, width: int, scheme: str
) -> None:
    _full(sales, count)
    page = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    complaints = complaints_of(page)
    sign_in(page)

    for path in ("", "?period=all&sort=name", "?from=2026-11-05&to=2026-11-01&q=я", "/activity"):
        page.goto(CABINET + path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} px wide"
    assert [text for text in complaints if "status of 4" not in text] == []


def test_the_figures_change_without_a_reload(open_page: Any, sales: Sales) -> None:
    page = open_page()
    sign_in(page)
    page.goto(f"{CABINET}?period=all")
    page.locator("#live dd").first.get_by_text("0", exact=True).wait_for()
    _full(sales, 7)

    page.evaluate("htmx.ajax('GET', location.href, {target: '#live', swap: 'outerHTML'})")

    page.locator("#live dd").first.get_by_text("7", exact=True).wait_for()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_manager_searches_and_turns_pages(open_page: Any, sales: Sales, javascript: bool) -> None:
    _full(sales, 40)
    page = open_page(java_script_enabled=javascript)
    sign_in(page, "ayaulym@onai.test")
    page.get_by_role("link", name="Прошлый месяц").click()
    page.get_by_role("link", name="Дальше →").click()
    assert page.locator(".people li").count() == 15
    assert "period=last-month" in page.url
    page.get_by_label("Поиск").fill("имя 17")

    page.get_by_role("button", name="Найти").click()

    page.get_by_role("link", name="Имя 17").click()
    page.get_by_role("heading", name="Имя 17").wait_for()

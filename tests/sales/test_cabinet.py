"""The sales manager's cabinet: whose figures it shows, of which days, and students."""

import csv
import io
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from django.db import OperationalError, connections
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from onai.web.period_form import PeriodForm
from sales.cabinet.availability import availability
from sales.cabinet.student_list import Order, StudentFilter, all_students, page_of_students
from tests.support.desk import Desk
from tests.support.people import Accounts
from tests.support.student_changes import SignIn
from tests.support.student_rows import ALMATY, CABINET, RESULTS, Sales, names_on, text_on


def test_a_manager_sees_their_own_students_and_an_admin_all(
    sales: Sales, as_person: SignIn
) -> None:
    sales.add(price=4000)
    sales.add(price=7000, granted_by=sales.ids["botagoz"], full_name="Чужой Студент")
    sales.add(price=1, granted_by=None)
    address = f"{RESULTS}?from=2026-11-01&to=2026-11-30"

    mine = text_on(as_person("ayaulym@onai.test").get(address))
    crafted = as_person("ayaulym@onai.test").get(f"{address}&manager={sales.ids['botagoz']}")
    nobodys_students = as_person("ayaulym@onai.test").get(f"{address}&manager=none")
    live = as_person("ayaulym@onai.test").get(
        f"{address}&manager={sales.ids['botagoz']}", headers={"HX-Target": "live"}
    )
    of_all = text_on(as_person("admin@onai.test").get(address))
    one = text_on(as_person("admin@onai.test").get(f"{address}&manager={sales.ids['botagoz']}"))
    nobodys = text_on(as_person("admin@onai.test").get(f"{address}&manager=none"))

    revenue = r'Выручка</span>\s*<strong class="tile-figure">([\d ]+)₸'
    assert re.findall(revenue, mine) == ["4 000 "]
    assert re.findall(revenue, text_on(crafted)) == ["4 000 "]
    assert re.findall(revenue, text_on(nobodys_students)) == ["4 000 "]
    assert re.findall(revenue, text_on(live)) == ["4 000 "]
    assert re.findall(revenue, of_all) == ["11 001 "]
    assert re.findall(revenue, one) == ["7 000 "]
    assert re.findall(revenue, nobodys) == ["1 "]
    assert "Продажи без менеджера: 1, выручка 1 ₸." in of_all


def test_a_manager_lists_their_own_students_whatever_the_address_says(
    sales: Sales, as_person: SignIn
) -> None:
    sales.add(full_name="Моя Студентка")
    sales.add(full_name="Чужой Студент", granted_by=sales.ids["botagoz"])
    sales.add(full_name="Ничей Студент", granted_by=None)
    manager = as_person("ayaulym@onai.test")

    for query in ("", f"?manager={sales.ids['botagoz']}", "?manager=none"):
        assert names_on(manager.get(f"{CABINET}{query}")) == ["Моя Студентка"]


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
        chosen = form.chosen

    assert not form.errors
    assert (chosen.period.first_day.isoformat(), chosen.period.last_day.isoformat()) == (
        first,
        last,
    )


def test_all_time_begins_with_the_first_sale(sales: Sales, manager: Client) -> None:
    sales.add(created_at=datetime(2024, 5, 1, tzinfo=ALMATY))
    sales.add()
    sales.add(created_at=None)  # Nobody knows when.

    page = text_on(manager.get(f"{RESULTS}?period=all"))

    assert "За всё время у вас 2 продажи" in page
    assert "Продажи по месяцам" in page
    assert "<span>1 мая 2024</span>" in page  # where the chart begins
    assert "chart-ghost" not in page  # nothing is before all time


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
def test_a_bad_period_is_reported_and_the_page_works(
    sales: Sales, manager: Client, query: str, sentence: str
) -> None:
    answer = manager.get(f"{RESULTS}?{query}")

    assert answer.status_code == 400
    assert sentence in text_on(answer)
    assert "Рейтинг менеджеров" in text_on(answer)


# --- Students ----------------------------------------------------------------------------------


def test_students_are_found_by_any_part_in_any_case(sales: Sales, manager: Client) -> None:
    sales.add("aigerim@mail.kz", full_name="Әйгерім Нұрланқызы")
    sales.add("dana.k@onai.test", full_name="Дана Ким")
    sales.add("yan@onai.test", full_name="Ян Ли")

    def found(text: str) -> list[str]:
        return sorted(names_on(manager.get(CABINET, {"q": text})))

    assert found("әЙГЕР") == found("ланқ") == found("RIM@mail") == ["Әйгерім Нұрланқызы"]
    assert found("ким дан") == ["Дана Ким"]
    assert found("ян") == ["Ян Ли"]
    assert found("onai.test") == ["Дана Ким", "Ян Ли"]
    assert found("нет такого") == []
    assert found("100%_") == []
    assert "хотя бы две буквы" in text_on(manager.get(CABINET, {"q": "я"}))


def test_links_keep_the_other_filters(sales: Sales, as_person: SignIn) -> None:
    for number in range(30):
        sales.add(full_name=f"Имя {number}", status="blocked")
    asked = {"status": "blocked", "sort": "name", "q": "имя"}

    page = text_on(as_person("admin@onai.test").get(CABINET, asked))

    assert "students.csv?q=имя&status=blocked&sort=name" in unquote(page)
    (following,) = re.findall(r'href="(\?[^"]*)#students"\s*>Дальше', page)
    second = text_on(as_person("admin@onai.test").get(f"{CABINET}{following}"))
    assert "← В начало" in second
    assert "← В начало" not in page


def test_students_are_counted_up_to_a_thousand(
    sales: Sales, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onai.web.paging.COUNTED_AT_MOST", 3)
    for _ in range(3):
        sales.add()
    assert "Всего: 3" in text_on(manager.get(CABINET))
    sales.add()
    assert "Больше 3" in text_on(manager.get(CABINET))


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
        return sorted(names_on(admin.get(CABINET, query)))

    assert found(letter="sent") == ["Ушло"]
    assert found(letter="waiting") == ["Ждёт"]
    assert found(letter="failed") == ["Не ушло"]
    assert found(letter="none") == ["Нет письма"]
    assert found(status="blocked") == ["Ушло"]
    assert found(manager="none") == ["Нет письма"]
    assert found(manager=str(sales.ids["botagoz"])) == []
    assert "Никого не нашлось." in text_on(admin.get(CABINET, {"status": "completed"}))
    nonsense = admin.get(CABINET, {"status": "sleeping", "sort": "x", "after": "AAAA"})
    assert nonsense.status_code == 400
    assert len(names_on(nonsense)) == 4
    no_such_page = admin.get(CABINET, {"after": "AAAA"})
    assert no_such_page.status_code == 400
    assert "Такой страницы нет: показана первая." in text_on(no_such_page)
    assert len(names_on(no_such_page)) == 4


@pytest.mark.parametrize("order", list(Order))
def test_the_pages_cover_the_list(
    sales: Sales, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sales.cabinet.student_list._BATCH", 7)
    dice = random.Random(6)
    for number in range(60):
        moment = datetime(2026, 11, dice.randint(1, 5), tzinfo=UTC)
        sales.add(
            full_name=f"Имя {dice.randint(1, 9)}",
            created_at=dice.choice([moment, None]),
            last_sign_in_at=dice.choice([moment, None]),
            email=f"{number}@onai.test",
        )
    wanted = StudentFilter(order=order)
    seen, after, pages = [], "", 0
    while True:
        page = page_of_students(wanted, availability(), after=after)
        seen += page.rows
        pages += 1
        if page.following is None:
            break
        after = page.following

    assert pages == 3
    assert page.count == 60
    assert len({student.pk for student in seen}) == 60
    assert [student.pk for student in seen] == [
        student.pk for batch in all_students(wanted, availability()) for student in batch
    ]
    long_ago = datetime(1900, 1, 1, tzinfo=UTC)
    accounts = sales.desk.rows("select id, last_sign_in_at from auth.users")
    signed_in = {account["id"]: account["last_sign_in_at"] for account in accounts}
    keys: dict[Order, Callable[[Any], Any]] = {
        Order.NEWEST: lambda one: -(one.created_at or datetime(1900, 1, 1, tzinfo=UTC)).timestamp(),
        Order.SIGN_IN: lambda one: -(signed_in[one.user_id] or long_ago).timestamp(),
        Order.NAME: lambda one: one.full_name.lower(),
    }
    assert [keys[order](one) for one in seen] == sorted(keys[order](one) for one in seen)


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    sales: Sales, as_person: SignIn
) -> None:
    admin = as_person("admin@onai.test")

    def statements() -> int:
        with CaptureQueriesContext(connections["tripwire"]) as captured:
            assert admin.get(CABINET).status_code == 200
            assert admin.get(f"{RESULTS}?period=all").status_code == 200
            assert admin.get(f"{CABINET}/activity").status_code == 200
        return len(captured)

    sales.add()
    # What is asked once in a while only.
    statements()
    few = statements()
    for _ in range(30):
        sales.add()

    assert statements() == few
    assert few < 42


def test_the_file_holds_the_filtered_rows(
    sales: Sales, manager: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    sales.add("evil@onai.test", full_name="=HYPERLINK(1)", manager_name="@cmd", price=None)
    sales.add(
        "plain@onai.test",
        full_name='Имя; "в кавычках"',
        status="blocked",
        manager_name="",
        welcome_email_sent=True,
    )
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
    assert by_email["plain@onai.test"][3] == "без менеджера"
    assert by_email["plain@onai.test"][7] == "10.11.2026 12:00"
    assert by_email["evil@onai.test"][5] == "Не отправлялось"
    assert by_email["plain@onai.test"][5] == "Отправлено"
    assert "students_exported" in caplog.text


def test_a_manager_without_students_sees_what_to_do(sales: Sales, manager: Client) -> None:
    page = text_on(manager.get(CABINET))

    assert "Студентов пока нет." in page
    assert "За эти дни продаж нет." in text_on(manager.get(RESULTS))


@pytest.mark.parametrize(
    ("part", "path", "left"),
    [
        ("statistics.leaderboard", RESULTS, "Период"),
        ("statistics.first_day_of_all", RESULTS, "Период"),
        ("student_list.paging.page_of", CABINET, "Открыть доступ"),
    ],
)
def test_an_outage_takes_down_only_the_part_it_concerns(
    sales: Sales, manager: Client, monkeypatch: Any, part: str, path: str, left: str
) -> None:
    sales.add()

    def down(*args: Any, **options: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(f"sales.cabinet.{part}", down)
    page = text_on(manager.get(f"{path}?period=all"))

    assert "База сейчас не отвечает" in page
    assert left in page
    assert "gone" not in page


def test_the_figures_renew_themselves(sales: Sales, manager: Client) -> None:
    address = f"{RESULTS}?from=2026-11-01&to=2026-11-30"
    page = text_on(manager.get(address))
    assert 'hx-get="/sales-manager/results?from=2026-11-01&to=2026-11-30"' in page
    sales.add(price=4000)

    live = manager.get(address, headers={"HX-Request": "true", "HX-Target": "live"})

    assert "4 000 ₸" in text_on(live)
    assert 'id="live"' in text_on(live)
    assert "<html" not in text_on(live)


def test_a_new_manager_is_in_the_rating_at_once(
    sales: Sales, accounts: Accounts, as_person: SignIn
) -> None:
    accounts.create("new@onai.test", role="sales", full_name="Новая Сотрудница")
    page = text_on(as_person("new@onai.test").get(RESULTS))
    assert re.search("Новая Сотрудница</bdi> <span[^>]*>это вы", page)


def test_students_and_strangers_do_not_see_the_cabinet(sales: Sales, as_person: SignIn) -> None:
    student = as_person("student@onai.test")
    for path in ("", "/results", "/activity", "/students.csv"):
        assert student.get(CABINET + path).status_code == 403
        assert Client().get(CABINET + path).status_code == 302

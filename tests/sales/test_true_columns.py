"""Sign-ins and progress as Supabase and the platform know them, and who may want a message."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from funnel.tasks import watch_signals
from onai.db import optional_tables
from tests.conftest import LandingPages
from tests.support.desk import Row
from tests.support.optional_tables import taken_away
from tests.support.student_changes import SignIn
from tests.support.student_rows import CABINET, RESULTS, Sales, names_on, text_on, work_on

PLATFORM = ("tripwire_progress", "tripwire_user_profile", "certificates")


@pytest.fixture
def manager(as_person: SignIn) -> Client:
    return as_person("ayaulym@onai.test")


def _ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


def _student(
    sales: Sales, name: str, *, days: float = 0, seen: float | None = None, **more: Any
) -> Row:
    """A student with access for so many days, who signed in so many days ago, or never."""
    signed_in = None if seen is None else _ago(days=seen)
    return sales.add(
        full_name=name, created_at=_ago(days=days, minutes=5), last_sign_in_at=signed_in, **more
    )


def _lesson(sales: Sales, student: Row, module: int, *, days: float = 0, done: bool = True) -> None:
    at = _ago(days=days)
    sales.desk.connection.execute(
        "insert into tripwire_progress (tripwire_user_id, module_id, lesson_id, is_completed,"
        " completed_at, updated_at) values (%s, %s, %s, %s, %s, %s)",
        [student["user_id"], module, 51 + module, done, at if done else None, at],
    )


def _profile(sales: Sales, student: Row, modules: int) -> None:
    sales.desk.connection.execute(
        "insert into tripwire_user_profile (user_id, modules_completed) values (%s, %s)",
        [student["user_id"], modules],
    )


def _certificate(sales: Sales, student: Row) -> None:
    sales.desk.connection.execute(
        "insert into certificates (user_id, certificate_number) values (%s, %s)",
        [student["user_id"], uuid4().hex],
    )


def _card(client: Client, student: Row) -> str:
    return text_on(client.get(f"{CABINET}/students/{student['id']}"))


def _file(client: Client, **query: str) -> list[dict[str, str]]:
    answer: Any = client.get(f"{CABINET}/students.csv", query)
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(body), delimiter=";"))


@contextmanager
def _run_as_superuser(sales: Sales, statement: str, undo: str) -> Iterator[None]:
    sales.desk.connection.execute(statement)
    optional_tables.forget()
    try:
        yield
    finally:
        sales.desk.connection.execute(undo)
        optional_tables.forget()


def test_sign_ins_come_from_supabase_and_not_from_the_students_row(
    sales: Sales, manager: Client
) -> None:
    never = _student(sales, "Не Входила", days=5, first_login_at=_ago(days=2))
    came = _student(sales, "Вошёл Вчера", days=5, seen=1)

    page = text_on(manager.get(CABINET))
    rows = {row["Имя"]: row for row in _file(manager)}

    assert "входа не было, 5 дней с доступом" in page
    assert "входа не было, 5 дней с доступом" in _card(manager, never)
    assert "входа не было" not in _card(manager, came)
    assert rows["Не Входила"]["Последний вход"] == ""
    assert rows["Не Входила"]["Вход"].startswith("входа не было")
    assert rows["Вошёл Вчера"]["Последний вход"] != ""


def test_students_are_ordered_by_their_last_sign_in(sales: Sales, manager: Client) -> None:
    _student(sales, "Давно", days=9, seen=8)
    _student(sales, "Никогда", days=1, last_active_at=_ago(days=0))
    _student(sales, "Недавно", days=20, seen=1)

    assert names_on(manager.get(CABINET, {"sort": "active"})) == ["Недавно", "Давно", "Никогда"]


def test_an_account_that_is_not_seen_is_no_student_who_never_signed_in(
    sales: Sales, manager: Client
) -> None:
    student = _student(sales, "Скрытая Запись", days=5)
    with _run_as_superuser(
        sales,
        "alter role sales_desk nobypassrls; drop policy onai_reads on auth.users;"
        " create policy staff_only on auth.users for select to sales_desk"
        " using (raw_app_meta_data ->> 'role' in ('admin', 'sales')"
        "   or raw_user_meta_data ->> 'role' in ('admin', 'sales'))",
        "drop policy staff_only on auth.users;"
        " create policy onai_reads on auth.users for select to sales_desk using (true)",
    ):
        page = text_on(manager.get(CABINET))
        card = _card(manager, student)
        not_started = names_on(manager.get(CABINET, {"attention": "not-started-1"}))

    assert "вход неизвестен" in page
    assert "вход неизвестен" in card
    assert "входа не было" not in page + card
    assert "показывает сайту не все учётные записи" in page
    assert not_started == []


def test_without_the_right_to_read_sign_ins_the_page_says_so(sales: Sales, manager: Client) -> None:
    _student(sales, "Неизвестно", days=5, seen=1)
    others = (
        "id, email, deleted_at, banned_until, role, is_anonymous, raw_user_meta_data,"
        " raw_app_meta_data, created_at, phone, is_sso_user, updated_at"
    )
    with _run_as_superuser(
        sales,
        "set role sales_desk_owner; revoke select on auth.users from sales_desk;"
        f" grant select ({others}) on auth.users to sales_desk; reset role",
        "set role sales_desk_owner; revoke select on auth.users from sales_desk;"
        " grant select on auth.users to sales_desk; reset role",
    ):
        page = text_on(manager.get(CABINET, {"sort": "active"}))
        file = _file(manager)

    assert "не даёт сайту читать входы студентов" in page
    assert "вход неизвестен" in page
    assert "неизвестно: входы не видны" in page
    assert [row["Вход"] for row in file] == ["вход неизвестен"]


def test_progress_comes_from_the_platforms_tables(sales: Sales, manager: Client) -> None:
    counted = _student(sales, "По Профилю", modules_completed=0)
    _profile(sales, counted, 2)
    without_profile = _student(sales, "Без Профиля")
    _lesson(sales, without_profile, 16)
    _lesson(sales, without_profile, 17, done=False)
    finished = _student(sales, "До Конца")
    for module in (16, 17, 18):
        _lesson(sales, finished, module)
    certified = _student(sales, "С Сертификатом")
    _certificate(sales, certified)

    rows = {row["Имя"]: (row["Пройдено модулей"], row["Курс пройден"]) for row in _file(manager)}
    results = text_on(manager.get(f"{RESULTS}?period=all"))

    assert rows == {
        "По Профилю": ("2", "нет"),
        "Без Профиля": ("1", "нет"),
        "До Конца": ("3", "да"),
        "С Сертификатом": ("0", "да"),
    }
    assert "модулей 2 из 3" in text_on(manager.get(CABINET))
    assert "да, по данным учебной платформы" in _card(manager, certified)
    assert re.search(r"Прошли курс\D+>2<", results)
    assert "Отмечены прошедшими" not in results
    listed = names_on(manager.get(CABINET, {"attention": "finished"}))
    assert sorted(listed) == ["До Конца", "С Сертификатом"]
    assert len(_file(manager, attention="finished")) == 2


def test_without_the_platforms_tables_no_progress_is_shown(sales: Sales, manager: Client) -> None:
    student = _student(sales, "Ару Тест", days=2, seen=1)
    with taken_away(*PLATFORM):
        page, card = text_on(manager.get(CABINET)), _card(manager, student)
        results = text_on(manager.get(f"{RESULTS}?period=all"))
        file = _file(manager)
        listed = names_on(manager.get(CABINET, {"attention": "finished"}))

    assert listed == []
    for text in (page, card):
        assert "Таблицы учебной платформы сайту не видны" in text
        assert "из 3" not in text
    assert "Прошли курс" not in results
    assert "Учебная платформа не показывает сайту, кто прошёл курс" in results
    assert (file[0]["Пройдено модулей"], file[0]["Курс пройден"]) == ("", "")


def test_a_column_that_other_software_has_written_is_shown_with_its_origin(
    sales: Sales, manager: Client
) -> None:
    student = _student(sales, "Ару Тест", days=5)
    assert "записала платформа" not in _card(manager, student) + str(_file(manager)[0])

    sales.desk.connection.execute(
        "update tripwire_users set modules_completed = 1, email_opened = true, status = 'completed'"
    )
    # Asked once a day.
    assert "записала платформа" not in _card(manager, student)
    cache.clear()
    card, file = _card(manager, student), _file(manager)

    assert "Пройдено модулей (записала платформа)" in card
    assert file[0]["Пройдено модулей (записала платформа)"] == "1"
    assert file[0]["Письмо открыто (записала платформа)"] == "да"
    assert "Первый вход (записала платформа)" not in file[0]
    results = text_on(manager.get(f"{RESULTS}?period=all"))
    assert re.search(r"Отмечены прошедшими\D+>1<", results)


def test_who_has_not_started_is_found_by_days_of_access(sales: Sales, manager: Client) -> None:
    _student(sales, "Сегодня")
    _student(sales, "День", days=1)
    _student(sales, "Три", days=3)
    _student(sales, "Семь", days=7)
    _student(sales, "Вошёл", days=7, seen=6)
    _student(sales, "Закрыт", days=7, status="blocked")
    _student(sales, "На Паузе", days=7, status="inactive")

    def found(days: int) -> list[str]:
        return sorted(names_on(manager.get(CABINET, {"attention": f"not-started-{days}"})))

    assert found(1) == ["День", "Семь", "Три"]
    assert found(3) == ["Семь", "Три"]
    assert found(7) == ["Семь"]
    page = text_on(manager.get(CABINET))
    assert work_on(page) == {"Не начали": "3"}
    assert [row["Имя"] for row in _file(manager, attention="not-started-7")] == ["Семь"]


def test_a_student_has_gone_quiet_after_a_start_and_days_without_a_visit(
    sales: Sales, manager: Client
) -> None:
    _student(sales, "Неделя", days=40, seen=7.1)
    _student(sales, "Месяц", days=40, seen=31)
    _student(sales, "Вчера", days=40, seen=1)
    _student(sales, "Никогда", days=40)
    learns = _student(sales, "Учится Не Входя", days=40, seen=20)
    _lesson(sales, learns, 16, days=2)
    for name, told in (("Профиль", "profile"), ("Сертификат", "certificate"), ("Уроки", "lessons")):
        finished = _student(sales, name, days=40, seen=31)
        if told == "profile":
            _profile(sales, finished, 3)
        elif told == "certificate":
            _certificate(sales, finished)
        else:
            for module in (16, 17, 18):
                _lesson(sales, finished, module, days=31)

    def found(days: int) -> list[str]:
        return sorted(names_on(manager.get(CABINET, {"attention": f"quiet-{days}"})))

    assert found(7) == ["Месяц", "Неделя"]
    assert found(14) == found(30) == ["Месяц"]
    assert work_on(text_on(manager.get(CABINET)))["Пропали"] == "2"


def test_the_status_page_says_what_the_site_does_not_do(admin: Client, sales: Sales) -> None:
    page = text_on(admin.get("/status"))

    assert "Сам студентам не напоминает" in page
    assert "CRM не подключена" in page


def test_a_message_is_ready_for_each(sales: Sales, manager: Client) -> None:
    never = _student(sales, "Не Начала", days=2)
    quiet = _student(sales, "Пропал", days=20, seen=9)
    learns = _student(sales, "Учится", days=20, seen=1)
    sales.desk.connection.execute(
        "insert into sales_student_phones (student_id, phone) values (%s, '+77000000011')",
        [never["id"]],
    )

    card = _card(manager, never)
    assert "Здравствуйте, Не Начала! Доступ к экспресс-курсу" in card
    assert "https://wa.me/77000000011?text=" in card
    assert "Давно не видели вас" in _card(manager, quiet)
    assert "wa.me" not in _card(manager, quiet)
    for text in ("Давно не видели", "входа пока не было"):
        assert text not in _card(manager, learns)


def test_what_rests_on_sign_ins_says_since_when_there_have_been_none(
    sales: Sales, manager: Client, landing: LandingPages
) -> None:
    student = _student(sales, "Не Начала", days=60)
    _student(sales, "Пропал", days=60, seen=20)
    for days in range(20, 60):
        _student(sales, f"Имя {days}", days=days, seen=days, status="inactive")
    assert "Студенты не входят" not in text_on(manager.get(CABINET))

    watch_signals(0)

    page = text_on(manager.get(CABINET))
    assert "Студенты не входят с" in page
    assert page.count("неполно с") == 2
    assert "Студенты не входят с" in _card(manager, student)
    assert "Студенты не входят с" in text_on(manager.get(RESULTS))

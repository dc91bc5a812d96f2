"""A student's phone: typed in any spelling, kept in one, corrected like the name, searched."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from onai import encryption
from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import USERS, work_later
from tests.support.people import Accounts
from tests.support.student_changes import (
    MANAGER,
    SignIn,
    act_and_follow,
    manager_of_one,
    newest_entry,
    path_of,
    student_of,
    text_of,
)
from tests.support.student_rows import CABINET, Sales, names_on, text_on

NEW, API = f"{CABINET}/students/new", "/api/tripwire-manager/create-student"
KEPT, SHOWN = "+77000000011", "8 700 000 00 11"
SAME = {"email": GOOD["email"], "full_name": GOOD["full_name"]}
Call = Callable[..., Any]


@pytest.fixture
def call(client: Client, bearer: Callable[[str], dict[str, str]], desk: Desk) -> Call:
    def post(phone: object = None, **headers: str) -> Any:
        body = GOOD if phone is None else {**GOOD, "phone": phone}
        return client.post(
            API,
            json.dumps(body),
            content_type="application/json",
            headers={**bearer(MANAGER), **headers},
        )

    return post


def _phones(desk: Desk) -> list[str]:
    return [row["phone"] for row in desk.rows("select phone from sales_student_phones")]


@pytest.mark.parametrize("typed", ["+7 700 000-00-11", "87000000011", " 7000000011 "])
def test_a_new_students_phone_is_kept_in_one_spelling(
    manager: Client, desk: Desk, typed: str
) -> None:
    assert manager.post(NEW, {**GOOD, "phone": typed}).status_code == 302

    assert _phones(desk) == [KEPT]
    page = manager.get(path_of(desk)).content.decode()
    assert f'<a href="tel:{KEPT}">{SHOWN}</a>' in page
    assert 'href="https://wa.me/77000000011"' in page


def test_a_phone_may_be_left_out(manager: Client, desk: Desk) -> None:
    manager.post(NEW, {**GOOD, "phone": "  "})

    desk.assert_whole_student()
    assert _phones(desk) == []


@pytest.mark.parametrize("wrong", ["нет", "123", "+7 (___) ___-__-__", "7777777777777\0"])
def test_an_invalid_phone_creates_nothing(manager: Client, desk: Desk, wrong: str) -> None:
    answer = manager.post(NEW, {**GOOD, "phone": wrong})

    assert answer.status_code == 400
    assert "Это не похоже на номер телефона" in text_of(answer)
    desk.assert_no_student()


def test_the_api_takes_a_phone(call: Call, desk: Desk) -> None:
    answer = call("8 (700) 000 00 11")

    assert answer.status_code == 201
    assert _phones(desk) == [KEPT]


@pytest.mark.parametrize("wrong", ["нет", 87000000011, ["8"]])
def test_the_api_refuses_an_invalid_phone(call: Call, desk: Desk, wrong: object) -> None:
    answer = call(wrong)

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["phone"]
    desk.assert_no_student()


def test_the_same_request_has_the_same_phone(call: Call, desk: Desk) -> None:
    first = call("87000000011", **{"Idempotency-Key": "k"})

    again = call("+7 700 000 00 11", **{"Idempotency-Key": "k"})
    other = call("87000000012", **{"Idempotency-Key": "k"})
    without = call(**{"Idempotency-Key": "k"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert [other.status_code, without.status_code] == [409, 409]
    assert _phones(desk) == [KEPT]


def test_a_request_recorded_before_there_were_phones_stays_the_same(
    call: Call, desk: Desk, accounts: Accounts
) -> None:
    first = call(**{"Idempotency-Key": "k"})
    asker = {"user_id": accounts.sign_in(MANAGER)["user"]["id"]}
    recorded = json.dumps(["NewStudent", {**GOOD, "manager": asker, "adopt": False}])
    old = encryption.fingerprint(recorded, purpose="student request")
    desk.connection.execute("update sales_requests set fingerprint = %s", [old])

    again = call(**{"Idempotency-Key": "k"})

    assert (again.status_code, again.json()) == (201, first.json())


def test_the_worker_keeps_the_phone_of_a_creation_it_finishes(
    manager: Client, desk: Desk, faults: Faults
) -> None:
    faults.set(USERS, method="POST", status=504, after=False)
    manager.post(NEW, {**GOOD, "phone": SHOWN})
    faults.clear()

    work_later(desk)

    desk.assert_whole_student()
    assert _phones(desk) == [KEPT]


def test_a_phone_is_corrected_like_the_name(as_person: SignIn, desk: Desk) -> None:
    manager = manager_of_one(as_person)
    for typed, kept in ((SHOWN, KEPT), ("8 700 000 00 12", "+77000000012")):
        answer = act_and_follow(manager, desk, "data", **SAME, phone=typed)
        assert "Исправлено." in text_of(answer)
        assert _phones(desk) == [kept]
    assert newest_entry(desk)["details"]["before"] == {"phone": KEPT}
    assert newest_entry(desk)["details"]["after"] == {"phone": "+77000000012"}
    assert 'value="8 700 000 00 12"' in manager.get(path_of(desk, "data")).content.decode()

    unchanged = act_and_follow(manager, desk, "data", **SAME, phone="+7 700 000 00 12")
    assert "Ничего не изменилось" in text_of(unchanged)
    wrong = act_and_follow(manager, desk, "data", **SAME, phone="12")
    assert "Это не похоже на номер телефона" in text_of(wrong)
    # A form drawn before there was a phone.
    act_and_follow(manager, desk, "data", email=GOOD["email"], full_name="Ару Новая")
    assert _phones(desk) == ["+77000000012"]
    act_and_follow(manager, desk, "data", email=GOOD["email"], full_name="Ару Новая", phone="")
    assert _phones(desk) == []


def test_a_phone_is_corrected_while_supabase_is_down(
    as_person: SignIn, desk: Desk, faults: Faults
) -> None:
    manager = manager_of_one(as_person)
    faults.set(USERS, status=503)

    act_and_follow(manager, desk, "data", **SAME, phone=SHOWN)

    assert _phones(desk) == [KEPT]


def test_a_phone_goes_with_its_student(manager: Client, desk: Desk) -> None:
    manager.post(NEW, {**GOOD, "phone": SHOWN})

    desk.connection.execute("delete from auth.users where id = %s", [student_of(desk)["user_id"]])

    assert _phones(desk) == []


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (SHOWN, ["Ару Ким"]),
        ("+7 (700) 000-00-11", ["Ару Ким"]),
        ("7000000011", ["Ару Ким"]),
        ("0011", ["Ару Ким"]),
        ("8 700 000 00", ["Ару Ким", "Дана Ким"]),
        ("8700", ["Ару Ким", "Дана Ким"]),
        ("ким 700", ["Ару Ким", "Дана Ким"]),
        ("ару 0012", []),
        ("2012", ["Без Телефона"]),
        ("8 700 000 00 13", []),
    ],
)
def test_students_are_searched_by_phone(
    manager: Client, sales: Sales, typed: str, found: list[str]
) -> None:
    for name, phone in (("Ару Ким", KEPT), ("Дана Ким", "+77000000012")):
        student = sales.add(full_name=name)["id"]
        sales.desk.connection.execute(
            "insert into sales_student_phones values (%s, %s)", [student, phone]
        )
    sales.add("aru2012@onai.test", full_name="Без Телефона")

    answer = manager.get(CABINET, {"q": typed, "sort": "name"})

    assert names_on(answer) == found
    file = manager.get(f"{CABINET}/students.csv", {"q": typed, "sort": "name"})
    lines = b"".join(file.streaming_content).decode()  # type: ignore[attr-defined]
    assert len(re.findall("@onai.test", lines)) == len(found)
    assert (SHOWN in lines) == ("Ару Ким" in found)
    assert f">{SHOWN}<" in text_on(answer) or "Ару Ким" not in found

"""Whatever fails, and whenever: after the worker has run, a change is made in both systems or in
none, and its student, account and log agree.
"""

from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client

from sales.provisioning import open_requests
from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import ONE_USER, work_later
from tests.support.people import Accounts
from tests.support.student_changes import (
    FORMS,
    NEW_EMAIL,
    NEW_PASSWORD,
    SignIn,
    admin_of_one,
    assert_changed,
    assert_unchanged,
    path_of,
    send_act,
)

pytestmark = pytest.mark.usefixtures("fresh_connection")


@pytest.fixture
def boss(as_person: SignIn, desk: Desk) -> Client:
    return admin_of_one(as_person)


UNCLEAR: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "504": {"status": 504, "body": "<html>"},
    "hang-up": {"drop": True},
    "garbage": {"status": 200, "body": "<html>"},
    "a gateway's 409": {"status": 409, "body": "<html>"},
}


# Whether an account is gone can be seen, whatever was answered.
SEEN = ("delete", "garbage", "after")


@pytest.mark.parametrize(
    ("act", "how", "moment"),
    [one for one in product(["password", "delete"], UNCLEAR, ["before", "after"]) if one != SEEN],
)
def test_a_change_with_an_unclear_answer_is_finished(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, act: str, how: str, moment: str
) -> None:
    faults.set(ONE_USER, after=moment == "after", times=1, **UNCLEAR[how])
    answer = send_act(boss, desk, act)
    assert "/sales-manager/changes/" in answer["Location"]
    page = boss.get(answer["Location"]).content.decode()
    assert "доведём дело до конца сами" in page
    assert NEW_PASSWORD not in desk.everything()

    desk.time_passes()
    assert open_requests.finish_open_requests() == 1

    assert_changed(desk, accounts, act)
    assert boss.get(answer["Location"]).status_code == 200


def test_a_deletion_that_took_effect_is_done_despite_the_answer(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    act, how, moment = SEEN
    faults.set(ONE_USER, after=moment == "after", times=1, **UNCLEAR[how])
    send_act(boss, desk, act)
    assert_changed(desk, accounts, act)


@pytest.mark.parametrize("act", ["status", "data"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_worker_finishes_unclear_changes(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, act: str, moment: str
) -> None:
    faults.set(ONE_USER, after=moment == "after", times=1, status=504, body="<html>")
    send_act(boss, desk, act)
    assert "change_finished" in work_later(desk)
    assert_changed(desk, accounts, act)


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "weak": (
        {
            "status": 422,
            "body": '{"code": "weak_password", "error_code": "weak_password",'
            ' "msg": "weak", "weak_password": {"reasons": []}}',
        },
        400,
        "слишком слабым",
    ),
    "limit": ({"status": 429, "body": "{}"}, 429, "просит подождать"),
    "key": ({"status": 401, "body": "{}"}, 502, "не получилось"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_refusal_changes_nothing_and_is_shown_on_the_form(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, how: str
) -> None:
    fault, status, sentence = REFUSED[how]
    faults.set(ONE_USER, times=1, **fault)

    answer = send_act(boss, desk, "password")

    assert answer.status_code == status
    assert sentence in answer.content.decode()
    assert answer.get("Retry-After") == ("60" if how == "limit" else None)
    assert_unchanged(desk, accounts)


def test_a_second_tap_gets_the_same_refusal(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    fault, status, sentence = REFUSED["weak"]
    faults.set(ONE_USER, times=1, **fault)
    body = {"attempt": str(uuid4()), **FORMS["password"]}
    for _ in range(2):
        answer = boss.post(path_of(desk, "password"), body)
        assert answer.status_code == status
        assert sentence in answer.content.decode()
    assert_unchanged(desk, accounts)


def test_a_refused_attempt_can_be_repeated(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, times=1, status=429, body="{}")
    assert send_act(boss, desk, "delete").status_code == 429
    assert send_act(boss, desk, "delete").status_code == 302
    assert desk.students() == []


def test_a_refusal_shown_at_once_is_not_repeated_in_the_cabinet(
    boss: Client, desk: Desk, faults: Faults
) -> None:
    faults.set(ONE_USER, times=1, status=429, body="{}")
    send_act(boss, desk, "password")
    assert "не получилось" not in boss.get("/sales-manager").content.decode()


@pytest.mark.parametrize("code", ["email_exists", "validation_failed"])
@pytest.mark.parametrize("act", ["password", "status", "delete"])
def test_an_unexpected_refusal_is_reported_as_our_fault(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, act: str, code: str
) -> None:
    faults.set(ONE_USER, times=1, status=422, body=f'{{"error_code": "{code}", "msg": "no"}}')
    answer = send_act(boss, desk, act)
    assert answer.status_code == 502
    assert "Изменить учётную запись не получилось" in answer.content.decode()
    assert_unchanged(desk, accounts)


def test_an_unreadable_refusal_is_a_refusal(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, times=1, status=422, body='{"error_code": "weak_password"}')
    assert send_act(boss, desk, "password").status_code == 400
    assert_unchanged(desk, accounts)


def test_an_operator_ends_a_stuck_change(boss: Client, desk: Desk, faults: Faults) -> None:
    faults.set(ONE_USER, status=504)
    answer = send_act(boss, desk, "password")
    (change,) = desk.changes()
    assert not open_requests.give_up(change["id"])  # a request may still be under way
    desk.connection.execute("update sales_requests set created_at = now() - interval '11 minutes'")

    call_command("intentions", give_up=change["id"])

    assert "отменено вручную" in boss.get(answer["Location"]).content.decode()
    assert desk.changes()[0]["sealed_password"] == ""


def test_a_row_that_cannot_be_written_delays_no_other_change(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, caplog: Any
) -> None:
    boss.post("/sales-manager/students/new", {**GOOD, "email": "second@onai.test"})
    first, second = desk.rows("select * from tripwire_users order by created_at")
    faults.set(ONE_USER, times=2, status=504)
    for student in (first, second):
        path = f"/sales-manager/students/{student['id']}/password"
        boss.post(path, {"attempt": str(uuid4()), **FORMS["password"]})
    desk.connection.execute(
        "alter table sales_activity_log add constraint poison check"
        f" (action_type <> 'password_reset' or target_user_id <> '{first['user_id']}')"
    )
    try:
        desk.time_passes()
        assert open_requests.finish_open_requests() == 1
    finally:
        desk.connection.execute("alter table sales_activity_log drop constraint poison")
    accounts.sign_in("second@onai.test", NEW_PASSWORD)
    assert "work_cannot_be_finished" in caplog.text
    assert GOOD["email"] not in caplog.text


def test_an_unreachable_supabase_is_asked_once_for_all_changes(
    boss: Client, desk: Desk, faults: Faults
) -> None:
    for number in range(4):
        boss.post("/sales-manager/students/new", {**GOOD, "email": f"s{number}@onai.test"})
    faults.set(ONE_USER, status=504)
    for student in desk.rows("select id from tripwire_users"):
        path = f"/sales-manager/students/{student['id']}/password"
        boss.post(path, {"attempt": str(uuid4()), **FORMS["password"]})
    faults.clear()
    faults.set(ONE_USER, status=504)
    desk.time_passes()
    assert open_requests.finish_open_requests() == 0
    assert faults.met() == 3


def test_scattered_unclear_answers_delay_no_other_change(
    boss: Client, desk: Desk, faults: Faults
) -> None:
    for number in range(5):
        boss.post("/sales-manager/students/new", {**GOOD, "email": f"s{number}@onai.test"})
    faults.set(ONE_USER, status=504)
    students = desk.rows(
        "select id, user_id from tripwire_users where email like 's_@%%' order by email"
    )
    for student in students:
        path = f"/sales-manager/students/{student['id']}/password"
        boss.post(path, {"attempt": str(uuid4()), **FORMS["password"]})
    faults.clear()
    for student in (*students[:2], *students[3:]):
        faults.set(f"{ONE_USER}{student['user_id']}", status=504)
    for hours, student in enumerate(reversed(students), start=1):
        desk.connection.execute(
            "update sales_requests set leased_until = now() - make_interval(hours => %s)"
            " where student_id = %s",
            [hours, student["id"]],
        )

    assert open_requests.finish_open_requests() == 1
    # Two before the one that went well, and two behind it.
    assert faults.met() == 4


def test_an_unreachable_supabase_changes_nothing(
    boss: Client, desk: Desk, accounts: Accounts, settings: Any
) -> None:
    settings.SUPABASE_AUTH_URL = "http://127.0.0.1:9/auth/v1"
    answer = send_act(boss, desk, "password")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "30"
    assert_unchanged(desk, accounts)


def test_a_refusal_after_an_unclear_answer_is_shown_in_the_cabinet(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, times=1, status=504)
    answer = send_act(boss, desk, "data")
    accounts.create(NEW_EMAIL)  # somebody else has the address by now
    faults.set(
        ONE_USER,
        times=1,
        status=422,
        body='{"code": "email_exists", "error_code": "email_exists", "msg": "taken"}',
    )

    desk.time_passes()
    assert open_requests.finish_open_requests() == 1

    assert_unchanged(desk, accounts)
    assert "не получилось" in boss.get("/sales-manager").content.decode()
    assert "уже у другой" in boss.get(answer["Location"]).content.decode()
    desk.connection.execute("update sales_requests set closed_at = now() - interval '25 hours'")
    assert "не получилось" not in boss.get("/sales-manager").content.decode()


@pytest.mark.parametrize("how", ["limit", "key", "unreachable"])
def test_a_temporary_refusal_does_not_end_a_change(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, settings: Any, how: str
) -> None:
    faults.set(ONE_USER, after=True, times=1, status=504)
    send_act(boss, desk, "password")
    reachable = settings.SUPABASE_AUTH_URL
    if how == "unreachable":
        settings.SUPABASE_AUTH_URL = "http://127.0.0.1:9/auth/v1"
    else:
        faults.set(ONE_USER, times=1, **REFUSED[how][0])
    desk.time_passes()
    assert open_requests.finish_open_requests() == 0

    settings.SUPABASE_AUTH_URL = reachable
    desk.time_passes()
    assert open_requests.finish_open_requests() == 1
    assert_changed(desk, accounts, "password")


def test_a_student_deleted_meanwhile_is_reported(boss: Client, desk: Desk, faults: Faults) -> None:
    faults.set(ONE_USER, times=1, status=504)
    answer = send_act(boss, desk, "password")
    desk.connection.execute("delete from auth.users where email = %s", [GOOD["email"]])

    desk.time_passes()
    assert open_requests.finish_open_requests() == 1

    assert "Этого студента уже нет" in boss.get(answer["Location"]).content.decode()


def test_a_change_whose_sealing_key_is_gone_is_given_up(
    boss: Client, desk: Desk, faults: Faults, settings: Any
) -> None:
    faults.set(ONE_USER, times=1, status=504)
    answer = send_act(boss, desk, "password")
    former = settings.SECRET_KEY
    settings.SECRET_KEY = "another key, and no fallback, of 50 characters or more"
    desk.time_passes()
    assert open_requests.finish_open_requests() == 1
    (change,) = desk.changes()
    assert (change["state"], change["refusal"]) == ("refused", "password_lost")
    settings.SECRET_KEY = former
    assert "Новый пароль не прочитать" in boss.get(answer["Location"]).content.decode()

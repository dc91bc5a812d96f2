"""What an operator has: open requests, unsent letters, accounts against students."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.people import Accounts

NEW = "/sales-manager/students/new"
USERS = "/auth/v1/admin/users"


@pytest.fixture
def say(capsys: Any) -> Callable[..., str]:
    """Run a command; what it said."""

    def say(*command: str) -> str:
        call_command(*command)
        return str(capsys.readouterr().out)

    return say


def test_open_requests_are_listed_and_finished(
    manager: Client, desk: Desk, faults: Faults, say: Any
) -> None:
    assert say("intentions") == "0 open\n"
    faults.set(USERS, method="POST", status=504, times=1)
    page = manager.post(NEW, GOOD, follow=True).content.decode()
    assert "Открываем доступ…" in page
    assert 'http-equiv="refresh"' in page
    assert GOOD["password"] not in page
    listed = say("intentions")
    assert "aru@onai.test" in listed
    assert "1 open" in listed
    desk.time_passes()

    finished = say("intentions", "--finish")

    assert finished == "1 brought to an end\n0 open\n"
    desk.assert_whole_student()


def test_the_waiting_page_becomes_the_result_with_the_password(
    manager: Client, desk: Desk, faults: Faults, say: Any
) -> None:
    faults.set(USERS, method="POST", status=504, times=1)
    where = manager.post(NEW, GOOD)["Location"]
    assert "Открываем доступ…" in manager.get(where).content.decode()
    desk.time_passes()
    say("intentions", "--finish")

    page = manager.get(where).content.decode()

    assert "Доступ открыт" in page
    assert GOOD["password"] in page
    assert 'http-equiv="refresh"' not in page


def test_the_waiting_page_becomes_the_refusal(
    manager: Client, desk: Desk, faults: Faults, accounts: Accounts, say: Any
) -> None:
    faults.set(USERS, method="POST", status=504, times=1)
    where = manager.post(NEW, GOOD)["Location"]
    accounts.create(GOOD["email"], role="student")
    desk.time_passes()
    say("intentions", "--finish")

    page = manager.get(where).content.decode()

    assert "Доступ не открыт" in page
    assert "Учётная запись с этим адресом уже есть" in page


@pytest.mark.parametrize("opened", [True, False])
def test_giving_up_a_creation_deletes_its_account(
    manager: Client, desk: Desk, faults: Faults, say: Any, opened: bool
) -> None:
    faults.set(USERS, method="POST", status=504, after=opened)
    faults.set(f"{USERS}/", method="GET", status=500)
    where = manager.post(NEW, GOOD)["Location"]
    (creation,) = desk.creations()
    assert len(desk.accounts()) == opened
    faults.clear()

    assert "will be given up at" in say("intentions", "--give-up", str(creation["id"]))

    # Not at once: what we gave up waiting for may still be under way at Supabase.
    assert say("intentions", "--finish").startswith("0 brought to an end")
    assert "being given up" in say("intentions")
    desk.time_passes()
    say("intentions", "--finish")
    desk.assert_no_student()
    assert "Создание отменено вручную" in manager.get(where).content.decode()
    with pytest.raises(CommandError, match="No open request"):
        say("intentions", "--give-up", str(creation["id"]))


def test_nothing_is_given_up_while_supabase_is_down(
    manager: Client, desk: Desk, faults: Faults, say: Any
) -> None:
    faults.set(USERS, status=504)
    manager.post(NEW, GOOD)
    say("intentions", "--give-up", str(desk.creations()[0]["id"]))
    desk.time_passes()

    say("intentions", "--finish")

    assert len(desk.open_creations()) == 1


def test_unsent_letters_are_listed_and_sent(
    manager: Client, desk: Desk, faults: Faults, say: Any
) -> None:
    faults.set("/emails", status=422, body='{"name": "validation_error"}', times=1)
    manager.post(NEW, GOOD)
    faults.set("/emails", status=500, times=1)
    manager.post(NEW, {**GOOD, "email": "dana@onai.test"})
    listed = say("letters")
    assert "failed  1 attempts  aru@onai.test  422 validation_error" in listed
    assert "pending  1 attempts  dana@onai.test" in listed
    assert "2 unsent" in listed

    assert say("letters", "--send") == "0 unsent\n"

    desk.assert_whole_student("aru@onai.test")
    desk.assert_whole_student("dana@onai.test")


def test_accounts_are_compared_with_students(
    manager: Client, desk: Desk, faults: Faults, say: Any
) -> None:
    # The student of the tests is an account without a row, as the predecessor left some.
    first = say("compare_accounts")
    assert "account without a student:" in first
    assert "student@onai.test" in first
    assert "1 to look at" in first
    assert "ayaulym" not in first  # staff are no students
    # Nor is what is being created left over.
    faults.set(USERS, method="POST", status=504, after=True, times=1)
    faults.set(f"{USERS}/", method="GET", status=504, times=1)
    manager.post(NEW, GOOD)
    assert len(desk.accounts()) == 1
    assert "1 to look at" in say("compare_accounts")
    desk.time_passes()
    say("intentions", "--finish")

    (student,) = desk.students()
    desk.connection.execute("update tripwire_users set email = 'elsewhere@onai.test'")
    desk.connection.execute(
        "insert into tripwire_users (id, user_id, full_name, email) values (%s, %s, 'Ю', 'u@u.kz')",
        [uuid4(), student["user_id"]],
    )

    second = say("compare_accounts")
    assert "another e-mail at Supabase: elsewhere@onai.test there 'aru@onai.test'" in second
    assert f"several students of one account: {student['user_id']}" in second


def test_an_open_creation_is_listed_in_the_cabinet(
    manager: Client, desk: Desk, faults: Faults, accounts: Accounts, say: Any
) -> None:
    faults.set(USERS, method="POST", status=504, times=1)
    where = manager.post(NEW, GOOD)["Location"]
    cabinet = manager.get("/sales-manager").content.decode()
    assert where in cabinet
    assert "доступ открывается" in cabinet
    accounts.create(GOOD["email"], role="student")
    desk.time_passes()
    say("intentions", "--finish")

    cabinet = manager.get("/sales-manager").content.decode()

    assert where in cabinet
    assert "доступ не открыт" in cabinet
    desk.connection.execute("update sales_requests set closed_at = now() - interval '25 hours'")
    assert where not in manager.get("/sales-manager").content.decode()


def test_status_reports_stuck_creations(
    manager: Client, as_person: Callable[[str], Client], desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", status=422, body='{"name": "validation_error"}', times=1)
    manager.post(NEW, GOOD)
    faults.set(USERS, method="POST", status=504)
    manager.post(NEW, {**GOOD, "email": "dana@onai.test"})
    fresh = as_person("admin@onai.test").get("/status").content.decode()
    assert "не ушли: 1, ждут: 0" in fresh
    assert "все закончены" in fresh  # so far it may yet
    desk.connection.execute("update sales_requests set created_at = now() - interval '1 hour'")

    assert "не закончены: 1" in as_person("admin@onai.test").get("/status").content.decode()

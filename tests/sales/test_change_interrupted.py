"""A change is killed, cut, held up, or made by several at once: it is made once, in both places."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from django.db import connections
from django.test import Client

from onai.identity.roles import Identity, Role
from sales.models import StudentStatus
from sales.provisioning import open_requests, problems
from sales.provisioning.change_student import NewStatus, change_student
from tests.conftest import Faults
from tests.settings import TRIPWIRE_URL
from tests.support import plain_http
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import (
    ONE_USER,
    is_waited_for,
    locked,
    post_in_own_thread,
    wait_until,
    work_later,
)
from tests.support.people import Accounts
from tests.support.server import Site, web_server
from tests.support.student_changes import (
    ADMIN,
    FORMS,
    NEW_EMAIL,
    SignIn,
    admin_of_one,
    assert_changed,
    assert_unchanged,
    path_of,
    send_act,
    student_of,
)

pytestmark = pytest.mark.usefixtures("fresh_connection")


_TOKEN = "t" * 32


@pytest.fixture
def boss(as_person: SignIn, desk: Desk) -> Client:
    return admin_of_one(as_person)


def _kill_when(
    site: Site, boss: Client, path: str, form: dict[str, str], reached: Callable[[], Any]
) -> None:
    """Send a form to a server, and kill it when this can be seen."""
    request = threading.Thread(target=_post_until_killed, args=(site, boss, path, form))
    request.start()
    wait_until(reached)
    site.kill()
    request.join(30)


def _post_until_killed(site: Site, boss: Client, path: str, form: dict[str, str]) -> None:
    # Any text does for the form's token, as long as the cookie has the same.
    cookies = {name: morsel.value for name, morsel in boss.cookies.items()} | {
        "__Host-csrftoken": _TOKEN
    }
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    with pytest.raises(httpx.HTTPError):
        plain_http.post(
            site.address + path,
            data={**form, "csrfmiddlewaretoken": _TOKEN},
            headers={"Cookie": header, "Referer": site.address},
            timeout=40,
        )


@pytest.mark.parametrize("act", ["data", "delete"])
def test_a_change_killed_after_the_account_is_finished(
    boss: Client, desk: Desk, accounts: Accounts, act: str
) -> None:
    form = {"attempt": str(uuid4()), **FORMS[act]}
    path = path_of(desk, act)
    with web_server() as doomed, locked("sales_activity_log"):
        _kill_when(doomed, boss, path, form, lambda: is_waited_for(desk, "sales_activity_log"))
    assert "change_finished" in work_later(desk)
    assert_changed(desk, accounts, act)


def test_a_process_killed_before_recording_changes_nothing(
    boss: Client, desk: Desk, accounts: Accounts
) -> None:
    form = {"attempt": str(uuid4()), **FORMS["data"]}
    with web_server() as doomed, locked("sales_requests"):
        _kill_when(
            doomed, boss, path_of(desk, "data"), form, lambda: is_waited_for(desk, "sales_requests")
        )
    work_later(desk)
    assert_unchanged(desk, accounts)


def test_an_address_taken_by_other_software_is_given_back(
    boss: Client, desk: Desk, accounts: Accounts
) -> None:
    """The predecessor writes a row with the new address after we have looked."""
    other = accounts.create("other@onai.test")
    with psycopg.connect(TRIPWIRE_URL) as predecessor:
        predecessor.execute(
            "insert into tripwire_users (user_id, full_name, email) values (%s, %s, %s)",
            [other["id"], "Другой Тест", NEW_EMAIL],
        )
        answers: list[Any] = []
        path, form = path_of(desk, "data"), {"attempt": str(uuid4()), **FORMS["data"]}
        request = threading.Thread(target=post_in_own_thread, args=(answers, boss, path, form))
        request.start()
        wait_until(lambda: desk.rows("select 1 from pg_locks where not granted"))
        predecessor.commit()
        request.join(30)
    assert answers[0].status_code == 409
    assert "уже у другой" in answers[0].content.decode()
    (account,) = desk.accounts()
    assert account["raw_user_meta_data"]["full_name"] == GOOD["full_name"]
    assert len(desk.students()) == 1
    accounts.sign_in(GOOD["email"], GOOD["password"])


def test_an_address_is_rolled_back_as_soon_as_supabase_answers(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, method="PUT", status=504, times=1)
    send_act(boss, desk, "data")
    other = accounts.create("other@onai.test")
    desk.connection.execute(
        "insert into tripwire_users (user_id, full_name, email) values (%s, %s, %s)",
        [other["id"], "Другой Тест", NEW_EMAIL],
    )
    faults.set(ONE_USER, method="PUT", times=1)  # The address is given to the account,
    faults.set(ONE_USER, method="PUT", times=1, status=429, body="{}")  # and not taken back.
    desk.time_passes()
    assert open_requests.finish_open_requests() == 0
    assert len(desk.accounts(NEW_EMAIL)) == 1

    desk.time_passes()
    assert open_requests.finish_open_requests() == 1

    assert desk.accounts(NEW_EMAIL) == []
    assert_unchanged(desk, accounts)


def test_a_student_whose_row_disappears_is_reported_as_gone(
    boss: Client, desk: Desk, faults: Faults
) -> None:
    faults.set(ONE_USER, method="PUT", delay=10, times=1)
    answers: list[Any] = []
    path, form = path_of(desk, "password"), {"attempt": str(uuid4()), **FORMS["password"]}
    request = threading.Thread(target=post_in_own_thread, args=(answers, boss, path, form))
    request.start()
    wait_until(faults.met)
    desk.connection.execute("delete from tripwire_users")
    faults.clear()
    request.join(30)

    assert answers[0].status_code == 409
    assert "Этого студента уже нет" in answers[0].content.decode()


def test_web_and_worker_can_finish_one_change_at_once(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, method="PUT", delay=1, times=1)
    answers: list[Any] = []
    path, form = path_of(desk, "password"), {"attempt": str(uuid4()), **FORMS["password"]}
    request = threading.Thread(target=post_in_own_thread, args=(answers, boss, path, form))
    request.start()
    wait_until(faults.met)
    desk.time_passes()
    open_requests.finish_open_requests()
    request.join(30)
    assert answers[0].status_code == 302
    assert_changed(desk, accounts, "password")


def test_simultaneous_changes_of_a_student_are_made_one_by_one(
    boss: Client, desk: Desk, accounts: Accounts
) -> None:
    boss_id = UUID(accounts.sign_in(ADMIN)["user"]["id"])
    asker = Identity(boss_id, ADMIN, "Админ Тест", Role.ADMIN)
    student_id = student_of(desk)["id"]
    statuses = [StudentStatus.BLOCKED, StudentStatus.INACTIVE] * 5
    done: list[str] = []

    def change(status: StudentStatus) -> None:
        try:
            change_student(student_id, NewStatus(status), asker=asker, attempt=uuid4())
            done.append(status.value)
        except (problems.ChangeInProgress, problems.NothingToChange):
            pass  # Told so, which is an answer.
        finally:
            connections.close_all()

    threads = [threading.Thread(target=change, args=(status,)) for status in statuses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    (account,), student = desk.accounts(), student_of(desk)
    assert (account["banned_until"] is not None) == (student["status"] == "blocked")
    assert desk.log().count("status_changed") == len(done) >= 1
    assert not desk.rows("select 1 from sales_requests where state = 'open'")

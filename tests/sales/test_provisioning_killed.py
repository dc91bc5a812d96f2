"""Killed at any moment of a creation: after the worker has run, a student is there whole or not.

The web server is a process of its own, which is really killed; the database is held up by real
locks.
"""

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import (
    LETTERS,
    ONE_USER,
    USERS,
    Ask,
    api_requests_of,
    is_waited_for,
    locked,
    wait_until,
    work_later,
)
from tests.support.people import Accounts
from tests.support.processes import run_worker
from tests.support.server import warm_web_server

pytestmark = pytest.mark.usefixtures("fresh_connection")
MANAGER = "ayaulym@onai.test"


def killed_when(
    desk: Desk,
    accounts: Accounts,
    reached: Callable[[], Any],
    person: str = MANAGER,
    **changes: Any,
) -> None:
    """A server that is killed, in the middle of a creation, when this can be seen."""
    with warm_web_server() as doomed:
        ask = api_requests_of(doomed, accounts, person)
        failed: list[Exception] = []

        def call() -> None:
            try:
                ask(**changes)
            except httpx.HTTPError as error:
                failed.append(error)

        request = threading.Thread(target=call)
        request.start()
        wait_until(reached)
        doomed.kill()
        request.join(30)
        assert failed, "the manager got an answer"


def test_a_process_killed_before_the_request_is_recorded_creates_nothing(
    desk: Desk, accounts: Accounts
) -> None:
    with locked("sales_requests"):
        killed_when(desk, accounts, lambda: is_waited_for(desk, "sales_requests"))
    work_later(desk)
    desk.assert_no_student()


def test_a_creation_killed_before_the_account_is_finished(
    desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(USERS, method="POST", delay=10, status=500, times=1)
    killed_when(desk, accounts, faults.met)
    assert desk.accounts() == []

    said = work_later(desk)

    desk.assert_whole_student()
    assert "creation_finished" in said


def test_a_creation_killed_during_the_account_is_finished(
    desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    # Supabase goes on with it after we are dead, and the worker comes at the same time.
    faults.set(USERS, method="POST", delay=10, times=1)
    killed_when(desk, accounts, faults.met)

    work_later(desk)
    desk.assert_whole_student()
    faults.clear()  # And now Supabase is done, too.

    desk.assert_whole_student()


def test_a_creation_killed_before_the_student_is_finished(
    desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(USERS, method="POST", delay=10, after=True, times=1)
    killed_when(desk, accounts, desk.accounts)
    assert desk.students() == []

    said = work_later(desk)

    desk.assert_whole_student()
    assert "creation_finished" in said


@pytest.mark.parametrize(
    "table", ["tripwire_users", "sales_activity_log", "sales_letters", "procrastinate_jobs"]
)
def test_a_creation_killed_within_the_transaction_is_finished(
    desk: Desk, accounts: Accounts, table: str
) -> None:
    with locked(table):
        killed_when(desk, accounts, lambda: is_waited_for(desk, table))
    assert desk.students() == []

    work_later(desk)

    desk.assert_whole_student()


def test_a_creation_killed_before_the_letter_sends_it(
    desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(LETTERS, delay=10, status=500, times=1)
    killed_when(desk, accounts, faults.met)
    assert desk.mailbox() == []

    work_later(desk)

    desk.assert_whole_student()
    assert len(desk.mailbox()) == 1


def test_a_letter_killed_after_sending_is_sent_once(
    desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(LETTERS, delay=10, after=True, times=1)
    killed_when(desk, accounts, desk.mailbox)
    assert desk.students()[0]["welcome_email_sent"] is False

    said = work_later(desk)

    desk.assert_whole_student()
    assert len(desk.mailbox()) == 1  # Resend knew its key
    assert said.count("✅ Student created, email sent") == 1


def test_a_job_of_a_killed_worker_is_taken_up_again(desk: Desk, ask: Ask, faults: Faults) -> None:
    # A killed worker leaves its job as if it were running, and nobody takes it up again.
    faults.set(LETTERS, status=500, times=1)
    ask()
    desk.connection.execute(
        "update procrastinate_jobs set status = 'doing' where task_name = 'sales.deliver_letter'"
    )
    desk.connection.execute(
        "update sales_letters set due_at = now() - interval '2 minutes',"
        " leased_until = now() - interval '2 minutes'"
    )

    run_worker()  # is reminded of it,
    run_worker()  # and does it

    desk.assert_whole_student()
    assert len(desk.mailbox()) == 1


def test_a_refusal_of_the_second_attempt_takes_back_the_first(
    desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(USERS, method="POST", delay=10, after=True, times=1)
    killed_when(desk, accounts, desk.accounts)
    headers = {"X-Supabase-Api-Version": "2024-01-01"}
    body = '{"code": "weak_password", "weak_password": {"reasons": []}}'
    faults.set(USERS, method="POST", status=422, body=body, headers=headers)

    assert "creation_undone" in work_later(desk)

    desk.assert_no_student()


def test_a_killed_adoption_is_finished(desk: Desk, accounts: Accounts, faults: Faults) -> None:
    left_over = accounts.create(GOOD["email"], role="student")
    faults.set(ONE_USER, method="PUT", delay=10, after=True, times=1)
    killed_when(desk, accounts, faults.met, person="admin@onai.test", adopt=True)

    work_later(desk)

    desk.assert_whole_student()
    assert str(desk.accounts()[0]["id"]) == left_over["id"]
    assert accounts.sign_in(GOOD["email"], GOOD["password"])

"""Whatever Supabase Auth answers, and when: after the worker has run, a student is there whole or
not at all. It fails on request, before or after it took effect.
"""

import threading
from typing import Any

import httpx
import pytest

from sales.provisioning import open_requests
from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import (
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
from tests.support.server import Site

pytestmark = pytest.mark.usefixtures("fresh_connection")


REFUSED = {
    "weak_password": (422, '{"code":"weak_password","weak_password":{"reasons":["pwned"]}}', 400),
    "invalid_email": (400, '{"code":"validation_failed"}', 400),
    "too_many_requests": (429, '{"code":"over_request_rate_limit"}', 429),
    "auth_not_permitted": (401, '{"message":"Invalid API key"}', 502),
    "auth_failed": (500, '{"code":"unexpected_failure"}', 502),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_definite_refusal_undoes_everything_and_says_why(
    desk: Desk, ask: Ask, faults: Faults, code: str
) -> None:
    status, body, told = REFUSED[code]
    headers = {"X-Supabase-Api-Version": "2024-01-01"}
    faults.set(USERS, method="POST", status=status, body=body, headers=headers)

    answer = ask()

    assert (answer.status_code, answer.json()["code"]) == (told, code)
    desk.assert_no_student()
    work_later(desk)
    desk.assert_no_student()
    faults.clear()
    assert ask().status_code == 201
    desk.assert_whole_student()


BEFORE: dict[str, dict[str, Any]] = {
    "time-out": {"delay": 7},
    "hang-up": {"drop": True},
    "gateway": {"status": 504},
    "garbage": {"body": "<html>", "status": 200},
    "gateway's own words": {"status": 409, "body": "<html>"},
    "request time-out": {"status": 408, "body": '{"message": "slow"}'},
    "odd json": {"body": '{"user": null}', "status": 200},
}


AFTER = {**BEFORE, "error": {"status": 500}}


@pytest.mark.parametrize("how", AFTER)
def test_an_account_opened_despite_an_error_is_found(
    desk: Desk, ask: Ask, faults: Faults, how: str
) -> None:
    faults.set(USERS, method="POST", after=True, times=1, **AFTER[how])

    answer = ask()

    assert answer.status_code == 201
    desk.assert_whole_student()


@pytest.mark.parametrize("how", BEFORE)
def test_an_outcome_that_stays_unclear_is_finished_by_the_worker(
    desk: Desk, ask: Ask, faults: Faults, how: str
) -> None:
    faults.set(USERS, method="POST", times=1, **BEFORE[how])

    answer = ask()

    assert (answer.status_code, answer.json()["code"]) == (503, "still_creating")
    assert int(answer.headers["Retry-After"]) > 0
    assert len(desk.open_creations()) == 1
    again = ask(email="dana@onai.test")
    assert again.json()["code"] == "idempotency_key_reused"
    assert "creation_finished" in work_later(desk)
    desk.assert_whole_student()
    faults.clear()  # Also where Supabase did it in the end.
    desk.assert_whole_student()
    assert ask().status_code == 201  # the same request, whose end it now hears
    desk.assert_whole_student()


def test_an_outcome_that_cannot_be_looked_up_stays_open(
    desk: Desk, ask: Ask, faults: Faults
) -> None:
    faults.set(USERS, method="POST", after=True, status=500)
    faults.set(ONE_USER, method="GET", status=500)

    answer = ask()

    assert answer.json()["code"] == "still_creating"
    assert "creation_still_open" in work_later(desk)
    assert len(desk.open_creations()) == 1
    faults.clear()
    work_later(desk)
    desk.assert_whole_student()


def test_a_late_refusal_is_shown_on_the_waiting_page(
    desk: Desk, ask: Ask, faults: Faults, accounts: Accounts
) -> None:
    faults.set(USERS, method="POST", status=504, times=1)
    ask()
    # In the meantime somebody opens an account under that address at Supabase itself.
    left_over = accounts.create(GOOD["email"], role="student")

    said = work_later(desk)

    assert "creation_undone" in said
    (creation,) = desk.creations()
    assert (creation["state"], creation["refusal"]) == ("refused", "account_exists")
    assert [str(account["id"]) for account in desk.accounts()] == [left_over["id"]]
    assert desk.students() == []


def test_a_student_written_by_other_software_undoes_our_creation(
    desk: Desk, ask: Ask, faults: Faults, accounts: Accounts
) -> None:
    # The predecessor may still run: it writes the row while we open the account.
    other = accounts.create("elsewhere@onai.test", role="student")
    faults.set(USERS, method="POST", status=504, times=1)
    ask()
    desk.connection.execute(
        "insert into tripwire_users (user_id, full_name, email) values (%s, 'Ару', %s)",
        [other["id"], GOOD["email"]],
    )

    work_later(desk)

    assert desk.accounts() == []
    (creation,) = desk.creations()
    assert (creation["state"], creation["refusal"]) == ("refused", "email_taken")
    assert desk.letters() == []


def test_an_account_deleted_in_between_is_opened_again(
    desk: Desk, ask: Ask, accounts: Accounts, faults: Faults
) -> None:
    with locked("tripwire_users"):
        request = threading.Thread(target=ask)
        request.start()
        wait_until(lambda: is_waited_for(desk, "tripwire_users"))
        (account,) = desk.accounts()
        # Its deletion looks for students too, and waits with us for the lock, or goes before.
        deletion = threading.Thread(
            target=accounts.call, args=("DELETE", f"/admin/users/{account['id']}")
        )
        deletion.start()
    request.join(30)
    deletion.join(30)

    work_later(desk)

    # Either it was deleted first and opened anew, or it was deleted with its student.
    if desk.accounts():
        desk.assert_whole_student()
    else:
        assert desk.students() == []
        assert desk.letters() == []


@pytest.mark.parametrize("after", [True, False])
def test_an_adoption_whose_outcome_is_unclear_is_finished(
    desk: Desk, api_site: Site, accounts: Accounts, faults: Faults, after: bool
) -> None:
    accounts.create(GOOD["email"], role="student")
    faults.set(ONE_USER, method="PUT", status=500, after=after, times=1)

    answer = api_requests_of(api_site, accounts, "admin@onai.test")(adopt=True)

    assert answer.json()["code"] == "still_creating"
    work_later(desk)
    desk.assert_whole_student()


def test_stuck_creations_do_not_delay_others(desk: Desk, ask: Ask, faults: Faults) -> None:
    faults.set(USERS, method="POST", status=504)
    for number in range(5):
        ask(email=f"stuck{number}@onai.test", key=str(number))
    ask()
    stuck = desk.rows("select account_id from sales_requests where email <> %s", GOOD["email"])
    faults.clear()
    # Supabase has no answer for these, however often it is asked.
    desk.connection.execute(
        "update sales_requests set attempts = 8, leased_until = now() - interval '1 minute'"
        " where email like 'stuck%'"
    )
    desk.connection.execute(
        "update sales_requests set leased_until = now() where email not like 'stuck%'"
    )
    for row in stuck:
        faults.set(f"{ONE_USER}{row['account_id']}", status=500)
    faults.set(USERS, method="POST", status=500, times=5)

    for _ in range(3):
        open_requests.finish_open_requests()

    assert len(desk.students()) == 1
    assert len(desk.open_creations()) == 5


def test_a_temporary_refusal_leaves_the_creation_open(desk: Desk, ask: Ask, faults: Faults) -> None:
    faults.set(USERS, method="POST", status=504, times=1)
    ask()
    faults.set(USERS, method="POST", status=429, body='{"code": "over_request_rate_limit"}')

    work_later(desk)

    assert len(desk.open_creations()) == 1
    faults.clear()
    work_later(desk)
    desk.assert_whole_student()


def test_web_and_worker_at_once_create_one_student(desk: Desk, ask: Ask, faults: Faults) -> None:
    # The web process waits for Supabase so long that its lease runs out, and the worker comes.
    faults.set(USERS, method="POST", delay=5, after=True, times=1)
    answers: list[httpx.Response] = []
    web = threading.Thread(target=lambda: answers.append(ask()))
    web.start()
    wait_until(faults.met)

    said = work_later(desk)
    faults.clear()
    web.join(30)

    assert "creation_finished" in said
    assert answers[0].status_code == 201
    desk.assert_whole_student()
    assert len(desk.mailbox()) == 1

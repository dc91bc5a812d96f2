"""What becomes of the letters that a change of their student may replace."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connections
from django.test import Client

from sales import letters
from sales.provisioning import open_requests
from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import LETTERS, ONE_USER, wait_until
from tests.support.people import Accounts
from tests.support.student_changes import (
    ADMIN,
    NEW_EMAIL,
    act_and_follow,
    assert_changed,
    path_of,
    send_act,
    student_of,
)

pytestmark = pytest.mark.usefixtures("fresh_connection")


@pytest.mark.parametrize("act", ["password", "data"])
def test_letters_wait_for_the_change_that_replaces_them(
    as_person: Callable[[str], Client], desk: Desk, accounts: Accounts, faults: Faults, act: str
) -> None:
    faults.set(LETTERS, status=500)
    client = as_person(ADMIN)
    client.post("/sales-manager/students/new", GOOD)
    faults.set(ONE_USER, times=1, status=504)
    send_act(client, desk, act)
    faults.clear()

    desk.connection.execute("update sales_letters set leased_until = now(), due_at = now()")
    desk.connection.execute("update procrastinate_jobs set scheduled_at = null")
    (letter,) = desk.letters()
    again_at = letters.deliver(letter["id"])
    assert again_at is not None
    assert again_at > letter["due_at"]
    assert desk.letters()[0]["attempts"] == letter["attempts"]
    client.post(path_of(desk, "letter"))
    assert desk.mailbox() == []

    desk.time_passes()
    assert open_requests.finish_open_requests() == 1
    assert_changed(desk, accounts, act)
    address = NEW_EMAIL if act == "data" else GOOD["email"]
    (sent,) = desk.mailbox(address)
    # It may have been accepted, and then a stranger has it.
    assert GOOD["password"] not in sent["text"]
    assert [one["state"] for one in desk.letters()] == ["replaced", "sent"]


def test_a_failed_letter_waits_for_the_change_that_may_replace_it(
    as_person: Callable[[str], Client], desk: Desk, faults: Faults
) -> None:
    faults.set(LETTERS, status=422, times=1, body='{"name": "validation_error"}')
    client = as_person(ADMIN)
    client.post("/sales-manager/students/new", GOOD)
    assert desk.letters()[0]["state"] == "failed"
    faults.set(ONE_USER, times=1, status=504)
    send_act(client, desk, "password")

    client.post(path_of(desk, "letter"))

    assert desk.mailbox() == []


def test_correcting_the_name_delays_no_letter(
    as_person: Callable[[str], Client], desk: Desk, faults: Faults
) -> None:
    faults.set(LETTERS, status=500, times=1)
    client = as_person(ADMIN)
    client.post("/sales-manager/students/new", GOOD)
    faults.set(ONE_USER, times=1, status=504)
    act_and_follow(client, desk, "data", email=GOOD["email"], full_name="Ару Сапарқызы")
    assert desk.changes()[0]["state"] == "open"

    desk.time_passes()
    letters.deliver(desk.letters()[0]["id"])

    assert len(desk.mailbox()) == 1


def test_a_letter_is_sent_when_the_change_replacing_it_is_refused(
    as_person: Callable[[str], Client], desk: Desk, faults: Faults
) -> None:
    faults.set(LETTERS, status=500)
    client = as_person(ADMIN)
    client.post("/sales-manager/students/new", GOOD)
    faults.set(ONE_USER, times=1, status=504)
    send_act(client, desk, "password")
    faults.clear()
    desk.time_passes()
    faults.set(ONE_USER, times=1, status=422, body='{"error_code": "weak_password"}')
    assert open_requests.finish_open_requests() == 1

    desk.time_passes()
    letters.deliver(desk.letters()[0]["id"])

    (sent,) = desk.mailbox()
    assert GOOD["password"] in sent["text"]


def test_a_letter_sent_before_its_replacement_is_logged(
    as_person: Callable[[str], Client], desk: Desk, faults: Faults
) -> None:
    faults.set(LETTERS, status=500, times=1)
    client = as_person(ADMIN)
    client.post("/sales-manager/students/new", GOOD)
    desk.connection.execute("update sales_letters set leased_until = now(), due_at = now()")
    (welcome,) = desk.letters()
    faults.clear()
    faults.set(LETTERS, delay=10, times=1)
    faults.set(LETTERS, status=500, times=1)
    request = threading.Thread(target=_deliver, args=(welcome["id"],))
    request.start()
    wait_until(faults.met)

    send_act(client, desk, "password")
    faults.clear()
    request.join(30)

    assert [(one["kind"], one["state"]) for one in desk.letters()] == [
        ("welcome", "sent"),
        ("new_password", "pending"),
    ]
    assert desk.log().count("email_sent") == 1
    # What the student has to know now has not reached them.
    assert student_of(desk)["welcome_email_sent"] is False

    desk.time_passes()
    letters.deliver(desk.letters()[1]["id"])

    assert len(desk.mailbox()) == 2
    assert desk.log().count("email_sent") == 2
    assert student_of(desk)["welcome_email_sent"] is True


def _deliver(letter_id: UUID) -> None:
    try:
        letters.deliver(letter_id)
    finally:
        connections.close_all()

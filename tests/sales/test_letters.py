"""The welcome letter on its way: attempts, delays, refusals, and the password it carries."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.test import Client

from sales import letters
from sales.models import WelcomeLetter
from tests.conftest import Faults
from tests.support.desk import Desk
from tests.support.interruptions import deliver_again, letter_of, wait_until
from tests.support.processes import run_worker
from tests.support.student_changes import text_of

NEW = "/sales-manager/students/new"
SENT = "✅ Student created, email sent"


FAILURES: dict[str, dict[str, Any]] = {
    "429": {"status": 429, "body": '{"statusCode": 429, "name": "rate_limit_exceeded"}'},
    "quota": {"status": 429, "body": '{"statusCode": 429, "name": "daily_quota_exceeded"}'},
    "500": {"status": 500},
    "502 html": {"status": 502, "body": "<html>"},
    "hang-up": {"drop": True},
    "garbage": {"status": 200, "body": "<html>"},
    "no id": {"status": 200, "body": "{}"},
    "a list": {"status": 200, "body": "[]"},
    "odd status": {"status": 200, "body": '{"statusCode": "abc"}'},
    "odd list": {"status": 200, "body": "[1]"},
    "odd dict": {"status": 200, "body": '{"statusCode": {"a": 1}, "name": 7}'},
    "long wait": {"status": 429, "headers": {"Retry-After": "1" * 5000}},
    "busy": {"status": 409, "body": '{"name": "concurrent_idempotent_requests"}'},
}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("how", FAILURES)
def test_a_temporary_failure_is_retried_and_the_letter_sent_once(
    create: Any, desk: Desk, faults: Faults, how: str, moment: str
) -> None:
    faults.set("/emails", after=moment == "after", times=1, **FAILURES[how])
    create()
    assert letter_of(desk)["state"] == "pending"
    assert letter_of(desk)["problem"]

    letter = deliver_again(desk)

    assert (letter["state"], letter["attempts"]) == ("sent", 2)
    assert len(desk.mailbox()) == 1
    desk.assert_whole_student()


def test_a_slow_resend_does_not_delay_the_manager(create: Any, desk: Desk, faults: Faults) -> None:
    faults.set("/emails", delay=20, after=True, times=1)
    began = datetime.now(UTC)

    create()

    assert datetime.now(UTC) - began < timedelta(seconds=7)
    assert deliver_again(desk)["state"] == "sent"
    assert len(desk.mailbox()) == 1


@pytest.mark.parametrize(
    "how",
    [
        {"status": 422, "body": '{"name": "validation_error"}'},
        {"status": 422, "body": '{"name": "validation_error", "message": "Invalid `to` field."}'},
        {"status": 400, "body": '{"name": "validation_error", "message": "Missing \'to\' field"}'},
        {"status": 409, "body": '{"name": "something_else"}'},
    ],
)
def test_a_refused_letter_is_not_retried_automatically(
    create: Any, desk: Desk, faults: Faults, how: dict[str, Any]
) -> None:
    faults.set("/emails", **how)
    create()
    assert letter_of(desk)["state"] == "failed"
    assert str(how["status"]) in letter_of(desk)["problem"]
    faults.clear()

    desk.time_passes()
    run_worker()

    assert letter_of(desk)["state"] == "failed"
    assert letter_of(desk)["sealed_password"]
    assert desk.mailbox() == []


def _told(kind: str, message: str = "") -> str:
    return json.dumps({"name": kind, "message": message})


# Whatever is wrong with our key, our sender or our address of Resend.
OURS: dict[str, dict[str, Any]] = {
    "from": {
        "status": 422,
        "body": _told(
            "validation_error",
            "Invalid `from` field. The email address needs to follow the `email@example.com` or"
            " `Name <email@example.com>` format.",
        ),
    },
    "from by its kind": {"status": 422, "body": _told("invalid_from_address")},
    "missing from": {
        "status": 422,
        "body": _told("missing_required_field", 'Missing "from" field'),
    },
    "reply_to": {"status": 400, "body": _told("validation_error", "Invalid `reply_to` field.")},
    "domain": {
        "status": 403,
        "body": _told("validation_error", "The onai.test domain is not verified."),
    },
    "wrong key": {"status": 403, "body": _told("invalid_api_key", "API key is invalid")},
    "wrong key, 400": {"status": 400, "body": _told("invalid_api_key", "API key is invalid")},
    "no key": {"status": 401, "body": _told("missing_api_key")},
    "restricted": {"status": 401, "body": _told("restricted_api_key")},
    "a gateway's": {"status": 401, "body": "<html>"},
    "suspended": {"status": 403, "body": _told("suspended_api_key")},
    "address": {"status": 404, "body": _told("not_found")},
}


@pytest.mark.parametrize("how", OURS)
def test_a_refusal_of_our_key_or_sender_is_retried_until_mended(
    create: Any, desk: Desk, faults: Faults, as_person: Callable[[str], Client], how: str
) -> None:
    faults.set("/emails", **OURS[how])
    create()
    letter = deliver_again(desk)
    assert (letter["state"], letter["attempts"], letter["ours"]) == ("pending", 2, True)
    assert letter["sealed_password"]
    (student,) = desk.students()
    admin = as_person("admin@onai.test")
    card = text_of(admin.get(f"/sales-manager/students/{student['id']}"))
    assert "не принимает ключ или отправителя этого сайта" in card
    assert "проверьте адрес" not in card
    assert "RESEND_FROM_EMAIL" in text_of(admin.get("/status"))
    faults.clear()

    letter = deliver_again(desk)

    assert (letter["state"], letter["ours"]) == ("sent", False)
    assert len(desk.mailbox()) == 1
    desk.assert_whole_student()


def test_a_letter_from_another_sender_gets_another_key(
    create: Any, desk: Desk, faults: Faults, settings: Any
) -> None:
    # Resend would call the former key another letter's, and we the letter sent.
    faults.set("/emails", times=2, **OURS["from"])
    create()
    first = letter_of(desk)["idempotency_key"]
    before = deliver_again(desk)["idempotency_key"]
    assert before != first
    faults.set("/emails", drop=True, after=True, times=1)
    settings.RESEND_FROM_EMAIL = "onAI <mended@onai.test>"

    assert deliver_again(desk)["state"] == "pending"
    assert letter_of(desk)["idempotency_key"] == before
    assert deliver_again(desk)["state"] == "sent"

    assert len(desk.mailbox()) == 1
    assert desk.mailbox()[0]["idempotency_key"] == f"welcome/{before}"


def test_a_possibly_accepted_letter_keeps_its_key_after_a_refusal_of_ours(
    create: Any, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", drop=True, after=True, times=1)
    create()
    key = letter_of(desk)["idempotency_key"]
    for _ in range(2):
        faults.set("/emails", times=1, **OURS["wrong key"])
        assert deliver_again(desk)["idempotency_key"] == key
    assert not letter_of(desk)["refused"]
    assert deliver_again(desk)["state"] == "sent"
    assert len(desk.mailbox()) == 1


def test_a_letter_refused_for_a_day_is_reported_as_our_fault(
    create: Any, desk: Desk, faults: Faults, as_person: Callable[[str], Client]
) -> None:
    faults.set("/emails", **OURS["no key"])
    create()
    desk.connection.execute("update sales_letters set give_up_at = now()")
    letter = deliver_again(desk)
    assert (letter["state"], letter["refused"]) == ("failed", True)
    (student,) = desk.students()
    card = as_person("admin@onai.test").get(f"/sales-manager/students/{student['id']}")
    assert "так и не принял ключ или отправителя" in text_of(card)
    faults.clear()
    letters.send_again(WelcomeLetter.objects.get())
    assert letter_of(desk)["state"] == "sent"
    desk.assert_whole_student()


def test_the_delays_grow_and_a_failure_is_reported_after_a_day(
    create: Any, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", status=500)
    create()
    waits = [letter_of(desk)["wait"]]
    while (letter := deliver_again(desk))["state"] == "pending":
        waits.append(letter["wait"])
        if sum(waits, timedelta()) > timedelta(hours=24):
            desk.connection.execute("update sales_letters set give_up_at = now()")
        assert len(waits) < 40

    minutes = [round(wait.total_seconds() / 60, 1) for wait in waits]
    assert minutes[:9] == [0.5, 1, 2, 4, 8, 16, 32, 64, 128]
    assert set(minutes[9:]) == {240}
    assert letter["state"] == "failed"
    assert "given up after a day" in letter["problem"]
    assert not letter["refused"]
    faults.clear()
    letters.send_again(WelcomeLetter.objects.get())  # By now Resend has forgotten its key.
    assert letter_of(desk)["state"] == "sent"


def test_a_possibly_accepted_letter_keeps_its_key_when_sent_again(
    create: Any, desk: Desk, faults: Faults, settings: Any
) -> None:
    faults.set("/emails", drop=True, after=True, times=1)
    create()
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another-secret-key-" * 3
    failed = deliver_again(desk)  # since it cannot be unsealed
    settings.SECRET_KEY = former

    letters.send_again(WelcomeLetter.objects.get())

    assert letter_of(desk)["idempotency_key"] == failed["idempotency_key"]
    assert letter_of(desk)["give_up_at"] == failed["give_up_at"]
    assert len(desk.mailbox()) == 1
    desk.assert_whole_student()


def test_no_attempt_is_made_after_a_day(create: Any, desk: Desk, faults: Faults) -> None:
    faults.set("/emails", status=500)
    create()
    desk.connection.execute("update sales_letters set give_up_at = now() + interval '5 seconds'")

    letter = deliver_again(desk)

    assert letter["due_at"] == letter["give_up_at"]


def test_a_job_returns_when_the_lease_of_another_ends(
    create: Any, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", status=500)
    create()
    desk.connection.execute(
        "update sales_letters set due_at = now(), leased_until = now() + interval '15 seconds'"
    )
    letter = letter_of(desk)
    assert letters.deliver(letter["id"]) == letter["leased_until"]


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ("600", 600),
        ("1", 30),  # sooner than we come by ourselves
        (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=900), usegmt=True), 900),
        (lambda: format_datetime(datetime.now(UTC) - timedelta(seconds=900), usegmt=True), 30),
        ("999999999999", 84_600),  # and no later than the day
        ("soon", 30),
        ("-5", 30),
    ],
)
def test_retry_after_is_honoured(
    create: Any, desk: Desk, faults: Faults, said: Any, waits: int
) -> None:
    value = said() if callable(said) else said
    header = {"Retry-After": value.encode().decode("latin-1")}
    faults.set("/emails", status=429, body='{"name": "rate_limit_exceeded"}', headers=header)

    create()

    assert letter_of(desk)["wait"].total_seconds() == pytest.approx(waits, abs=5)


def test_every_attempt_has_the_same_key_and_content(
    create: Any, desk: Desk, faults: Faults
) -> None:
    # Were it another one, Resend would refuse the second attempt, or send it twice.
    faults.set("/emails", after=True, status=500, times=3)
    create()
    for _ in range(3):
        deliver_again(desk)

    (letter,) = desk.mailbox()
    assert letter["idempotency_key"] == f"welcome/{letter_of(desk)['idempotency_key']}"
    assert letter_of(desk)["state"] == "sent"


def test_a_refused_letter_is_sent_again_with_another_key(
    create: Any, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", status=422, body='{"name": "validation_error"}')
    create()
    first = letter_of(desk)
    faults.clear()

    letters.send_again(WelcomeLetter.objects.get())

    desk.assert_whole_student()
    assert letter_of(desk)["idempotency_key"] != first["idempotency_key"]


def test_no_attempt_is_made_after_resend_forgets_the_key(
    create: Any, desk: Desk, faults: Faults, as_person: Callable[[str], Client]
) -> None:
    # Resend took it, nobody heard so, and then the worker was down for a day.
    faults.set("/emails", drop=True, after=True, times=1)
    create()
    assert len(desk.mailbox()) == 1
    desk.connection.execute("update mailbox.letters set idempotency_key = null")
    desk.connection.execute("update sales_letters set give_up_at = now()")

    letter = deliver_again(desk)

    assert letter["state"] == "failed"
    assert "given up after a day" in letter["problem"]
    assert len(desk.mailbox()) == 1
    (student,) = desk.students()
    card = as_person("ayaulym@onai.test").get(f"/sales-manager/students/{student['id']}")
    assert "Письмо могло и дойти" in card.content.decode()


def test_a_letter_accepted_before_a_change_of_the_site_counts_as_sent(
    create: Any, desk: Desk, faults: Faults, settings: Any
) -> None:
    faults.set("/emails", drop=True, after=True, times=1)
    create()
    settings.PLATFORM_LOGIN_URL = "https://elsewhere.onai.test/login"

    assert deliver_again(desk)["state"] == "sent"

    desk.assert_whole_student()
    assert len(desk.mailbox()) == 1


def test_two_simultaneous_attempts_are_one(create: Any, desk: Desk, faults: Faults) -> None:
    faults.set("/emails", status=500)
    create()
    desk.time_passes()
    desk.connection.execute("update sales_letters set leased_until = now() + interval '9 seconds'")

    come_back = letters.deliver(letter_of(desk)["id"])

    assert come_back is not None
    assert letter_of(desk)["attempts"] == 1


def test_two_processes_send_and_log_a_letter_once(create: Any, desk: Desk, faults: Faults) -> None:
    """As when one was so slow that its time was up, and another took the letter over."""
    faults.set("/emails", status=500)
    create()
    faults.clear()
    faults.set("/emails", delay=30)
    letter_id = letter_of(desk)["id"]
    with ThreadPoolExecutor() as both:
        attempts = [both.submit(_attempt, letter_id) for _ in range(2)]
        wait_until(lambda: faults.met() == 2)
        faults.clear()
        for attempt in attempts:
            attempt.result()

    desk.assert_whole_student()
    assert len(desk.mailbox()) == 1
    assert desk.log().count("email_sent") == 1


def _attempt(letter_id: UUID) -> None:
    try:
        letters.attempt(letter_id)
    finally:
        connections.close_all()


def test_deleting_a_student_deletes_the_letter(create: Any, desk: Desk, faults: Faults) -> None:
    faults.set("/emails", status=500)
    create()
    (student,) = desk.students()
    # As when Supabase deletes an account: the database takes its rows along.
    desk.connection.execute("delete from tripwire_users where id = %s", [student["id"]])

    assert desk.letters() == []
    desk.time_passes()
    run_worker()
    failed = desk.rows("select * from procrastinate_jobs where status = 'failed'")
    assert failed == []


def test_a_success_is_logged_once(create: Any, desk: Desk, faults: Faults, caplog: Any) -> None:
    faults.set("/emails", status=500)
    create()
    assert SENT not in caplog.text
    faults.clear()
    desk.time_passes()

    said = [json.loads(line) for line in run_worker().stderr.splitlines() if line.startswith("{")]

    (entry,) = [line for line in said if line["message"] == SENT]
    (student,) = desk.students()
    assert entry["student_id"] == str(student["id"])
    assert entry["manager_id"] == str(student["granted_by"])


def test_the_sealed_password_is_erased_a_day_after_it_was_written(create: Any, desk: Desk) -> None:
    create()
    assert letters.forget_passwords() == 0
    assert letter_of(desk)["sealed_password"]
    desk.connection.execute("update sales_letters set created_at = now() - interval '25 hours'")

    assert letters.forget_passwords() == 1

    assert letter_of(desk)["sealed_password"] == ""


def test_a_letter_that_was_not_sent_keeps_its_password(
    create: Any, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", status=422, body='{"name": "validation_error"}')
    create()
    desk.connection.execute("update sales_letters set created_at = now() - interval '25 hours'")

    assert letters.forget_passwords() == 0

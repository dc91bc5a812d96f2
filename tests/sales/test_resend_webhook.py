"""`POST /webhooks/resend`: who may tell us what became of a letter, and in which form."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from onai.local.mail.webhook import signed
from tests.support.desk import Desk
from tests.support.letter_events import PATH, SECRET, event_of, send

LETTER = {"id": "00000000-0000-4000-8000-000000000001", "resend_id": "", "recipient": "a@onai.test"}
LIMIT = 64 * 1024


def _event() -> dict[str, Any]:
    return event_of(LETTER, "delivered")


def _stored(desk: Desk) -> int:
    return len(desk.rows("select * from sales_letter_events"))


def _is_refused(answer: Any, status: int, code: str) -> bool:
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    assert body["success"] is False
    assert body["error"]
    return (answer.status_code, body["code"]) == (status, code)


def test_a_signed_event_is_stored_with_its_job(desk: Desk) -> None:
    answer = send(_event())

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert _stored(desk) == 1
    jobs = desk.rows("select * from procrastinate_jobs where task_name = %s", _JOB)
    assert len(jobs) == 1


_JOB = "sales.apply_letter_event"


def test_a_repeated_delivery_is_stored_once(desk: Desk) -> None:
    body = json.dumps(_event()).encode()
    headers = signed(body, secret=SECRET)

    for _ in range(3):
        assert send(None, body=body, headers=headers).status_code == 200

    assert _stored(desk) == 1
    assert len(desk.rows("select * from procrastinate_jobs where task_name = %s", _JOB)) == 1


@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_valid_signature_among_several_is_enough(desk: Desk, position: int) -> None:
    body = json.dumps(_event()).encode()
    headers = signed(body, secret=SECRET)
    entries = ["v1,bm90IHRoaXMgb25l", "v1a,c29tZXRoaW5nIGVsc2U="]
    entries.insert(position, headers["svix-signature"])
    headers["svix-signature"] = " ".join(entries)

    assert send(None, body=body, headers=headers).status_code == 200


@time_machine.travel(datetime.fromtimestamp(1614265330, UTC), tick=False)
def test_the_published_example_of_a_signature_is_accepted(desk: Desk, settings: Any) -> None:
    settings.RESEND_WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "svix-timestamp": "1614265330",
        "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }

    assert send(None, body=b'{"test": 2432232314}', headers=headers).status_code == 200
    other = send(None, body=b'{"test":2432232314}', headers=headers)
    assert _is_refused(other, 401, "wrong_signature")


@pytest.mark.parametrize("missing", ["svix-id", "svix-timestamp", "svix-signature"])
def test_an_event_without_a_signed_header_is_refused(desk: Desk, missing: str) -> None:
    assert _is_refused(send(_event(), headers={missing: ""}), 401, "wrong_signature")
    assert _stored(desk) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"svix-signature": "v1,AAAA"},
        {"svix-signature": "nonsense"},
        {"svix-signature": "v1,é"},
        {"svix-id": "msg_another"},
        {"svix-timestamp": "soon"},
        {"svix-timestamp": "99999999999999999999999"},
    ],
    ids=str,
)
def test_a_forged_event_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    assert _is_refused(send(_event(), headers=headers), 401, "wrong_signature")
    assert _stored(desk) == 0


def test_an_event_signed_with_another_secret_is_refused(desk: Desk) -> None:
    body = json.dumps(_event()).encode()
    headers = signed(body, secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    assert _is_refused(send(None, body=body, headers=headers), 401, "wrong_signature")


@pytest.mark.parametrize(("minutes", "status"), [(-6, 401), (-4, 200), (4, 200), (6, 401)])
def test_an_event_is_good_for_five_minutes(desk: Desk, minutes: int, status: int) -> None:
    body = json.dumps(_event()).encode()
    moment = datetime.now(UTC) + timedelta(minutes=minutes)

    answer = send(None, body=body, headers=signed(body, secret=SECRET, moment=moment))

    assert answer.status_code == status
    assert _stored(desk) == (status == 200)


def test_an_event_that_was_written_anew_is_refused(desk: Desk) -> None:
    body = json.dumps(_event()).encode()
    rewritten = json.dumps(json.loads(body), indent=1).encode()

    answer = send(None, body=rewritten, headers=signed(body, secret=SECRET))

    assert _is_refused(answer, 401, "wrong_signature")


def test_a_truncated_event_is_refused(desk: Desk) -> None:
    body = json.dumps(_event()).encode()

    answer = send(None, body=body[:-9], headers=signed(body, secret=SECRET))

    assert _is_refused(answer, 401, "wrong_signature")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[1]", b'"email.sent"', b"null", b"[" * 60_000],
    ids=["empty", "cut", "not UTF-8", "a list", "a text", "null", "deep"],
)
def test_a_signed_body_that_is_no_object_is_unreadable(desk: Desk, body: bytes) -> None:
    assert _is_refused(send(None, body=body), 400, "unreadable_event")
    assert _stored(desk) == 0


@pytest.mark.parametrize(
    "event",
    [
        {"type": "email.opened", "created_at": "2026-11-22T23:41:12.126Z", "data": {}},
        {"type": "contact.created", "data": {"id": "1"}},
        {"type": ["email.sent"]},
        {"type": "email.delivered"},
        {"type": "email.delivered", "created_at": "yesterday", "data": {}},
        {"type": "email.delivered", "created_at": "2026-13-45T00:00:00Z", "data": {}},
        {"type": "email.delivered", "created_at": 7, "data": {}},
        {"type": "email.delivered", "created_at": "2026-11-22T23:41:12Z", "data": [1]},
        {},
    ],
    ids=str,
)
def test_unknown_events_are_accepted_and_ignored(desk: Desk, event: dict[str, Any]) -> None:
    assert send(event).status_code == 200
    assert _stored(desk) == 0


@pytest.mark.parametrize(
    "data",
    [
        {"email_id": 7, "tags": 7},
        {"email_id": "x", "tags": {"letter_id": "x"}},
        {"tags": [1, {"name": "letter_id"}]},
        {"bounce": "gone", "failed": [], "suppressed": {"type": {}, "reason": 7}},
    ],
    ids=str,
)
def test_odd_fields_of_an_event_are_accepted(desk: Desk, data: dict[str, Any]) -> None:
    event = {"type": "email.bounced", "created_at": "2026-11-22T23:41:12.126Z", "data": data}

    assert send(event).status_code == 200
    assert _stored(desk) == 1


def test_a_body_above_64_kb_is_refused_and_one_of_64_kb_read(desk: Desk) -> None:
    event = _event()
    empty = len(json.dumps({**event, "filler": ""}).encode())
    fits = json.dumps({**event, "filler": "x" * (LIMIT - empty)}).encode()
    assert len(fits) == LIMIT

    assert send(None, body=fits).status_code == 200
    assert _is_refused(send(None, body=fits + b" "), 413, "body_too_large")
    assert _stored(desk) == 1


def test_without_a_secret_there_is_no_webhook(desk: Desk, settings: Any) -> None:
    settings.RESEND_WEBHOOK_SECRET = ""

    assert _is_refused(send(_event()), 404, "not_found")


def test_only_posts_are_answered(client: Client) -> None:
    assert _is_refused(client.get(PATH), 405, "method_not_allowed")


def test_neither_a_session_nor_a_csrf_token_is_needed(desk: Desk) -> None:
    body = json.dumps(_event()).encode()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["sb-access-token"] = "somebody's"

    answer = strict.post(
        PATH, body, content_type="application/json", headers=signed(body, secret=SECRET)
    )

    assert answer.status_code == 200
    assert not answer.cookies

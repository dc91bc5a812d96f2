"""The stand-in for Resend, as its SDK meets it, and the mailbox."""

from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
import resend
from resend.exceptions import ResendError

from tests.conftest import Faults
from tests.settings import SERVICES, TEST_KEYS, TRIPWIRE_URL
from tests.support import plain_http


@pytest.fixture(autouse=True)
def sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resend, "api_key", TEST_KEYS.resend_key)
    monkeypatch.setattr(resend, "api_url", SERVICES)
    with psycopg.connect(TRIPWIRE_URL) as connection:
        connection.execute("truncate mailbox.letters")


def _letter(**changes: Any) -> Any:
    return {
        "from": "onAI Academy <hello@onai.test>",
        "to": ["someone@onai.test"],
        "subject": "Доступ открыт",
        "html": "<p>Здравствуйте</p>",
        "text": "Здравствуйте",
        **changes,
    }


def _mailbox() -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = plain_http.get(f"{SERVICES}/mailbox.json").json()
    return letters


def test_the_mailbox_holds_what_the_sdk_sends() -> None:
    key = str(uuid4())

    sent = resend.Emails.send(_letter(), {"idempotency_key": key})

    [letter] = _mailbox()
    assert letter.pop("created_at")
    assert letter == {
        "id": sent["id"],
        "from": "onAI Academy <hello@onai.test>",
        "to": ["someone@onai.test"],
        "subject": "Доступ открыт",
        "html": "<p>Здравствуйте</p>",
        "text": "Здравствуйте",
        "idempotency_key": key,
    }


def test_the_mailbox_tells_whom_an_answer_goes_to() -> None:
    resend.Emails.send(_letter(reply_to="manager@onai.test"))

    assert [letter["reply_to"] for letter in _mailbox()] == ["manager@onai.test"]
    with pytest.raises(ResendError, match="reply_to"):
        resend.Emails.send(_letter(reply_to="nobody"))


def test_the_newest_letter_comes_first() -> None:
    for subject in ("первое", "второе"):
        resend.Emails.send(_letter(subject=subject))

    assert [letter["subject"] for letter in _mailbox()] == ["второе", "первое"]


def test_a_repeated_key_sends_nothing_twice() -> None:
    first = resend.Emails.send(_letter(), {"idempotency_key": "once"})
    second = resend.Emails.send(_letter(), {"idempotency_key": "once"})

    assert second["id"] == first["id"]
    assert len(_mailbox()) == 1


def test_a_key_with_another_letter_is_refused() -> None:
    resend.Emails.send(_letter(), {"idempotency_key": "once"})

    with pytest.raises(ResendError) as refused:
        resend.Emails.send(_letter(subject="Другое"), {"idempotency_key": "once"})

    assert refused.value.code == 409
    assert refused.value.error_type == "invalid_idempotent_request"


def test_a_key_is_forgotten_after_a_day() -> None:
    first = resend.Emails.send(_letter(), {"idempotency_key": "once"})
    with psycopg.connect(TRIPWIRE_URL) as connection:
        connection.execute("update mailbox.letters set created_at = now() - interval '25 hours'")

    second = resend.Emails.send(_letter(), {"idempotency_key": "once"})

    assert second["id"] != first["id"]


@pytest.mark.parametrize(
    ("changes", "key", "code", "error"),
    [
        ({"to": []}, None, 422, "missing_required_field"),
        ({"subject": ""}, None, 422, "missing_required_field"),
        ({"html": "", "text": ""}, None, 422, "missing_required_field"),
        ({"from": "onAI"}, None, 422, "validation_error"),
        ({"to": ["nobody"]}, None, 422, "validation_error"),
        ({}, "k" * 257, 400, "invalid_idempotency_key"),
    ],
    ids=str,
)
def test_a_bad_letter_is_refused(
    changes: dict[str, Any], key: str | None, code: int, error: str
) -> None:
    with pytest.raises(ResendError) as refused:
        resend.Emails.send(_letter(**changes), {"idempotency_key": key} if key else {})

    assert (refused.value.code, refused.value.error_type) == (code, error)
    assert _mailbox() == []


@pytest.mark.parametrize(("key", "status"), [("", 401), ("re_wrong", 403)])
def test_a_wrong_api_key_is_refused(key: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}

    assert (
        plain_http.post(f"{SERVICES}/emails", headers=headers, json=_letter()).status_code == status
    )


def test_faults_fail_a_request_before_or_after_it_took_effect(faults: Faults) -> None:
    faults.set("/emails", status=500, body="{}", times=1)
    with pytest.raises(ResendError):
        resend.Emails.send(_letter(subject="до"))
    faults.set("/emails", drop=True, after=True, times=1)
    with pytest.raises(ResendError):
        resend.Emails.send(_letter(subject="после"))
    resend.Emails.send(_letter(subject="потом"))

    assert [letter["subject"] for letter in _mailbox()] == ["потом", "после"]


def test_a_delayed_request_ends_when_its_fault_is_cleared(faults: Faults) -> None:
    faults.set("/emails", delay=60, times=1)
    headers = {"Authorization": f"Bearer {TEST_KEYS.resend_key}"}
    with pytest.raises(httpx.ReadTimeout):
        plain_http.post(f"{SERVICES}/emails", headers=headers, json=_letter(), timeout=1)
    assert (faults.met(), _mailbox()) == (1, [])

    faults.clear()

    assert len(_mailbox()) == 1


def test_the_mailbox_shows_letters_as_pages() -> None:
    hostile = "<script>alert(1)</script>"
    sent = resend.Emails.send(_letter(subject=hostile, html=f"<p>Привет</p>{hostile}"))

    listed = plain_http.get(f"{SERVICES}/mailbox").text
    shown = plain_http.get(f"{SERVICES}/mailbox/{sent['id']}").text
    body = plain_http.get(f"{SERVICES}/mailbox/{sent['id']}/html")

    for page in (listed, shown):
        assert hostile not in page
        assert "&lt;script&gt;" in page
    assert "<p>Привет</p>" in body.text
    assert body.headers["Content-Security-Policy"].startswith("sandbox")
    assert plain_http.get(f"{SERVICES}/mailbox/{uuid4()}").status_code == 404

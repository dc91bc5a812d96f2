"""What `/status` says of Resend, and asking it what became of letters where there is no webhook."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from sales.letters import delivery_polling
from tests.conftest import Faults
from tests.settings import SERVICES, TEST_KEYS
from tests.support import plain_http
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import letter_of
from tests.support.letter_events import event_of, send
from tests.support.student_changes import text_of


@pytest.fixture
def no_webhook(settings: Any) -> None:
    settings.RESEND_WEBHOOK_SECRET = ""


def _happens(desk: Desk, event: str) -> None:
    desk.connection.execute("update mailbox.letters set last_event = %s", [event])


@pytest.mark.parametrize(
    ("event", "delivery"),
    [
        ("sent", "accepted"),
        ("delivered", "delivered"),
        ("opened", "delivered"),
        ("delivery_delayed", "delayed"),
        ("bounced", "undelivered"),
        ("suppressed", "suppressed"),
        ("complained", "complained"),
        ("something_new", "accepted"),
    ],
)
def test_without_a_webhook_a_key_with_full_access_asks(
    create: Any, desk: Desk, no_webhook: None, caplog: Any, event: str, delivery: str
) -> None:
    caplog.set_level("DEBUG")
    create()
    _happens(desk, event)

    assert delivery_polling.poll_deliveries() == 1

    assert letter_of(desk)["delivery"] == delivery
    assert GOOD["password"] not in caplog.text + desk.everything()


def test_a_letter_is_asked_about_every_ten_minutes_for_a_day(
    create: Any, desk: Desk, no_webhook: None
) -> None:
    create()
    assert [delivery_polling.poll_deliveries() for _ in range(2)] == [1, 0]
    ago = "update sales_letters set asked_at = now() - interval '11 minutes'"
    desk.connection.execute(ago)
    assert delivery_polling.poll_deliveries() == 1
    desk.connection.execute(f"{ago}, created_at = now() - interval '25 hours'")
    assert delivery_polling.poll_deliveries() == 0


def test_a_letter_with_a_final_state_is_not_polled(
    create: Any, desk: Desk, no_webhook: None
) -> None:
    create()
    desk.connection.execute("update sales_letters set delivery = 'delivered'")
    assert delivery_polling.poll_deliveries() == 0


def test_with_a_webhook_nothing_is_polled(create: Any, desk: Desk) -> None:
    create()
    assert delivery_polling.poll_deliveries() == 0


def test_a_key_that_may_only_send_sends_and_stops_asking(
    create: Any, desk: Desk, no_webhook: None, settings: Any, faults: Faults
) -> None:
    settings.RESEND_API_KEY = TEST_KEYS.resend_sending_key
    create()
    assert letter_of(desk)["state"] == "sent"

    assert delivery_polling.poll_deliveries() == 0
    desk.connection.execute("update sales_letters set asked_at = null")
    faults.set("/emails/", status=500)
    assert delivery_polling.poll_deliveries() == 0

    assert faults.met() == 0
    assert letter_of(desk)["delivery"] == "accepted"


@pytest.mark.parametrize("how", [{"status": 429}, {"status": 500}, {"drop": True}, {"body": "[]"}])
def test_a_failed_question_is_asked_again_later(
    create: Any, desk: Desk, no_webhook: None, faults: Faults, how: dict[str, Any]
) -> None:
    create()
    _happens(desk, "delivered")
    faults.set("/emails/", times=1, **how)
    assert delivery_polling.poll_deliveries() == 0
    desk.connection.execute("update sales_letters set asked_at = now() - interval '11 minutes'")

    assert delivery_polling.poll_deliveries() == 1

    assert letter_of(desk)["delivery"] == "delivered"


# --- /status -----------------------------------------------------------------------------------


def _status(as_person: Callable[[str], Client]) -> str:
    return text_of(as_person("admin@onai.test").get("/status"))


def test_status_tells_the_senders_domain(as_person: Callable[[str], Client], desk: Desk) -> None:
    assert "ключ принят, домен onai.test подтверждён" in _status(as_person)


def test_status_tells_a_sending_key_from_a_wrong_one(
    as_person: Callable[[str], Client], desk: Desk, settings: Any
) -> None:
    settings.RESEND_API_KEY = TEST_KEYS.resend_sending_key
    assert "ключ принят; он только для отправки" in _status(as_person)
    settings.RESEND_API_KEY = "re_wrong"
    told = _status(as_person)
    assert "не принимает ключ: письма не уходят" in told
    assert "re_wrong" not in told


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"status": 500}, "отвечает ошибкой 500"),
        ({"drop": True}, "не отвечает"),
        ({"status": 429}, "просит спрашивать реже"),
        ({"status": 400, "body": '{"message": "API key is invalid"}'}, "не принимает ключ"),
        ({"status": 401, "body": "<html>"}, "не принимает ключ"),
        ({"status": 404}, "отвечает ошибкой 404"),
        ({"body": "[]"}, "домена onai.test в Resend нет"),
        ({"body": '{"data": [{"name": "other.test", "status": "verified"}]}'}, "в Resend нет"),
        ({"body": '{"data": [{"name": "onai.test", "status": "pending"}]}'}, "не подтверждён"),
        ({"body": '{"data": [], "has_more": true}'}, "отвечает, ключ принят"),
    ],
    ids=str,
)
def test_status_tells_what_resend_answers(
    as_person: Callable[[str], Client],
    desk: Desk,
    faults: Faults,
    how: dict[str, Any],
    told: str,
) -> None:
    faults.set("/domains", **how)
    assert told in _status(as_person)


def test_status_says_how_to_set_the_webhook_up(
    as_person: Callable[[str], Client], desk: Desk, no_webhook: None
) -> None:
    told = _status(as_person)
    assert "/webhooks/resend" in told
    assert "RESEND_WEBHOOK_SECRET" in told


def test_status_tells_of_a_webhook_that_has_fallen_silent(
    as_person: Callable[[str], Client], create: Any, desk: Desk
) -> None:
    create()
    assert "настроены, пока ни одного" in _status(as_person)
    desk.connection.execute("update sales_letters set sent_at = now() - interval '2 hours'")
    assert "о последних письмах Resend ничего не сказал" in _status(as_person)

    send(event_of(letter_of(desk), "delivered"))

    assert "приходят, последнее" in _status(as_person)


# --- The stand-in ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("delivered", "delivered"),
        ("bounced+label", "bounced"),
        ("complained", "complained"),
        ("suppressed", "suppressed"),
        ("nobody", "sent"),
    ],
)
def test_the_stand_in_has_resends_test_recipients(
    create: Any, desk: Desk, name: str, event: str
) -> None:
    create(email=f"{name}@resend.dev")
    (letter,) = desk.rows("select * from mailbox.letters")
    assert letter["last_event"] == event


def test_the_stand_in_skips_an_address_that_has_bounced(create: Any, desk: Desk) -> None:
    create()
    (letter,) = desk.mailbox()
    page = plain_http.post(f"{SERVICES}/mailbox/{letter['id']}/bounced", follow_redirects=True)
    assert "Last event: <strong>bounced</strong>" in page.text
    key = {"Authorization": f"Bearer {TEST_KEYS.resend_key}"}
    listed = plain_http.get(f"{SERVICES}/suppressions", headers=key).json()["data"]
    assert [one["email"] for one in listed] == [GOOD["email"]]

    assert (
        plain_http.delete(f"{SERVICES}/suppressions/{GOOD['email']}", headers=key).status_code
        == 200
    )

    assert plain_http.get(f"{SERVICES}/suppressions", headers=key).json()["data"] == []
    unknown = plain_http.post(f"{SERVICES}/mailbox/{letter['id']}/exploded")
    assert unknown.status_code == 404

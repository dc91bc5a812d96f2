"""What Resend tells of a letter: in any order, twice, too early, while the worker dies."""

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.test import Client

from onai.local.mail.webhook import signed
from onai.mail import NotSentYet
from sales.letters import events, outbox
from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import deliver_again, letter_of, work_later
from tests.support.letter_events import BOUNCE, SECRET, SUPPRESSED, event_of, send, sent_letter
from tests.support.processes import run_worker
from tests.support.student_changes import path_of, text_of

SECOND = timedelta(seconds=1)
# Each kind of event, and what a letter is after it.
STATES = {
    "sent": "accepted",
    "delivery_delayed": "delayed",
    "delivered": "delivered",
    "bounced": "undelivered",
    "failed": "undelivered",
    "suppressed": "suppressed",
    "complained": "complained",
}


def test_the_letter_keeps_resends_id_and_carries_ours(create: Any, desk: Desk) -> None:
    create()

    (captured,) = desk.rows("select * from mailbox.letters")
    letter = letter_of(desk)
    assert letter["resend_id"] == str(captured["id"])
    assert captured["tags"] == [{"name": "letter_id", "value": str(letter["id"])}]
    assert (letter["state"], letter["delivery"]) == ("sent", "accepted")


@pytest.mark.parametrize("kind", STATES)
def test_each_event_sets_its_state(create: Any, desk: Desk, kind: str) -> None:
    create()

    assert send(event_of(letter_of(desk), kind)).json() == {"success": True}
    run_worker()

    assert letter_of(desk)["delivery"] == STATES[kind]


def test_the_newest_event_decides_in_every_order_and_twice(create: Any, desk: Desk) -> None:
    create()
    (student,) = desk.students()
    orders = list(permutations(("sent", "delivery_delayed", "delivered", "complained")))
    last = [
        ("sent", "delivery_delayed", "bounced", "delivered"),
        ("bounced", "delivered", "failed"),
    ]
    expected = {}
    for order in orders:
        letter = sent_letter(desk, student["id"])
        moments = {kind: SECOND * at for at, kind in enumerate(sorted(STATES)) if kind in order}
        moments = dict.fromkeys(order, SECOND) | moments
        newest = max(order, key=lambda kind: moments[kind])
        expected[letter["id"]] = STATES[newest]
        for kind in order + order[::-1]:
            assert send(event_of(letter, kind, after=moments[kind])).status_code == 200
    for order in last:
        letter = sent_letter(desk, student["id"])
        for at, kind in enumerate(order):
            send(event_of(letter, kind, after=SECOND * at))
        expected[letter["id"]] = STATES[order[-1]]

    run_worker()

    told = desk.rows("select id, delivery from sales_letters where id = any(%s)", list(expected))
    assert {one["id"]: one["delivery"] for one in told} == expected


@pytest.mark.parametrize("order", [("delivered", "sent"), ("sent", "delivered")])
def test_of_two_events_of_one_moment_the_later_state_counts(
    create: Any, desk: Desk, order: tuple[str, str]
) -> None:
    create()
    letter = letter_of(desk)
    moment = event_of(letter, "sent")["created_at"]
    for kind in order:
        send({**event_of(letter, kind), "created_at": moment})
        run_worker()

    assert letter_of(desk)["delivery"] == "delivered"


def test_delivered_is_not_undone_by_an_older_event(create: Any, desk: Desk) -> None:
    create()
    letter = letter_of(desk)
    send(event_of(letter, "delivered"))
    run_worker()

    for kind in ("sent", "delivery_delayed", "bounced", "suppressed"):
        send(event_of(letter, kind, after=-timedelta(hours=1)))
    run_worker()

    assert letter_of(desk)["delivery"] == "delivered"


def test_a_repeated_delivery_is_harmless(create: Any, desk: Desk) -> None:
    create()
    letter = letter_of(desk)
    body = json.dumps(event_of(letter, "bounced", **BOUNCE)).encode()
    headers = signed(body, secret=SECRET)
    send(None, body=body, headers=headers)
    run_worker()
    send(event_of(letter, "delivered", after=SECOND))

    send(None, body=body, headers=headers)
    run_worker()

    assert letter_of(desk)["delivery"] == "delivered"


def test_an_event_of_another_letter_of_resends_changes_nothing(create: Any, desk: Desk) -> None:
    """As of the first one, where a letter that was given up was sent anew."""
    create()
    letter = letter_of(desk)
    send(event_of(letter, "delivered"))
    other = "7c1d0f6e-0000-4000-8000-000000000000"
    send(event_of(letter, "bounced", after=SECOND, resend_id=other))
    run_worker()

    assert letter_of(desk)["delivery"] == "delivered"


def test_an_event_without_our_tag_finds_its_letter_by_resends_id(create: Any, desk: Desk) -> None:
    create()
    send(event_of(letter_of(desk), "delivered", tags={}))
    run_worker()
    assert letter_of(desk)["delivery"] == "delivered"


def test_an_event_that_names_no_letter_is_not_that_of_one_without_resends_id(
    create: Any, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", status=500)
    create()
    event = event_of(letter_of(desk), "delivered")
    event["data"] |= {"email_id": None, "tags": {}}

    send(event)
    run_worker()

    assert (letter_of(desk)["state"], letter_of(desk)["delivery"]) == ("pending", "accepted")


def test_tags_may_come_as_a_list(create: Any, desk: Desk) -> None:
    create()
    letter = letter_of(desk)
    tags = [{"name": "letter_id", "value": str(letter["id"])}]
    desk.connection.execute("update sales_letters set resend_id = ''")
    send(event_of(letter, "delivered", tags=tags))
    run_worker()
    assert letter_of(desk)["delivery"] == "delivered"


@pytest.mark.parametrize("has_tag", [True, False])
def test_an_event_that_comes_before_our_own_commit_is_not_lost(
    create: Any, desk: Desk, faults: Faults, has_tag: bool
) -> None:
    # Resend took it and we did not hear so: for us it is still to be sent.
    faults.set("/emails", drop=True, after=True, times=1)
    create()
    (captured,) = desk.rows("select * from mailbox.letters")
    letter = letter_of(desk)
    assert (letter["state"], letter["resend_id"]) == ("pending", "")
    tags = {} if not has_tag else {"letter_id": str(letter["id"])}
    send(event_of(letter, "delivered", resend_id=str(captured["id"]), tags=tags))
    run_worker()

    if has_tag:
        assert letter_of(desk)["state"] == "sent"
    else:
        assert deliver_again(desk)["state"] == "sent"
        desk.connection.execute(
            "update sales_letter_events set received_at = now() - interval '2 minutes'"
        )
        run_worker()
    letter = letter_of(desk)
    assert (letter["delivery"], letter["resend_id"]) == ("delivered", str(captured["id"]))
    assert len(desk.mailbox()) == 1
    desk.assert_whole_student()


def test_a_letter_retried_for_hours_is_not_sent_again_once_it_has_arrived(
    create: Any, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", drop=True, after=True, times=1)
    create()
    faults.set("/emails", status=500)
    for _ in range(4):
        deliver_again(desk)
    letter = letter_of(desk)
    assert (letter["state"], letter["attempts"]) == ("pending", 5)
    (captured,) = desk.rows("select * from mailbox.letters")
    # Resend has forgotten the key by now, and would take it for a new letter.
    desk.connection.execute("update mailbox.letters set idempotency_key = null")

    send(event_of(letter, "delivered", resend_id=str(captured["id"])))
    run_worker()
    faults.clear()
    work_later(desk)

    assert (letter_of(desk)["state"], letter_of(desk)["delivery"]) == ("sent", "delivered")
    assert len(desk.mailbox()) == 1
    desk.assert_whole_student()


def test_a_letter_that_was_given_up_and_has_arrived_counts_as_sent(
    create: Any, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", drop=True, after=True, times=1)
    create()
    desk.connection.execute("update sales_letters set give_up_at = now()")
    assert deliver_again(desk)["state"] == "failed"
    (captured,) = desk.rows("select * from mailbox.letters")

    send(event_of(letter_of(desk), "delivered", resend_id=str(captured["id"])))
    run_worker()

    desk.assert_whole_student()
    assert letter_of(desk)["delivery"] == "delivered"


def test_a_worker_killed_between_event_and_state_loses_nothing(create: Any, desk: Desk) -> None:
    create()
    send(event_of(letter_of(desk), "bounced", **BOUNCE))
    # A killed worker leaves its job as if it were running.
    desk.connection.execute("update procrastinate_jobs set status = 'doing'")
    desk.connection.execute(
        "update sales_letter_events set received_at = now() - interval '2 minutes'"
    )

    run_worker()

    assert letter_of(desk)["delivery"] == "undelivered"
    assert desk.rows("select * from sales_letter_events where applied_at is null") == []


def test_an_interrupted_application_is_repeated_whole(
    create: Any, desk: Desk, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.set("/emails", drop=True, after=True, times=1)
    create()
    send(event_of(letter_of(desk), "bounced", **BOUNCE))
    (event,) = desk.rows("select * from sales_letter_events")

    def interrupt(*_args: object, **_options: object) -> None:
        raise NotSentYet("killed")

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "record_delivery", interrupt)
        with pytest.raises(NotSentYet):
            events.apply(event["svix_id"])
    assert letter_of(desk)["state"] == "pending"

    events.apply(event["svix_id"])
    events.apply(event["svix_id"])

    assert (letter_of(desk)["state"], letter_of(desk)["delivery"]) == ("sent", "undelivered")
    (student,) = desk.students()
    assert desk.log(student["user_id"]) == ["user_created", "email_sent"]


def test_events_of_other_letters_wait_and_are_forgotten(create: Any, desk: Desk) -> None:
    """The landing pages send through the same account of Resend."""
    create()
    foreign = {**letter_of(desk), "id": "another system's", "resend_id": ""}
    send(event_of(foreign, "delivered"))
    run_worker()
    assert letter_of(desk)["delivery"] == "accepted"
    assert len(desk.rows("select * from sales_letter_events where applied_at is null")) == 1
    desk.connection.execute(
        "update sales_letter_events set received_at = now() - interval '31 days'"
    )

    events.forget_old()

    assert desk.rows("select * from sales_letter_events") == []


def test_an_event_of_a_deleted_student_fails_no_job(create: Any, desk: Desk) -> None:
    create()
    letter = letter_of(desk)
    desk.connection.execute("delete from tripwire_users")
    send(event_of(letter, "delivered"))
    run_worker()
    assert desk.rows("select * from procrastinate_jobs where status = 'failed'") == []


def test_no_row_log_or_job_holds_who_wrote_to_whom_about_what(
    create: Any, desk: Desk, caplog: Any
) -> None:
    caplog.set_level("DEBUG")
    create()
    letter = letter_of(desk)
    send(event_of(letter, "bounced", **BOUNCE))
    send(event_of(letter, "suppressed", after=SECOND, **SUPPRESSED))

    said = str(run_worker().stderr) + caplog.text
    kept = str(desk.rows("select * from sales_letter_events"))
    jobs = str(desk.rows("select args from procrastinate_jobs"))

    for private in (GOOD["email"], GOOD["password"], "Ваш доступ", "hello@onai.test"):
        for where in (kept, jobs, *([said] if private != "hello@onai.test" else [])):
            assert private not in where
    assert "Permanent NoEmail" in kept
    assert GOOD["password"] not in desk.everything()


@pytest.mark.parametrize(
    ("kind", "details", "told"),
    [
        ("delivered", {}, "Письмо доставлено на aru@onai.test"),
        ("delivery_delayed", {}, "Письмо задерживается"),
        ("bounced", BOUNCE, "Такого адреса нет"),
        ("bounced", {"bounce": {"type": "Transient", "subType": "MailboxFull"}}, "переполнен"),
        ("bounced", {"bounce": {"type": "Undetermined"}}, "не сказала почему"),
        ("bounced", {"bounce": {"type": "Permanent", "subType": "Suppressed"}}, "в стоп-листе"),
        ("failed", {"failed": {"reason": "reached_daily_quota"}}, "лимит"),
        ("suppressed", SUPPRESSED, "в стоп-листе"),
        ("complained", {}, "спам"),
    ],
)
def test_the_card_tells_each_state_in_words(
    create: Any,
    desk: Desk,
    as_person: Callable[[str], Client],
    kind: str,
    details: dict[str, Any],
    told: str,
) -> None:
    create()
    send(event_of(letter_of(desk), kind, **details))
    run_worker()

    assert told in text_of(as_person("ayaulym@onai.test").get(path_of(desk)))

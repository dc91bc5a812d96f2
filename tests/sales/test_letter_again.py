"""«Письмо не дошло?»: once more as it was, to another address, or with a new password."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
from django.test import Client

from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import LETTERS, ONE_USER, letter_of, work_later
from tests.support.letter_events import BOUNCE, SUPPRESSED, event_of, send
from tests.support.people import Accounts
from tests.support.processes import run_worker
from tests.support.student_changes import MANAGER, path_of, sign_in_error, student_of, text_of

NEW_EMAIL, PASSWORD = "aru.right@onai.test", "Tzw4-Qpn8-2vXk"
# The e-mail of a student whose address is nearly a common one.
MISTYPED = "aru@gmial.com"


@pytest.fixture
def manager(as_person: Callable[[str], Client], create: Any) -> Client:
    create()
    return as_person(MANAGER)


def _post(client: Client, desk: Desk, **form: str) -> Any:
    body = {"attempt": str(uuid4()), **form}
    return client.post(path_of(desk, "letter"), body, follow=True)


def _to(client: Client, desk: Desk, email: str, **form: str) -> Any:
    return _post(client, desk, how="address", email=email, password=PASSWORD, **form)


def _happens(desk: Desk, kind: str, **details: Any) -> None:
    newest = desk.letters()[-1]
    send(event_of(newest, kind, **details))
    run_worker()


# --- As it was ---------------------------------------------------------------------------------


def test_a_letter_is_sent_again_as_it_was(manager: Client, desk: Desk) -> None:
    page = text_of(manager.get(path_of(desk, "letter")))
    assert "То же письмо с теми же логином и паролем уйдёт на aru@onai.test" in page

    _post(manager, desk, how="again")

    first, second = desk.mailbox()
    assert first["text"] == second["text"]
    assert GOOD["password"] in first["text"]
    assert first["idempotency_key"] != second["idempotency_key"]
    assert [one["sealed_password"] != "" for one in desk.letters()] == [False, True]
    assert desk.log() == ["user_created", "email_sent", "email_sent"]


def test_a_second_tap_sends_nothing_more(manager: Client, desk: Desk) -> None:
    attempt = str(uuid4())
    for _ in range(2):
        _post(manager, desk, how="again", attempt=attempt)
    assert len(desk.mailbox()) == 2


def test_a_day_later_the_same_letter_cannot_be_sent(manager: Client, desk: Desk) -> None:
    desk.connection.execute("update sales_letters set created_at = now() - interval '25 hours'")

    assert "То же письмо уже не отправить" in text_of(manager.get(path_of(desk, "letter")))
    answer = _post(manager, desk, how="again")

    assert answer.status_code == 409
    assert "пароля из него больше нет" in text_of(answer)
    assert len(desk.mailbox()) == 1


def test_a_letter_is_not_repeated_to_a_student_who_has_signed_in(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    accounts.sign_in(GOOD["email"], GOOD["password"])
    assert _post(manager, desk, how="again").status_code == 409
    assert len(desk.mailbox()) == 1


def test_nothing_is_sent_while_a_change_is_under_way(
    manager: Client, desk: Desk, faults: Faults
) -> None:
    faults.set(ONE_USER, times=1, status=504)
    _to(manager, desk, NEW_EMAIL)

    answer = _post(manager, desk, how="again")

    assert (answer.status_code, len(desk.mailbox())) == (409, 1)
    assert "ещё не закончено" in text_of(answer)


def test_a_waiting_letter_is_tried_at_once(
    as_person: Callable[[str], Client], create: Any, desk: Desk, faults: Faults
) -> None:
    faults.set(LETTERS, status=500)
    create()
    faults.clear()
    _post(as_person(MANAGER), desk, how="again")
    assert letter_of(desk)["state"] == "sent"
    assert len(desk.mailbox()) == 1


def test_another_managers_student_is_not_written_to(
    manager: Client, desk: Desk, as_person: Callable[[str], Client], colleague: Any
) -> None:
    stranger = as_person("botagoz@onai.test")
    assert stranger.get(path_of(desk, "letter")).status_code == 403
    assert _to(stranger, desk, NEW_EMAIL).status_code == 403
    assert len(desk.letters()) == 1


def test_an_attempt_must_be_an_id(manager: Client, desk: Desk) -> None:
    assert _post(manager, desk, how="again", attempt="nonsense").status_code == 400


# --- To another address ------------------------------------------------------------------------


def test_a_student_who_never_signed_in_gets_everything_anew_in_one_letter(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    assert "Входа ещё не было" in text_of(manager.get(path_of(desk, "letter")))

    page = text_of(_to(manager, desk, NEW_EMAIL))

    (letter,) = desk.mailbox(NEW_EMAIL)
    assert letter["subject"] == "Ваш доступ к экспресс-курсу onAI Academy"
    assert NEW_EMAIL in letter["text"]
    assert PASSWORD in letter["text"]
    accounts.sign_in(NEW_EMAIL, PASSWORD)
    for email in (GOOD["email"], NEW_EMAIL):
        assert sign_in_error(accounts, email, GOOD["password"]) == "invalid_credentials"
    assert "Доступ отправлен на новый адрес" in page
    assert PASSWORD in page  # for a messenger
    assert "Письмо отправлено на aru.right@onai.test" in page
    assert desk.changes()[0]["sealed_password"] == ""
    assert PASSWORD not in desk.everything()


def test_a_correction_of_the_address_does_the_same(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    form = {"attempt": str(uuid4()), "email": NEW_EMAIL, "full_name": GOOD["full_name"]}
    manager.post(path_of(desk, "data"), form)

    (letter,) = desk.mailbox(NEW_EMAIL)
    assert "Пароль:" in letter["text"]
    assert GOOD["password"] not in letter["text"]
    assert sign_in_error(accounts, NEW_EMAIL, GOOD["password"]) == "invalid_credentials"


def test_a_student_who_has_signed_in_keeps_the_password(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    accounts.sign_in(GOOD["email"], GOOD["password"])
    assert "пароль останется прежним" in text_of(manager.get(path_of(desk, "letter")))

    page = text_of(_to(manager, desk, NEW_EMAIL))

    (letter,) = desk.mailbox(NEW_EMAIL)
    assert letter["subject"] == "Новый логин к экспресс-курсу onAI Academy"
    accounts.sign_in(NEW_EMAIL, GOOD["password"])
    assert PASSWORD not in page


def test_a_second_tap_is_the_same_change(manager: Client, desk: Desk) -> None:
    attempt = str(uuid4())
    for _ in range(2):
        page = text_of(_to(manager, desk, NEW_EMAIL, attempt=attempt))
    assert PASSWORD in page
    assert len(desk.mailbox(NEW_EMAIL)) == 1
    assert len(desk.changes()) == 1


def test_an_interrupted_change_of_address_is_finished_by_the_worker(
    manager: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, times=1, after=True, status=504)
    page = text_of(_to(manager, desk, NEW_EMAIL))
    assert "не ответил вовремя" in page

    work_later(desk)

    accounts.sign_in(NEW_EMAIL, PASSWORD)
    assert PASSWORD in desk.mailbox(NEW_EMAIL)[0]["text"]
    assert (desk.changes()[0]["state"], desk.changes()[0]["sealed_password"]) == ("done", "")


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"email": ""}, "Укажите почту"),
        ({"email": "nobody"}, "не похоже на адрес"),
        ({"email": MISTYPED}, "Может быть, aru@gmail.com?"),
        ({"email": GOOD["email"]}, "менять нечего"),
        ({"email": "admin@onai.test"}, "уже у другой учётной записи"),
        ({"email": NEW_EMAIL, "password": "short"}, "исправьте отмеченное"),
    ],
    ids=str,
)
def test_a_wrong_address_is_reported_and_changes_nothing(
    manager: Client, desk: Desk, accounts: Accounts, form: dict[str, str], told: str
) -> None:
    answer = _post(manager, desk, how="address", **form)

    assert answer.status_code in (400, 409)
    assert told in text_of(answer)
    assert student_of(desk)["email"] == GOOD["email"]
    accounts.sign_in(GOOD["email"], GOOD["password"])


# --- Addresses to which nothing goes -----------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "details"), [("bounced", BOUNCE), ("suppressed", SUPPRESSED), ("complained", {})]
)
def test_a_suppressed_address_is_reported_and_whatsapp_is_offered(
    as_person: Callable[[str], Client],
    create: Any,
    desk: Desk,
    kind: str,
    details: dict[str, Any],
) -> None:
    create(phone="+7 700 000 00 01")
    manager = as_person(MANAGER)
    _happens(desk, kind, **details)

    answer = manager.get(path_of(desk, "letter"))
    assert "почтовый сервис молча их пропускает" in text_of(answer)
    assert "https://wa.me/77000000001" in unquote(answer.content.decode())
    refused = _post(manager, desk, how="again")
    assert refused.status_code == 409
    assert "молча его пропустит" in text_of(refused)
    assert len(desk.letters()) == 1

    # Somebody has taken it off the list at Resend.
    _post(manager, desk, how="again", despite_list="on")

    assert len(desk.letters()) == 2


def test_a_passing_bounce_does_not_suppress(manager: Client, desk: Desk) -> None:
    _happens(desk, "bounced", bounce={"type": "Transient", "subType": "MailboxFull"})
    assert "молча" not in text_of(manager.get(path_of(desk, "letter")))
    _post(manager, desk, how="again")
    assert len(desk.letters()) == 2


def test_an_address_that_took_a_later_letter_is_no_longer_suppressed(
    manager: Client, desk: Desk
) -> None:
    _happens(desk, "bounced", **BOUNCE)
    desk.connection.execute("update mailbox.letters set created_at = now()")
    desk.connection.execute("delete from mailbox.suppressions")
    _post(manager, desk, how="again", despite_list="on")

    _happens(desk, "delivered")

    assert "молча" not in text_of(manager.get(path_of(desk, "letter")))


def test_an_address_that_took_an_earlier_letter_is_suppressed_by_a_later_bounce(
    manager: Client, desk: Desk
) -> None:
    _happens(desk, "delivered")
    _post(manager, desk, how="again")
    _happens(desk, "bounced", **BOUNCE)

    assert "молча" in text_of(manager.get(path_of(desk, "letter")))


def test_another_address_that_is_suppressed_needs_a_confirmation(
    manager: Client, desk: Desk
) -> None:
    _happens(desk, "bounced", **BOUNCE)
    _to(manager, desk, NEW_EMAIL)

    back = _to(manager, desk, GOOD["email"])

    assert back.status_code == 400
    assert "он в стоп-листе" in text_of(back)
    _to(manager, desk, GOOD["email"], despite_list="on")
    assert student_of(desk)["email"] == GOOD["email"]


# --- The work list -----------------------------------------------------------------------------


def test_a_lost_letter_puts_the_student_into_the_work_list(manager: Client, desk: Desk) -> None:
    assert "Письмо не дошло" not in text_of(manager.get("/sales-manager"))
    _happens(desk, "bounced", **BOUNCE)

    page = text_of(manager.get("/sales-manager"))
    assert "Письмо не дошло логин и пароль не получены 1" in page
    assert "письмо не дошло" in page
    listed = text_of(manager.get("/sales-manager", {"letter": "lost"}))
    assert "Всего: 1" in listed
    assert GOOD["full_name"] in listed

    _to(manager, desk, NEW_EMAIL)

    assert "Письмо не дошло" not in text_of(manager.get("/sales-manager"))


def test_a_letter_that_was_never_accepted_counts_as_lost(
    as_person: Callable[[str], Client], create: Any, desk: Desk, faults: Faults
) -> None:
    faults.set(LETTERS, status=422, body='{"name": "validation_error"}')
    create()
    assert "Письмо не дошло логин и пароль не получены 1" in text_of(
        as_person(MANAGER).get("/sales-manager")
    )


@pytest.mark.parametrize(
    ("kind", "details", "letter"),
    [
        ("sent", {}, "accepted"),
        ("delivered", {}, "delivered"),
        ("delivery_delayed", {}, "delayed"),
        ("bounced", BOUNCE, "undelivered"),
        ("suppressed", SUPPRESSED, "suppressed"),
        ("complained", {}, "complained"),
    ],
)
def test_each_state_is_a_filter_of_the_list(
    manager: Client, desk: Desk, kind: str, details: dict[str, Any], letter: str
) -> None:
    _happens(desk, kind, **details)
    states = ("accepted", "delivered", "delayed", "undelivered", "suppressed", "complained")

    for state in states:
        page = text_of(manager.get("/sales-manager", {"letter": state}))
        assert ("Всего: 1" in page) == (state == letter), state


def test_the_address_of_the_lead_and_a_probable_correction_are_offered(
    as_person: Callable[[str], Client], create: Any, desk: Desk
) -> None:
    create(email=MISTYPED, confirm_email="on")
    student, buyer = student_of(desk), str(uuid4())
    now = datetime.now(UTC)
    desk.connection.execute(
        "insert into sales_buyers (id, name, phone, email, created_at) values (%s, '', '', '', %s)",
        [buyer, now],
    )
    desk.connection.execute(
        "insert into sales_buyer_contacts (id, kind, buyer_id, name, phone, email,"
        " created_at, fingerprint)"
        " values (gen_random_uuid(), 'lead', %s, '', '', 'Aru.Lead@onai.test', %s, '')",
        [buyer, now],
    )
    desk.connection.execute(
        "insert into sales_student_leads (student_id, buyer_id, phone, first_signal, how)"
        " values (%s, %s, '', '', 'phone') on conflict (student_id) do update"
        " set buyer_id = excluded.buyer_id, how = excluded.how",
        [student["id"], buyer],
    )
    send(event_of(desk.letters()[0], "bounced", **BOUNCE))
    run_worker()
    manager = as_person(MANAGER)

    for path in ("/sales-manager", path_of(desk, "letter")):
        page = text_of(manager.get(path))
        assert "aru.lead@onai.test из заявки" in page, path
        assert "aru@gmail.com возможно, опечатка" in page, path

    desk.connection.execute("update sales_student_leads set how = 'undone'")

    # Somebody else's address, as a person has said.
    assert "aru.lead@onai.test" not in text_of(manager.get(path_of(desk, "letter")))

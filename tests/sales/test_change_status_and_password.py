"""A student's status and password, changed by the pages."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import ONE_USER
from tests.support.people import Accounts
from tests.support.student_changes import (
    NEW_PASSWORD,
    act_and_follow,
    newest_entry,
    path_of,
    sign_in_error,
    student_of,
    text_of,
)

pytestmark = pytest.mark.usefixtures("one_student")


# --- Status ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "shown", "said"),
    [
        ("inactive", "На паузе", "Студент на паузе."),
        ("completed", "Курс пройден", "Курс отмечен пройденным."),
    ],
)
def test_a_status_is_changed_and_logged(
    manager: Client, desk: Desk, accounts: Accounts, status: str, shown: str, said: str
) -> None:
    session = accounts.sign_in(GOOD["email"], GOOD["password"])
    before = student_of(desk)

    answer = act_and_follow(manager, desk, "status", status=status)

    assert f"{said} Отменить" in text_of(answer)
    assert f"Статус сменён Учится → {shown} Аяулым Тест" in text_of(answer)
    assert student_of(desk)["status"] == status
    entry = newest_entry(desk)
    assert entry["action_type"] == "status_changed"
    assert entry["target_user_id"] == student_of(desk)["user_id"]
    assert (entry["details"]["before"], entry["details"]["after"]) == ("active", status)
    assert student_of(desk)["updated_at"] > before["updated_at"]
    # Only a block signs anybody out.
    assert accounts.call("GET", "/user", session["access_token"]).status_code == 200


def test_blocking_needs_a_confirmation(manager: Client, desk: Desk) -> None:
    answer = act_and_follow(manager, desk, "status", status="blocked")

    assert answer.status_code == 400
    assert "Подтвердите: студент сразу потеряет доступ" in text_of(answer)
    assert student_of(desk)["status"] == "active"


def test_blocking_ends_access_at_once_and_unblocking_restores_it(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    student = Client()
    student.post("/login", {"email": GOOD["email"], "password": GOOD["password"]})
    assert student.get("/welcome").status_code == 200
    session = accounts.sign_in(GOOD["email"], GOOD["password"])

    act_and_follow(manager, desk, "status", status="blocked", sure="on")

    assert sign_in_error(accounts, GOOD["email"], GOOD["password"]) == "user_banned"
    assert student.get("/welcome").status_code == 403
    user_id = student_of(desk)["user_id"]
    assert desk.rows("select 1 from auth.sessions where user_id = %s", user_id) == []
    assert accounts.call("GET", "/user", session["access_token"]).status_code == 403

    act_and_follow(manager, desk, "status", status="active")

    accounts.sign_in(GOOD["email"], GOOD["password"])
    assert student.get("/welcome").status_code == 200
    assert desk.log(user_id)[2:] == ["status_changed", "status_changed"]


def test_without_the_right_to_end_sessions_the_ban_suffices(
    manager: Client, boss: Client, desk: Desk, accounts: Accounts, caplog: Any
) -> None:
    accounts.sign_in(GOOD["email"], GOOD["password"])
    desk.connection.execute(
        "create or replace function auth.refuse() returns trigger language plpgsql as"
        " $$ begin raise insufficient_privilege; end $$;"
        "create trigger refuse before delete on auth.sessions"
        " for each row execute function auth.refuse()"
    )
    try:
        act_and_follow(manager, desk, "status", status="blocked", sure="on")
    finally:
        desk.connection.execute("drop function auth.refuse() cascade")
    assert student_of(desk)["status"] == "blocked"
    assert "sessions_not_ended" in caplog.text
    assert sign_in_error(accounts, GOOD["email"], GOOD["password"]) == "user_banned"


def test_other_statuses_do_not_call_supabase(manager: Client, desk: Desk, faults: Faults) -> None:
    faults.set(ONE_USER, status=504)
    assert "Студент на паузе." in text_of(
        act_and_follow(manager, desk, "status", status="inactive")
    )
    assert faults.met() == 0


def test_an_unchanged_status_is_not_an_act(manager: Client, desk: Desk) -> None:
    answer = act_and_follow(manager, desk, "status", status="active")

    assert answer.status_code == 409
    assert "менять нечего" in text_of(answer)
    assert desk.log() == ["user_created", "email_sent"]


def test_an_expired_ban_does_not_count(manager: Client, desk: Desk) -> None:
    desk.connection.execute(
        "update auth.users set banned_until = now() - interval '1 day' where email = %s",
        [GOOD["email"]],
    )
    assert act_and_follow(manager, desk, "status", status="active").status_code == 409


@pytest.mark.parametrize("status", ["", "vip"])
def test_an_unknown_status_is_reported(manager: Client, desk: Desk, status: str) -> None:
    answer = act_and_follow(manager, desk, "status", status=status)
    assert answer.status_code == 400
    assert student_of(desk)["status"] == "active"


def test_a_blocked_student_without_a_ban_gets_one(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    desk.connection.execute("update tripwire_users set status = 'blocked'")
    act_and_follow(manager, desk, "status", status="blocked", sure="on")
    assert sign_in_error(accounts, GOOD["email"], GOOD["password"]) == "user_banned"

    desk.connection.execute("update tripwire_users set status = 'active'")
    act_and_follow(manager, desk, "status", status="completed")
    accounts.sign_in(GOOD["email"], GOOD["password"])


# --- Password ----------------------------------------------------------------------------------


def test_a_new_password_replaces_the_old_one_and_is_shown_again(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    accounts.sign_in(GOOD["email"], GOOD["password"])

    answer = act_and_follow(manager, desk, "password", password=NEW_PASSWORD)

    page = text_of(answer)
    assert "Пароль сменён" in page
    assert "Письмо (новый пароль) отправлено на aru@onai.test" in page
    assert "прежний больше не действует" in page
    assert page.count(NEW_PASSWORD) == 2  # to read, and in the ready message
    assert NEW_PASSWORD in text_of(manager.get(answer.request["PATH_INFO"]))
    newest, welcome = desk.mailbox()
    assert newest["subject"] == "Новый пароль к экспресс-курсу onAI Academy"
    assert NEW_PASSWORD in newest["text"]
    assert GOOD["password"] in welcome["text"]
    assert sign_in_error(accounts, GOOD["email"], GOOD["password"]) == "invalid_credentials"
    accounts.sign_in(GOOD["email"], NEW_PASSWORD)
    assert desk.log()[2:] == ["password_reset", "email_sent"]
    assert student_of(desk)["welcome_email_sent"] is True


def test_a_new_password_is_in_no_row_or_log(
    manager: Client, desk: Desk, caplog: Any, faults: Faults
) -> None:
    faults.set("/emails", status=500)
    act_and_follow(manager, desk, "password", password=NEW_PASSWORD)

    assert NEW_PASSWORD not in desk.everything()
    assert NEW_PASSWORD not in caplog.text


def test_a_waiting_letter_is_not_reported_as_sent(
    manager: Client, desk: Desk, faults: Faults
) -> None:
    assert student_of(desk)["welcome_email_sent"] is True
    faults.set("/emails", status=500)
    act_and_follow(manager, desk, "password", password=NEW_PASSWORD)

    assert student_of(desk)["welcome_email_sent"] is False
    assert "письмо ждёт" in text_of(manager.get("/sales-manager"))


@pytest.mark.parametrize("one_student", [500, 422], indirect=True)
def test_a_new_password_takes_an_unsent_letter_out_of_the_outbox(
    manager: Client, desk: Desk
) -> None:
    act_and_follow(manager, desk, "password", password=NEW_PASSWORD)

    (letter,) = desk.mailbox()
    assert NEW_PASSWORD in letter["text"]
    states = [(letter["kind"], letter["state"]) for letter in desk.letters()]
    assert states == [("welcome", "replaced"), ("new_password", "sent")]
    assert [bool(letter["sealed_password"]) for letter in desk.letters()] == [False, True]


@pytest.mark.parametrize("password", ["", "short", "aru@onai.test", "password123", " Kvx7-Rmp3 "])
def test_a_bad_password_is_reported_beside_its_field(
    manager: Client, desk: Desk, password: str
) -> None:
    answer = act_and_follow(manager, desk, "password", password=password)

    assert answer.status_code == 400
    assert 'class="field-error"' in answer.content.decode()
    assert desk.log() == ["user_created", "email_sent"]


def test_another_suggestion_changes_nothing(manager: Client, desk: Desk) -> None:
    answer = act_and_follow(manager, desk, "password", password="", suggest="1")
    assert answer.status_code == 200
    assert desk.changes() == []


def test_only_the_newest_password_is_shown(manager: Client, desk: Desk) -> None:
    path = path_of(desk, "password")
    first = manager.post(path, {"attempt": str(uuid4()), "password": NEW_PASSWORD})["Location"]
    act_and_follow(manager, desk, "password", password="Other-Qpn8-2vXk")
    assert NEW_PASSWORD not in text_of(manager.get(first))


def test_another_change_does_not_hide_a_new_password(manager: Client, desk: Desk) -> None:
    body = {"attempt": str(uuid4()), "password": NEW_PASSWORD}
    page = manager.post(path_of(desk, "password"), body)["Location"]
    act_and_follow(manager, desk, "status", status="inactive")
    assert NEW_PASSWORD in text_of(manager.get(page))


def test_a_new_password_is_shown_for_a_quarter_of_an_hour(manager: Client, desk: Desk) -> None:
    body = {"attempt": str(uuid4()), "password": NEW_PASSWORD}
    answer = manager.post(path_of(desk, "password"), body)
    (name,) = [key for key in answer.cookies if key.startswith("onai-once-")]
    assert answer.cookies[name]["max-age"] == 15 * 60

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        assert NEW_PASSWORD not in text_of(manager.get(answer["Location"]))

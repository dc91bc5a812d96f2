"""Changing a student by the pages: status, password, name and e-mail, manager, deletion."""

import re
import threading
from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.test import Client

from onai.errors import WrongRole
from onai.identity.roles import Identity, Role
from sales import changes, tasks
from sales.staff import Manager
from tests.conftest import Faults
from tests.desk import GOOD, Desk, Row
from tests.people import Accounts

SignIn = Callable[[str], Client]
MANAGER, OTHER, ADMIN = "ayaulym@onai.test", "botagoz@onai.test", "admin@onai.test"
NEW_PASSWORD = "Tzw4-Qpn8-2vXk"
ACTS = ("status", "password", "data", "manager", "delete")


@pytest.fixture
def manager(as_person: SignIn, desk: Desk) -> Client:
    """A manager who has created a student."""
    client = as_person(MANAGER)
    assert client.post("/sales-manager/students/new", GOOD).status_code == 302
    return client


@pytest.fixture
def boss(manager: Client) -> Client:
    """An admin, once the manager's student is there."""
    client = Client()
    client.post("/login", {"email": ADMIN, "password": "Demo1234!"})
    return client


@pytest.fixture
def colleague(accounts: Accounts, desk: Desk) -> dict[str, Any]:
    return accounts.create(OTHER, role="sales", full_name="Ботагоз Тест")


def _student(desk: Desk) -> Row:
    return desk.row("select * from tripwire_users where full_name not like 'Другой%%'")


def _path(desk: Desk, act: str = "") -> str:
    card = f"/sales-manager/students/{_student(desk)['id']}"
    return f"{card}/{act}" if act else card


def _act(client: Client, desk: Desk, act: str, **fields: Any) -> Any:
    """What the page of an act answers in the end."""
    body = {"attempt": str(uuid4()), **fields}
    return client.post(_path(desk, act), body, follow=True)


def _text(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def _entry(desk: Desk) -> Row:
    """The newest log entry."""
    return desk.rows("select * from sales_activity_log order by created_at desc limit 1")[0]


def _refused(accounts: Accounts, email: str, password: str) -> str:
    answer = accounts.call(
        "POST", "/token?grant_type=password", json={"email": email, "password": password}
    )
    return str(answer.json().get("error_code", answer.status_code))


# --- Status ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "shown"), [("inactive", "Неактивен"), ("completed", "Прошёл курс")]
)
def test_a_status_is_changed_and_logged(
    manager: Client, desk: Desk, accounts: Accounts, status: str, shown: str
) -> None:
    answer = _act(manager, desk, "status", status=status)

    assert f"Статус теперь: {shown}." in _text(answer)
    assert f"Сменил статус Активен → {shown} Аяулым Тест" in _text(answer)
    assert _student(desk)["status"] == status
    entry = _entry(desk)
    assert entry["action_type"] == "status_changed"
    assert entry["target_user_id"] == _student(desk)["user_id"]
    assert (entry["details"]["before"], entry["details"]["after"]) == ("active", status)
    accounts.sign_in(GOOD["email"], GOOD["password"])


def test_blocking_takes_a_second_word(manager: Client, desk: Desk) -> None:
    answer = _act(manager, desk, "status", status="blocked")

    assert answer.status_code == 400
    assert "Подтвердите: студент сразу потеряет доступ" in _text(answer)
    assert _student(desk)["status"] == "active"


def test_a_blocked_student_is_out_at_once_and_unblocked_comes_back(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    student = Client()
    student.post("/login", {"email": GOOD["email"], "password": GOOD["password"]})
    assert student.get("/welcome").status_code == 200
    session = accounts.sign_in(GOOD["email"], GOOD["password"])

    _act(manager, desk, "status", status="blocked", sure="on")

    assert _refused(accounts, GOOD["email"], GOOD["password"]) == "user_banned"
    assert student.get("/welcome").status_code == 403
    user_id = _student(desk)["user_id"]
    assert desk.rows("select 1 from auth.sessions where user_id = %s", user_id) == []
    assert accounts.call("GET", "/user", session["access_token"]).status_code == 403

    _act(manager, desk, "status", status="active")

    accounts.sign_in(GOOD["email"], GOOD["password"])
    assert student.get("/welcome").status_code == 200
    assert desk.log(user_id)[2:] == ["status_changed", "status_changed"]


def test_where_our_role_may_not_end_sessions_the_ban_alone_ends_them(
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
        _act(manager, desk, "status", status="blocked", sure="on")
    finally:
        desk.connection.execute("drop function auth.refuse() cascade")
    assert _student(desk)["status"] == "blocked"
    assert "sessions_not_ended" in caplog.text
    assert _refused(accounts, GOOD["email"], GOOD["password"]) == "user_banned"


def test_the_same_status_again_is_no_act(manager: Client, desk: Desk) -> None:
    answer = _act(manager, desk, "status", status="active")

    assert answer.status_code == 409
    assert "менять нечего" in _text(answer)
    assert desk.log() == ["user_created", "email_sent"]


@pytest.mark.parametrize("status", ["", "vip"])
def test_an_unknown_status_is_told(manager: Client, desk: Desk, status: str) -> None:
    answer = _act(manager, desk, "status", status=status)
    assert answer.status_code == 400
    assert _student(desk)["status"] == "active"


# --- Password ----------------------------------------------------------------------------------


def test_a_new_password_replaces_the_old_and_is_sent_and_shown_once(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    accounts.sign_in(GOOD["email"], GOOD["password"])

    answer = _act(manager, desk, "password", password=NEW_PASSWORD)

    page = _text(answer)
    assert "Пароль сменён" in page
    assert "Письмо (новый пароль) отправлено на aru@onai.test" in page
    assert "прежний больше не действует" in page
    assert page.count(NEW_PASSWORD) == 2  # to read, and in the ready message
    assert NEW_PASSWORD not in _text(manager.get(answer.request["PATH_INFO"]))
    newest, welcome = desk.mailbox()
    assert newest["subject"] == "Новый пароль к экспресс-курсу onAI Academy"
    assert NEW_PASSWORD in newest["text"]
    assert GOOD["password"] in welcome["text"]
    assert _refused(accounts, GOOD["email"], GOOD["password"]) == "invalid_credentials"
    accounts.sign_in(GOOD["email"], NEW_PASSWORD)
    assert desk.log()[2:] == ["password_reset", "email_sent"]
    assert _student(desk)["welcome_email_sent"] is True


def test_a_new_password_is_in_no_row_and_no_log(
    manager: Client, desk: Desk, caplog: Any, faults: Faults
) -> None:
    faults.set("/emails", status=500)
    _act(manager, desk, "password", password=NEW_PASSWORD)

    assert NEW_PASSWORD not in desk.everything()
    assert NEW_PASSWORD not in caplog.text


def test_a_new_password_takes_an_unsent_letter_out_of_the_outbox(
    as_person: SignIn, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", status=500)
    client = as_person(MANAGER)
    client.post("/sales-manager/students/new", GOOD)
    faults.clear()

    _act(client, desk, "password", password=NEW_PASSWORD)

    (letter,) = desk.mailbox()
    assert NEW_PASSWORD in letter["text"]
    states = [(letter["kind"], letter["state"]) for letter in desk.letters()]
    assert states == [("welcome", "replaced"), ("new_password", "sent")]
    assert {letter["sealed_password"] for letter in desk.letters()} == {""}


@pytest.mark.parametrize("password", ["", "short", "aru@onai.test", "password123", " Kvx7-Rmp3 "])
def test_a_bad_new_password_is_told_beside_the_field(
    manager: Client, desk: Desk, password: str
) -> None:
    answer = _act(manager, desk, "password", password=password)

    assert answer.status_code == 400
    assert 'class="field-error"' in answer.content.decode()
    assert desk.log() == ["user_created", "email_sent"]


def test_another_suggestion_changes_nothing(manager: Client, desk: Desk) -> None:
    answer = _act(manager, desk, "password", password="", suggest="1")
    assert answer.status_code == 200
    assert desk.changes() == []


# --- Correction --------------------------------------------------------------------------------


def test_a_name_is_corrected_here_and_at_supabase_without_a_letter(
    manager: Client, desk: Desk
) -> None:
    answer = _act(manager, desk, "data", email=GOOD["email"], full_name="Ару Сапарқызы")

    assert "Исправлено." in _text(answer)
    assert "Исправил данные Ару Сапарова → Ару Сапарқызы" in _text(answer)
    assert _student(desk)["full_name"] == "Ару Сапарқызы"
    (account,) = desk.accounts()
    assert account["raw_user_meta_data"] == {"full_name": "Ару Сапарқызы", "role": "student"}
    assert len(desk.mailbox()) == 1


def test_a_new_address_is_the_login_and_is_told(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    answer = _act(manager, desk, "data", email=" Aru.New@onai.test ", full_name=GOOD["full_name"])

    page = _text(answer)
    assert "Войти можно только по новой почте" in page
    assert "Письмо (новый логин) отправлено на aru.new@onai.test" in page
    assert "выдайте новый пароль" in page  # the letter with the password went elsewhere
    assert _student(desk)["email"] == "aru.new@onai.test"
    (letter,) = desk.mailbox("aru.new@onai.test")
    assert letter["subject"] == "Новый логин к экспресс-курсу onAI Academy"
    assert "Пароль остался прежним" in letter["text"]
    assert GOOD["password"] not in letter["text"] + letter["html"]
    accounts.sign_in("aru.new@onai.test", GOOD["password"])
    assert _refused(accounts, GOOD["email"], GOOD["password"]) == "invalid_credentials"
    assert _student(desk)["welcome_email_sent"] is True


def test_a_letter_that_never_left_goes_to_the_new_address_with_its_password(
    as_person: SignIn, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", status=422, body='{"name": "validation_error"}')
    client = as_person(MANAGER)
    client.post("/sales-manager/students/new", GOOD)
    faults.clear()

    page = _text(_act(client, desk, "data", email="aru.new@onai.test", full_name=GOOD["full_name"]))

    assert "выдайте новый пароль" not in page
    (letter,) = desk.mailbox("aru.new@onai.test")
    assert letter["subject"] == "Ваш доступ к экспресс-курсу onAI Academy"
    assert GOOD["password"] in letter["text"]
    assert desk.mailbox() == []


@pytest.mark.parametrize("whose", ["student", "staff", "account", "other case"])
def test_an_address_of_somebody_else_is_refused_beside_the_field(
    manager: Client, desk: Desk, accounts: Accounts, whose: str
) -> None:
    taken = {
        "student": "other@onai.test",
        "staff": ADMIN,
        "account": "nobody@onai.test",
        "other case": "Other@Onai.test",
    }[whose]
    other = {**GOOD, "email": "other@onai.test", "full_name": "Другой Тест"}
    manager.post("/sales-manager/students/new", other)
    accounts.create("nobody@onai.test")

    answer = _act(manager, desk, "data", email=taken, full_name="Новое Имя")

    assert answer.status_code == 409
    assert "Этот адрес уже у другой учётной записи." in _text(answer)
    assert 'value="Новое Имя"' in answer.content.decode()  # nothing typed is lost
    assert _student(desk)["full_name"] == GOOD["full_name"]
    assert len(desk.accounts()) == 1


def test_only_the_case_of_an_address_is_no_change(manager: Client, desk: Desk) -> None:
    answer = _act(manager, desk, "data", email="ARU@onai.test", full_name=GOOD["full_name"])
    assert answer.status_code == 409
    assert desk.changes() == []


@pytest.mark.parametrize(
    "wrong", [{"email": "no"}, {"email": ""}, {"full_name": ""}, {"full_name": "\u202eабв"}]
)
def test_a_bad_name_or_address_is_told_beside_the_field(
    manager: Client, desk: Desk, wrong: dict[str, str]
) -> None:
    right = {"email": GOOD["email"], "full_name": GOOD["full_name"]}
    answer = _act(manager, desk, "data", **{**right, **wrong})
    assert answer.status_code == 400
    assert 'class="field-error"' in answer.content.decode()


# --- Handing over ------------------------------------------------------------------------------


def test_a_student_is_handed_over(
    manager: Client, boss: Client, desk: Desk, colleague: dict[str, Any]
) -> None:
    answer = _act(boss, desk, "manager", manager_id=colleague["id"])

    assert "Студент передан: Ботагоз Тест." in _text(answer)
    assert "Передал студента Аяулым Тест → Ботагоз Тест Админ Тест" in _text(answer)
    student = _student(desk)
    assert (str(student["granted_by"]), student["manager_name"]) == (
        colleague["id"],
        "Ботагоз Тест",
    )
    assert manager.get(_path(desk)).status_code == 403
    assert _act(manager, desk, "status", status="inactive").status_code == 403


@pytest.mark.parametrize(
    ("whom", "status"), [("", 400), ("nonsense", 400), ("student", 400), ("the same", 409)]
)
def test_only_other_staff_can_be_handed_a_student(
    boss: Client, desk: Desk, whom: str, status: int
) -> None:
    student = _student(desk)
    ids = {"student": str(student["user_id"]), "the same": str(student["granted_by"])}
    answer = _act(boss, desk, "manager", manager_id=ids.get(whom, whom))
    assert answer.status_code == status
    assert _student(desk)["granted_by"] == student["granted_by"]


# --- Deletion ----------------------------------------------------------------------------------


def test_a_deleted_student_is_gone_with_the_account_and_the_log_remembers(
    boss: Client, desk: Desk
) -> None:
    user_id = _student(desk)["user_id"]

    answer = _act(boss, desk, "delete", email=" ARU@onai.test ")

    assert "Доступ удалён" in _text(answer)
    assert (desk.students(), desk.accounts(), desk.letters()) == ([], [], [])
    assert desk.log(user_id) == ["user_created", "email_sent", "user_deleted"]
    assert _entry(desk)["details"]["email"] == GOOD["email"]
    journal = _text(boss.get("/sales-manager/activity"))
    assert "Удалил доступ Ару Сапарова Админ Тест" in journal


def test_the_address_of_a_deleted_student_is_free_again(
    manager: Client, boss: Client, desk: Desk
) -> None:
    _act(boss, desk, "delete", email=GOOD["email"])
    again = manager.post("/sales-manager/students/new", {**GOOD, "full_name": "Ару Вторая"})
    assert again.status_code == 302
    assert len(desk.students()) == 1


@pytest.mark.parametrize("typed", ["", "aru@onai", "other@onai.test"])
def test_deleting_takes_the_students_address(boss: Client, desk: Desk, typed: str) -> None:
    answer = _act(boss, desk, "delete", email=typed)
    assert answer.status_code == 400
    assert len(desk.students()) == 1


def test_a_second_tap_on_delete_is_told_the_same(boss: Client, desk: Desk) -> None:
    body = {"attempt": str(uuid4()), "email": GOOD["email"]}
    path = _path(desk, "delete")
    first = boss.post(path, body)
    second = boss.post(path, body)
    assert (first.status_code, first["Location"]) == (302, second["Location"])
    assert desk.log().count("user_deleted") == 1


# --- Whose, and what not -----------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_acts_on_somebody_elses_student(
    manager: Client, desk: Desk, colleague: dict[str, Any], act: str, method: str
) -> None:
    other = Client()
    other.post("/login", {"email": OTHER, "password": "Demo1234!"})
    everything = {
        "attempt": str(uuid4()),
        "status": "inactive",
        "password": NEW_PASSWORD,
        "email": GOOD["email"],
        "full_name": "Чужое Имя",
        "manager_id": colleague["id"],
    }
    before = _student(desk)

    answer = getattr(other, method)(_path(desk, act), everything)

    assert answer.status_code == 403
    assert _student(desk) == before
    assert desk.changes() == []


@pytest.mark.parametrize("act", ["manager", "delete"])
def test_a_manager_neither_hands_over_nor_deletes_their_own(
    manager: Client, desk: Desk, colleague: dict[str, Any], act: str
) -> None:
    answer = _act(manager, desk, act, email=GOOD["email"], manager_id=colleague["id"])
    assert answer.status_code == 403
    assert len(desk.students()) == 1
    card = manager.get(_path(desk)).content.decode()
    assert f'{_path(desk)}/{act}"' not in card


@pytest.mark.parametrize("act", ACTS)
def test_students_and_visitors_have_no_acts(desk: Desk, boss: Client, act: str) -> None:
    student = Client()
    student.post("/login", {"email": GOOD["email"], "password": GOOD["password"]})
    assert student.get(_path(desk, act)).status_code == 403
    assert Client().get(_path(desk, act)).status_code == 302


@pytest.mark.parametrize("act", ACTS)
def test_every_act_has_a_page(boss: Client, desk: Desk, act: str) -> None:
    page = boss.get(_path(desk, act))
    assert page.status_code == 200
    assert GOOD["full_name"] in _text(page)


@pytest.mark.parametrize("act", ACTS)
def test_a_row_whose_account_is_staffs_is_nobodys_student(
    boss: Client, desk: Desk, accounts: Accounts, act: str
) -> None:
    path = _path(desk, act)
    user_id = str(_student(desk)["user_id"])
    named = {"app_metadata": {"role": "sales"}, "user_metadata": {"role": "sales"}}
    accounts.call("PUT", f"/admin/users/{user_id}", json=named).raise_for_status()
    everything = {
        "attempt": str(uuid4()),
        "status": "inactive",
        "password": NEW_PASSWORD,
        "email": GOOD["email"],
        "full_name": "Новое Имя",
        "manager_id": accounts.sign_in(ADMIN)["user"]["id"],
    }

    answer = boss.post(path, everything)

    # Whoever lists the staff to choose from finds that the student is one of them.
    status, sentence = (404, "Такого студента нет") if act == "manager" else (409, "сотруднику")
    assert answer.status_code == status
    assert sentence in _text(answer)
    assert len(desk.accounts()) == 1


def test_an_account_of_two_students_is_not_changed(boss: Client, desk: Desk) -> None:
    student = _student(desk)
    desk.connection.execute(
        "insert into tripwire_users (user_id, full_name, email) values (%s, %s, %s)",
        [student["user_id"], "Другой Тест", "twin@onai.test"],
    )
    answer = _act(boss, desk, "delete", email=GOOD["email"])
    assert answer.status_code == 409
    assert "у нескольких студентов" in _text(answer)
    assert len(desk.accounts()) == 1


def test_a_change_under_way_keeps_others_from_the_student(
    manager: Client, boss: Client, desk: Desk, faults: Faults
) -> None:
    faults.set("/auth/v1/admin/users/", method="PUT", status=504, times=1)
    first = _act(manager, desk, "password", password=NEW_PASSWORD)
    assert "Новый пароль…" in _text(first)

    second = _act(boss, desk, "delete", email=GOOD["email"])

    assert second.status_code == 409
    assert "ещё не закончено" in _text(second)
    assert "ещё не закончено" in _text(manager.get(_path(desk)))
    assert "Новый пароль выполняется" in _text(manager.get("/sales-manager"))
    assert len(desk.students()) == 1


def test_one_attempt_is_one_change(manager: Client, desk: Desk) -> None:
    body = {"attempt": str(uuid4()), "password": NEW_PASSWORD}
    path = _path(desk, "password")
    first, second = manager.post(path, body), manager.post(path, body)
    assert first["Location"] == second["Location"]
    assert desk.log().count("password_reset") == 1
    assert len(desk.mailbox()) == 2  # the welcome letter, and one with the new password


@pytest.mark.parametrize(
    ("act", "first", "second"),
    [
        ("password", {"password": NEW_PASSWORD}, {"password": "Other-Qpn8-2vXk"}),
        ("status", {"status": "inactive"}, {"status": "completed"}),
        (
            "data",
            {"email": "typo@onai.test", "full_name": "Ару"},
            {"email": "right@onai.test", "full_name": "Ару"},
        ),
    ],
)
def test_an_attempt_with_other_content_is_not_taken_for_the_first(
    manager: Client, desk: Desk, act: str, first: dict[str, str], second: dict[str, str]
) -> None:
    attempt = str(uuid4())
    _act(manager, desk, act, attempt=attempt, **first)
    answer = _act(manager, desk, act, attempt=attempt, **second)
    assert answer.status_code == 409
    assert f'href="/sales-manager/changes/{attempt}"' in answer.content.decode()
    assert "уже отправлена с другими данными" in _text(answer)
    assert len(desk.changes()) == 1


def test_a_second_tap_on_hand_over_is_told_the_same(
    boss: Client, desk: Desk, colleague: dict[str, Any]
) -> None:
    body = {"attempt": str(uuid4()), "manager_id": colleague["id"]}
    path = _path(desk, "manager")
    first, second = boss.post(path, body), boss.post(path, body)
    assert (first.status_code, first["Location"]) == (302, second["Location"])
    assert desk.log().count("status_changed") == 1


def test_taps_at_the_same_moment_are_one_change(boss: Client, desk: Desk) -> None:
    body = {"attempt": str(uuid4()), "password": NEW_PASSWORD}
    path = _path(desk, "password")
    answers: list[Any] = []

    def tap() -> None:
        try:
            answers.append(boss.post(path, body))
        finally:
            connections.close_all()

    taps = [threading.Thread(target=tap) for _ in range(4)]
    for one in taps:
        one.start()
    for one in taps:
        one.join(30)
    assert {answer["Location"] for answer in answers} == {
        f"/sales-manager/changes/{body['attempt']}"
    }
    assert len(answers) == 4
    assert desk.log().count("password_reset") == 1


def test_an_attempt_cannot_be_used_by_somebody_else_or_for_another_student(
    manager: Client, boss: Client, desk: Desk
) -> None:
    attempt = str(uuid4())
    _act(manager, desk, "status", attempt=attempt, status="inactive")
    assert _act(boss, desk, "status", attempt=attempt, status="inactive").status_code == 409
    other = {**GOOD, "email": "other@onai.test", "full_name": "Другой Тест"}
    manager.post("/sales-manager/students/new", other)
    (student,) = desk.students("other@onai.test")
    path = f"/sales-manager/students/{student['id']}/status"
    body = {"attempt": attempt, "status": "inactive"}
    assert manager.post(path, body).status_code == 409
    assert len(desk.changes()) == 1


def test_whoever_handed_a_student_over_sees_no_more_of_them(
    manager: Client, boss: Client, desk: Desk, colleague: dict[str, Any]
) -> None:
    done = manager.post(
        _path(desk, "password"), {"attempt": str(uuid4()), "password": NEW_PASSWORD}
    )["Location"]
    created = desk.row("select id from sales_intentions")["id"]
    _act(boss, desk, "manager", manager_id=colleague["id"])
    for page in (done, f"/sales-manager/students/new/{created}"):
        answer = manager.get(page)
        assert answer.status_code == 403
        assert GOOD["email"] not in _text(answer)
        assert NEW_PASSWORD not in _text(answer)


def test_only_the_newest_password_is_shown(manager: Client, desk: Desk) -> None:
    path = _path(desk, "password")
    first = manager.post(path, {"attempt": str(uuid4()), "password": NEW_PASSWORD})["Location"]
    _act(manager, desk, "password", password="Other-Qpn8-2vXk")
    assert NEW_PASSWORD not in _text(manager.get(first))


def test_a_row_and_an_account_of_two_addresses_are_brought_together(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    desk.connection.execute("update tripwire_users set email = 'Row@onai.test'")
    refused = _act(manager, desk, "password", password=NEW_PASSWORD)
    assert refused.status_code == 409
    assert "разошлись" in _text(refused)

    _act(manager, desk, "data", email="row@onai.test", full_name=GOOD["full_name"])

    assert _student(desk)["email"] == "row@onai.test"
    accounts.sign_in("row@onai.test", GOOD["password"])


def test_a_block_without_its_ban_is_made_whole(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    desk.connection.execute("update tripwire_users set status = 'blocked'")
    _act(manager, desk, "status", status="blocked", sure="on")
    assert _refused(accounts, GOOD["email"], GOOD["password"]) == "user_banned"

    desk.connection.execute("update tripwire_users set status = 'active'")
    _act(manager, desk, "status", status="completed")
    accounts.sign_in(GOOD["email"], GOOD["password"])


def test_what_the_predecessor_took_does_not_keep_the_name_from_being_corrected(
    manager: Client, desk: Desk
) -> None:
    odd = "aru@localhost"
    desk.connection.execute("update tripwire_users set email = %s", [odd])
    desk.connection.execute(
        "update auth.users set email = %s where email = %s", [odd, GOOD["email"]]
    )
    answer = _act(manager, desk, "data", email=odd, full_name="Ару Сапарқызы")
    assert "Исправлено." in _text(answer)
    assert _student(desk)["full_name"] == "Ару Сапарқызы"


def test_a_row_with_spaces_around_its_address_can_be_deleted(boss: Client, desk: Desk) -> None:
    desk.connection.execute("update tripwire_users set email = ' aru@onai.test '")
    _act(boss, desk, "delete", email=GOOD["email"])
    assert desk.rows("select 1 from tripwire_users") == []


def test_an_address_being_given_to_one_student_is_not_given_to_another(
    manager: Client, desk: Desk, faults: Faults
) -> None:
    other = {**GOOD, "email": "other@onai.test", "full_name": "Другой Тест"}
    manager.post("/sales-manager/students/new", other)
    (student,) = desk.students("other@onai.test")
    wanted = {"email": "wanted@onai.test", "full_name": "Ару"}
    faults.set("/auth/v1/admin/users/", method="PUT", status=504, times=1)
    _act(manager, desk, "data", **wanted)

    path = f"/sales-manager/students/{student['id']}/data"
    answer = manager.post(path, {"attempt": str(uuid4()), **wanted})

    assert answer.status_code == 409
    assert "уже у другой учётной записи" in _text(answer)


def test_an_address_of_a_creation_under_way_is_refused(
    manager: Client, desk: Desk, faults: Faults
) -> None:
    faults.set("/auth/v1/admin/users", method="POST", status=504, times=1)
    wanted = {**GOOD, "email": "wanted@onai.test", "full_name": "Другой Тест"}
    manager.post("/sales-manager/students/new", wanted)
    answer = _act(manager, desk, "data", email="wanted@onai.test", full_name="Ару")
    assert answer.status_code == 409
    assert desk.changes() == []


def test_what_admins_alone_may_do_is_guarded_behind_the_page_too(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    me = accounts.sign_in(MANAGER)["user"]["id"]
    asker = Identity(UUID(me), MANAGER, "Аяулым Тест", Role.SALES)
    student_id = _student(desk)["id"]
    with pytest.raises(WrongRole):
        changes.delete_student(student_id, asker=asker, attempt=uuid4())
    with pytest.raises(WrongRole):
        changes.hand_over(student_id, Manager(uuid4(), "Кто-то"), asker=asker, attempt=uuid4())
    assert len(desk.students()) == 1


def test_closed_changes_are_forgotten_after_a_month(manager: Client, desk: Desk) -> None:
    _act(manager, desk, "status", status="inactive")
    _act(manager, desk, "status", status="active")
    desk.connection.execute(
        "update sales_changes set closed_at = now() - interval '31 days'"
        " where new_status = 'inactive'"
    )
    tasks.forget_closed_intentions(0)
    assert [change["new_status"] for change in desk.changes()] == ["active"]


def test_an_attempt_cannot_be_used_for_another_act(manager: Client, desk: Desk) -> None:
    attempt = str(uuid4())
    _act(manager, desk, "status", attempt=attempt, status="inactive")
    answer = _act(manager, desk, "password", attempt=attempt, password=NEW_PASSWORD)
    assert answer.status_code == 409
    assert desk.log().count("password_reset") == 0


@pytest.mark.parametrize("attempt", ["", "nonsense"])
def test_a_form_without_its_attempt_is_refused(manager: Client, desk: Desk, attempt: str) -> None:
    assert _act(manager, desk, "status", attempt=attempt, status="inactive").status_code == 400
    assert _student(desk)["status"] == "active"


def test_nobody_sees_how_somebody_elses_change_went(
    manager: Client, boss: Client, desk: Desk, colleague: dict[str, Any]
) -> None:
    done = _act(manager, desk, "password", password=NEW_PASSWORD).request["PATH_INFO"]
    other = Client()
    other.post("/login", {"email": OTHER, "password": "Demo1234!"})
    assert other.get(done).status_code == 404
    assert boss.get(done).status_code == 200


def test_a_student_that_is_gone_is_told(boss: Client, desk: Desk) -> None:
    path = _path(desk, "status")
    desk.connection.execute("delete from auth.users where email = %s", [GOOD["email"]])
    answer = boss.post(path, {"attempt": str(uuid4()), "status": "inactive"})
    assert answer.status_code == 404
    assert "Такого студента нет." in _text(answer)

"""A student's name, address and manager, corrected by the pages; and the end of a student."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.people import Accounts
from tests.support.student_changes import (
    ADMIN,
    MANAGER,
    NEW_PASSWORD,
    act_and_follow,
    newest_entry,
    path_of,
    sign_in_error,
    student_of,
    text_of,
)

pytestmark = pytest.mark.usefixtures("one_student")


# --- Correction --------------------------------------------------------------------------------


def test_correcting_a_name_sends_no_letter(manager: Client, desk: Desk) -> None:
    answer = act_and_follow(manager, desk, "data", email=GOOD["email"], full_name="Ару Сапарқызы")

    assert "Исправлено." in text_of(answer)
    assert "Данные исправлены Ару Сапарова → Ару Сапарқызы" in text_of(answer)
    assert student_of(desk)["full_name"] == "Ару Сапарқызы"
    (account,) = desk.accounts()
    assert account["raw_user_meta_data"] == {
        "full_name": "Ару Сапарқызы",
        "role": "student",
        "email_verified": True,
    }
    assert len(desk.mailbox()) == 1


def test_a_new_address_becomes_the_login_and_gets_a_letter(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    accounts.sign_in(GOOD["email"], GOOD["password"])

    answer = act_and_follow(
        manager, desk, "data", email=" Aru.New@onai.test ", full_name=GOOD["full_name"]
    )

    page = text_of(answer)
    assert "Войти можно только по новой почте" in page
    assert "Письмо (новый логин) отправлено на aru.new@onai.test" in page
    assert student_of(desk)["email"] == "aru.new@onai.test"
    (letter,) = desk.mailbox("aru.new@onai.test")
    assert letter["subject"] == "Новый логин к экспресс-курсу onAI Academy"
    assert "Пароль остался прежним" in letter["text"]
    assert GOOD["password"] not in letter["text"] + letter["html"]
    accounts.sign_in("aru.new@onai.test", GOOD["password"])
    assert sign_in_error(accounts, GOOD["email"], GOOD["password"]) == "invalid_credentials"
    assert student_of(desk)["welcome_email_sent"] is True


@pytest.mark.parametrize("one_student", [422], indirect=True)
def test_an_unsent_letter_goes_to_the_new_address_with_its_password(
    manager: Client, desk: Desk
) -> None:
    act_and_follow(manager, desk, "data", email="aru.new@onai.test", full_name=GOOD["full_name"])

    (letter,) = desk.mailbox("aru.new@onai.test")
    assert letter["subject"] == "Ваш доступ к экспресс-курсу onAI Academy"
    assert GOOD["password"] in letter["text"]
    assert desk.mailbox() == []


@pytest.mark.parametrize("whose", ["student", "staff", "account", "other case"])
def test_a_taken_address_is_reported_beside_its_field(
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

    answer = act_and_follow(manager, desk, "data", email=taken, full_name="Новое Имя")

    assert answer.status_code == 409
    assert "Этот адрес уже у другой учётной записи." in text_of(answer)
    assert 'value="Новое Имя"' in answer.content.decode()  # nothing typed is lost
    assert student_of(desk)["full_name"] == GOOD["full_name"]
    assert desk.changes() == []  # Supabase was not even asked.
    assert len(desk.accounts()) == 1


def test_only_the_case_of_an_address_is_no_change(manager: Client, desk: Desk) -> None:
    answer = act_and_follow(
        manager, desk, "data", email="ARU@onai.test", full_name=GOOD["full_name"]
    )
    assert answer.status_code == 409
    assert desk.changes() == []


@pytest.mark.parametrize(
    "wrong", [{"email": "no"}, {"email": ""}, {"full_name": ""}, {"full_name": "\u202eабв"}]
)
def test_a_bad_name_or_address_is_reported_beside_its_field(
    manager: Client, desk: Desk, wrong: dict[str, str]
) -> None:
    right = {"email": GOOD["email"], "full_name": GOOD["full_name"]}
    answer = act_and_follow(manager, desk, "data", **{**right, **wrong})
    assert answer.status_code == 400
    assert 'class="field-error"' in answer.content.decode()


def test_an_address_in_an_open_correction_is_taken(
    manager: Client, desk: Desk, faults: Faults
) -> None:
    other = {**GOOD, "email": "other@onai.test", "full_name": "Другой Тест"}
    manager.post("/sales-manager/students/new", other)
    (student,) = desk.students("other@onai.test")
    wanted = {"email": "wanted@onai.test", "full_name": "Ару"}
    faults.set("/auth/v1/admin/users/", method="PUT", status=504, times=1)
    act_and_follow(manager, desk, "data", **wanted)

    path = f"/sales-manager/students/{student['id']}/data"
    answer = manager.post(path, {"attempt": str(uuid4()), **wanted})

    assert answer.status_code == 409
    assert "уже у другой учётной записи" in text_of(answer)


def test_an_address_in_an_open_creation_is_taken(
    manager: Client, desk: Desk, faults: Faults
) -> None:
    faults.set("/auth/v1/admin/users", method="POST", status=504, times=1)
    wanted = {**GOOD, "email": "wanted@onai.test", "full_name": "Другой Тест"}
    manager.post("/sales-manager/students/new", wanted)
    answer = act_and_follow(manager, desk, "data", email="wanted@onai.test", full_name="Ару")
    assert answer.status_code == 409
    assert desk.changes() == []


def test_a_row_and_account_with_different_addresses_are_reconciled(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    desk.connection.execute("update tripwire_users set email = 'Row@onai.test'")
    sign_in_error = act_and_follow(manager, desk, "password", password=NEW_PASSWORD)
    assert sign_in_error.status_code == 409
    assert "разошлись" in text_of(sign_in_error)

    act_and_follow(manager, desk, "data", email="row@onai.test", full_name=GOOD["full_name"])

    assert student_of(desk)["email"] == "row@onai.test"
    accounts.sign_in("row@onai.test", GOOD["password"])


def test_a_row_and_account_with_different_names_are_reconciled(manager: Client, desk: Desk) -> None:
    desk.connection.execute("update tripwire_users set full_name = 'Ару Новая'")
    answer = act_and_follow(manager, desk, "data", email=GOOD["email"], full_name="Ару Новая")
    assert "Исправлено." in text_of(answer)
    assert desk.accounts()[0]["raw_user_meta_data"]["full_name"] == "Ару Новая"


def test_data_the_old_system_accepted_does_not_block_a_correction(
    manager: Client, desk: Desk
) -> None:
    odd = "aru@localhost"
    desk.connection.execute("update tripwire_users set email = %s", [odd])
    desk.connection.execute(
        "update auth.users set email = %s where email = %s", [odd, GOOD["email"]]
    )
    answer = act_and_follow(manager, desk, "data", email=odd, full_name="Ару Сапарқызы")
    assert "Исправлено." in text_of(answer)
    assert student_of(desk)["full_name"] == "Ару Сапарқызы"


# --- Handing over ------------------------------------------------------------------------------


def test_a_student_is_handed_over(
    manager: Client, boss: Client, desk: Desk, accounts: Accounts, colleague: dict[str, Any]
) -> None:
    answer = act_and_follow(boss, desk, "manager", manager_id=colleague["id"])

    assert "Студент передан: Ботагоз Тест." in text_of(answer)
    assert "Студент передан Аяулым Тест → Ботагоз Тест Админ Тест" in text_of(answer)
    student = student_of(desk)
    assert (str(student["granted_by"]), student["manager_name"]) == (
        colleague["id"],
        "Ботагоз Тест",
    )
    details = newest_entry(desk)["details"]
    assert details["granted_by"] == colleague["id"]
    assert details["before_by"] == accounts.sign_in(MANAGER)["user"]["id"]
    assert manager.get(path_of(desk)).status_code == 403
    assert act_and_follow(manager, desk, "status", status="inactive").status_code == 403


@pytest.mark.parametrize(
    ("whom", "status"), [("", 400), ("nonsense", 400), ("student", 400), ("the same", 409)]
)
def test_a_student_is_handed_to_other_staff_only(
    boss: Client, desk: Desk, whom: str, status: int
) -> None:
    student = student_of(desk)
    ids = {"student": str(student["user_id"]), "the same": str(student["granted_by"])}
    answer = act_and_follow(boss, desk, "manager", manager_id=ids.get(whom, whom))
    assert answer.status_code == status
    assert student_of(desk)["granted_by"] == student["granted_by"]


# --- Deletion ----------------------------------------------------------------------------------


def test_a_deleted_student_is_gone_with_the_account_and_the_log_remembers(
    boss: Client, desk: Desk
) -> None:
    user_id = student_of(desk)["user_id"]

    answer = act_and_follow(boss, desk, "delete", email=" ARU@onai.test ")

    assert "Доступ удалён" in text_of(answer)
    assert (desk.students(), desk.accounts(), desk.letters()) == ([], [], [])
    assert desk.log(user_id) == ["user_created", "email_sent", "user_deleted"]
    assert newest_entry(desk)["details"]["email"] == GOOD["email"]
    journal = text_of(boss.get("/sales-manager/activity"))
    assert "Доступ удалён Ару Сапарова Админ Тест" in journal


def test_the_address_of_a_deleted_student_is_free_again(
    manager: Client, boss: Client, desk: Desk
) -> None:
    act_and_follow(boss, desk, "delete", email=GOOD["email"])
    again = manager.post("/sales-manager/students/new", {**GOOD, "full_name": "Ару Вторая"})
    assert again.status_code == 302
    assert len(desk.students()) == 1


@pytest.mark.parametrize("typed", ["", "aru@onai", "other@onai.test"])
def test_deleting_needs_the_students_address(boss: Client, desk: Desk, typed: str) -> None:
    answer = act_and_follow(boss, desk, "delete", email=typed)
    assert answer.status_code == 400
    assert len(desk.students()) == 1


def test_a_row_with_spaces_around_its_address_can_be_deleted(boss: Client, desk: Desk) -> None:
    desk.connection.execute("update tripwire_users set email = ' aru@onai.test '")
    act_and_follow(boss, desk, "delete", email=GOOD["email"])
    assert desk.rows("select 1 from tripwire_users") == []

"""Creating a student by the form: an address that is taken, whose student it is, in whose name."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from tests.support.desk import GOOD, Desk
from tests.support.people import Accounts

SignIn = Callable[[str], Client]
MANAGER, OTHER = "ayaulym@onai.test", "botagoz@onai.test"
NEW = "/sales-manager/students/new"


def _text(answer: Any) -> str:
    return unescape(answer.content.decode())


def _value(page: str, name: str) -> str:
    (found,) = re.findall(rf'<input[^>]*name="{name}"[^>]*>', page)
    value = re.search(r'value="([^"]*)"', found)
    return value[1] if value else ""


def _id_of(accounts: Accounts, email: str) -> str:
    return str(accounts.sign_in(email)["user"]["id"])


def test_a_taken_address_names_the_students_manager(
    manager: Client, as_person: SignIn, colleague: Any, desk: Desk
) -> None:
    manager.post(NEW, GOOD)
    (student,) = desk.students()
    card = f"/sales-manager/students/{student['id']}"

    mine = _text(manager.post(NEW, {**GOOD, "email": "Aru@onai.test"}))
    assert "Это уже ваш студент: Ару Сапарова." in mine
    assert card in mine
    theirs = _text(as_person(OTHER).post(NEW, GOOD))
    assert "У этого адреса уже есть доступ." in theirs
    assert card not in theirs
    assert "Аяулым" not in theirs
    admins = as_person("admin@onai.test").post(NEW, GOOD)
    assert "Это уже студент: Ару Сапарова, менеджер: Аяулым Тест." in _text(admins)
    assert card in _text(admins)
    assert admins.status_code == 409
    desk.assert_whole_student()


def test_an_address_stored_in_another_case_is_taken(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    account = accounts.create("aru@onai.test", role="student")
    desk.rows(
        "insert into tripwire_users (user_id, full_name, email)"
        " values (%s, 'Ару', 'Aru@OnAI.test') returning id",
        account["id"],
    )

    answer = manager.post(NEW, GOOD)

    assert answer.status_code == 409
    assert "У этого адреса уже есть доступ." in _text(answer)
    assert len(desk.accounts()) == 1


def test_an_account_with_another_sign_in_does_not_take_the_address(
    admin: Client, desk: Desk
) -> None:
    desk.connection.execute(
        "insert into auth.users (id, email, is_sso_user, is_anonymous)"
        " values (gen_random_uuid(), %s, true, false)",
        [GOOD["email"]],
    )
    assert admin.post(NEW, {**GOOD, "adopt": "on"}).status_code == 409  # there is none to adopt
    assert admin.post(NEW, GOOD).status_code == 302


def test_an_account_without_a_student_is_not_taken_over(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    accounts.create("aru@onai.test", role="student")

    answer = manager.post(NEW, GOOD)
    forced = manager.post(NEW, {**GOOD, "adopt": "on"})

    assert answer.status_code == 409
    assert "Учётная запись с этим адресом уже есть" in _text(answer)
    assert 'name="adopt"' not in _text(answer)
    assert _value(_text(answer), "password") == GOOD["password"]
    assert forced.status_code == 403
    assert desk.students() == []
    assert accounts.sign_in("aru@onai.test")  # with its old password


def test_an_admin_can_adopt_an_account_which_sets_a_new_password(
    admin: Client, desk: Desk, accounts: Accounts
) -> None:
    left_over = accounts.create("aru@onai.test", user_metadata={"role": "student", "x": 1})
    asked = admin.post(NEW, GOOD)
    assert asked.status_code == 409
    assert 'name="adopt"' in _text(asked)
    # Also after another mistake, and as it was left.
    wrong = _text(admin.post(NEW, {**GOOD, "password": "short", "adopt": "on"}))
    assert re.search(r'name="adopt"\s+value="on"\s+checked', wrong)

    adopted = admin.post(NEW, {**GOOD, "adopt": "on"}, follow=True)

    assert "Доступ открыт" in _text(adopted)
    desk.assert_whole_student()
    (account,) = desk.accounts()
    assert str(account["id"]) == left_over["id"]
    assert account["raw_app_meta_data"]["role"] == "student"
    assert account["raw_user_meta_data"]["full_name"] == "Ару Сапарова"
    assert accounts.sign_in("aru@onai.test", GOOD["password"])
    body = {"email": "aru@onai.test", "password": "Demo1234!"}
    assert accounts.call("POST", "/token?grant_type=password", json=body).status_code == 400


@pytest.mark.parametrize("adopt", [{}, {"adopt": "on"}])
def test_a_staff_account_never_becomes_a_student(
    admin: Client, desk: Desk, accounts: Accounts, adopt: dict[str, str]
) -> None:
    answer = admin.post(NEW, {**GOOD, "email": MANAGER, **adopt})

    assert answer.status_code == 409
    assert "Этот адрес принадлежит сотруднику" in _text(answer)
    assert 'name="adopt"' not in _text(answer)
    assert accounts.sign_in(MANAGER)
    assert desk.students(MANAGER) == []


def test_adopting_a_missing_account_is_refused(admin: Client, desk: Desk) -> None:
    assert admin.post(NEW, {**GOOD, "adopt": "on"}).status_code == 409
    desk.assert_no_student()


def test_a_students_card_is_for_its_manager_and_admins(
    manager: Client, as_person: SignIn, colleague: Any, desk: Desk
) -> None:
    manager.post(NEW, GOOD)
    (student,) = desk.students()
    card = f"/sales-manager/students/{student['id']}"

    assert "Ару Сапарова" in _text(manager.get(card))
    theirs = as_person(OTHER).get(card)
    assert theirs.status_code == 403
    assert "Ару" not in _text(theirs)
    assert "Ару Сапарова" not in _text(as_person(OTHER).get("/sales-manager"))
    assert "Ару Сапарова" in _text(as_person("admin@onai.test").get(card))
    nobody = as_person(MANAGER).get("/sales-manager/students/00000000-0000-4000-8000-000000000000")
    assert nobody.status_code == 404


def test_another_users_text_is_not_restored(
    manager: Client, as_person: SignIn, colleague: Any, desk: Desk
) -> None:
    again = f"{NEW}?again={manager.post(NEW, GOOD)['Location'].rpartition('/')[2]}"
    assert _value(_text(manager.get(again)), "email") == GOOD["email"]
    assert _value(_text(as_person(OTHER).get(again)), "email") == ""


def test_strangers_and_students_cannot_create_students(as_person: SignIn, desk: Desk) -> None:
    stranger = Client().post(NEW, GOOD)
    student = as_person("student@onai.test").post(NEW, GOOD)

    assert stranger.status_code == 302
    assert stranger["Location"].startswith("/login?lost=")
    assert student.status_code == 403
    desk.assert_no_student()


def test_a_manager_can_name_only_themselves(
    manager: Client, colleague: dict[str, Any], desk: Desk, accounts: Accounts
) -> None:
    refused = manager.post(NEW, {**GOOD, "manager_id": colleague["id"]})
    assert refused.status_code == 403
    assert "только от своего имени" in _text(refused)
    desk.assert_no_student()

    manager.post(NEW, {**GOOD, "manager_id": _id_of(accounts, MANAGER)})
    desk.assert_whole_student()


def test_an_admin_names_any_of_the_staff_and_nobody_else(
    admin: Client, colleague: dict[str, Any], desk: Desk, accounts: Accounts
) -> None:
    assert f'<option value="{colleague["id"]}">Ботагоз Тест</option>' in _text(admin.get(NEW))
    for wrong in (_id_of(accounts, "student@onai.test"), "00000000-0000-4000-8000-000000000000"):
        refused = admin.post(NEW, {**GOOD, "manager_id": wrong})
        assert refused.status_code == 400
        assert "Такого менеджера нет." in _text(refused)
    desk.assert_no_student()

    admin.post(NEW, {**GOOD, "manager_id": colleague["id"]})

    desk.assert_whole_student()
    (student,) = desk.students()
    assert str(student["granted_by"]) == colleague["id"]
    assert student["manager_name"] == "Ботагоз Тест"

"""Whose student one may change, and which nobody may."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from onai.identity.roles import Identity, Role
from onai.web.problems import WrongRole
from sales.provisioning.change_student import Deletion, Handover, change_student
from sales.staff import Manager
from tests.support.desk import GOOD, Desk
from tests.support.people import Accounts
from tests.support.student_changes import (
    ACTS,
    ADMIN,
    MANAGER,
    NEW_PASSWORD,
    OTHER,
    act_and_follow,
    path_of,
    signed_in,
    student_of,
    text_of,
)

pytestmark = pytest.mark.usefixtures("one_student")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_manager_acts_on_their_own_students_only(
    manager: Client, desk: Desk, colleague: dict[str, Any], act: str, method: str
) -> None:
    other = signed_in(OTHER)
    everything = {
        "attempt": str(uuid4()),
        "status": "inactive",
        "password": NEW_PASSWORD,
        "email": GOOD["email"],
        "full_name": "Чужое Имя",
        "manager_id": colleague["id"],
    }
    before = student_of(desk)

    answer = getattr(other, method)(path_of(desk, act), everything)

    assert answer.status_code == 403
    assert student_of(desk) == before
    assert desk.changes() == []


def test_the_refusal_says_whose_student_it_is(
    manager: Client, desk: Desk, colleague: dict[str, Any]
) -> None:
    other = signed_in(OTHER)
    assert "Это студент другого менеджера." in text_of(other.get(path_of(desk)))
    desk.connection.execute("update tripwire_users set granted_by = null")
    assert "У этого студента нет менеджера." in text_of(other.get(path_of(desk)))


@pytest.mark.parametrize("act", ["manager", "delete"])
def test_a_manager_cannot_hand_over_or_delete_students(
    manager: Client, desk: Desk, colleague: dict[str, Any], act: str
) -> None:
    answer = act_and_follow(manager, desk, act, email=GOOD["email"], manager_id=colleague["id"])
    assert answer.status_code == 403
    assert len(desk.students()) == 1
    card = manager.get(path_of(desk)).content.decode()
    assert f'{path_of(desk)}/{act}"' not in card


@pytest.mark.parametrize("act", ACTS)
def test_students_and_strangers_cannot_act(desk: Desk, boss: Client, act: str) -> None:
    student = Client()
    student.post("/login", {"email": GOOD["email"], "password": GOOD["password"]})
    assert student.get(path_of(desk, act)).status_code == 403
    assert Client().get(path_of(desk, act)).status_code == 302


@pytest.mark.parametrize("act", ACTS)
def test_every_act_has_a_page(boss: Client, desk: Desk, act: str) -> None:
    page = boss.get(path_of(desk, act))
    assert page.status_code == 200
    assert GOOD["full_name"] in text_of(page)


@pytest.mark.parametrize(
    ("act", "role"), [*((act, "sales") for act in ACTS), ("password", "admin"), ("delete", "admin")]
)
def test_a_row_with_a_staff_account_cannot_be_changed(
    boss: Client, desk: Desk, accounts: Accounts, act: str, role: str
) -> None:
    path = path_of(desk, act)
    user_id = str(student_of(desk)["user_id"])
    named = {"app_metadata": {"role": role}, "user_metadata": {"role": role}}
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
    assert sentence in text_of(answer)
    assert len(desk.accounts()) == 1


def test_an_account_shared_by_two_students_is_not_changed(boss: Client, desk: Desk) -> None:
    student = student_of(desk)
    desk.connection.execute(
        "insert into tripwire_users (user_id, full_name, email) values (%s, %s, %s)",
        [student["user_id"], "Другой Тест", "twin@onai.test"],
    )
    answer = act_and_follow(boss, desk, "delete", email=GOOD["email"])
    assert answer.status_code == 409
    assert "у нескольких студентов" in text_of(answer)
    assert len(desk.accounts()) == 1


def test_a_former_manager_no_longer_sees_the_student(
    manager: Client, boss: Client, desk: Desk, colleague: dict[str, Any]
) -> None:
    done = manager.post(
        path_of(desk, "password"), {"attempt": str(uuid4()), "password": NEW_PASSWORD}
    )["Location"]
    created = desk.creations()[0]["id"]
    act_and_follow(boss, desk, "manager", manager_id=colleague["id"])
    for page in (done, f"/sales-manager/students/new/{created}"):
        answer = manager.get(page)
        assert answer.status_code == 403
        assert GOOD["email"] not in text_of(answer)
        assert NEW_PASSWORD not in text_of(answer)


def test_acts_for_admins_are_guarded_below_the_page(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    me = accounts.sign_in(MANAGER)["user"]["id"]
    asker = Identity(UUID(me), MANAGER, "Аяулым Тест", Role.SALES)
    student_id = student_of(desk)["id"]
    with pytest.raises(WrongRole):
        change_student(student_id, Deletion(), asker=asker, attempt=uuid4())
    handover = Handover(Manager(uuid4(), "Кто-то"))
    with pytest.raises(WrongRole):
        change_student(student_id, handover, asker=asker, attempt=uuid4())
    assert len(desk.students()) == 1


def test_the_result_of_a_change_is_private(
    manager: Client, boss: Client, desk: Desk, colleague: dict[str, Any]
) -> None:
    done = act_and_follow(manager, desk, "password", password=NEW_PASSWORD).request["PATH_INFO"]
    other = signed_in(OTHER)
    assert other.get(done).status_code == 404
    assert boss.get(done).status_code == 200


def test_a_missing_student_is_reported(boss: Client, desk: Desk) -> None:
    path = path_of(desk, "status")
    desk.connection.execute("delete from auth.users where email = %s", [GOOD["email"]])
    answer = boss.post(path, {"attempt": str(uuid4()), "status": "inactive"})
    assert answer.status_code == 404
    assert "Такого студента нет." in text_of(answer)

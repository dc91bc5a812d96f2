"""One attempt is one change of a student, and one change at a time."""

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client

from sales import tasks
from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.student_changes import (
    NEW_PASSWORD,
    act_and_follow,
    path_of,
    student_of,
    text_of,
)

pytestmark = pytest.mark.usefixtures("one_student")


def test_a_second_tap_on_delete_gets_the_same_answer(boss: Client, desk: Desk) -> None:
    body = {"attempt": str(uuid4()), "email": GOOD["email"]}
    path = path_of(desk, "delete")
    first = boss.post(path, body)
    second = boss.post(path, body)
    assert (first.status_code, first["Location"]) == (302, second["Location"])
    assert desk.log().count("user_deleted") == 1


def test_an_open_change_blocks_other_changes_of_the_student(
    manager: Client, boss: Client, desk: Desk, faults: Faults
) -> None:
    faults.set("/auth/v1/admin/users/", method="PUT", status=504, times=1)
    first = act_and_follow(manager, desk, "password", password=NEW_PASSWORD)
    assert "Новый пароль…" in text_of(first)

    second = act_and_follow(boss, desk, "delete", email=GOOD["email"])

    assert second.status_code == 409
    assert "ещё не закончено" in text_of(second)
    assert "ещё не закончено" in text_of(manager.get(path_of(desk)))
    cabinet = text_of(manager.get("/sales-manager"))
    assert f"выполняется {GOOD['email']} Новый пароль" in cabinet
    assert len(desk.students()) == 1


def test_one_attempt_is_one_change(manager: Client, desk: Desk) -> None:
    body = {"attempt": str(uuid4()), "password": NEW_PASSWORD}
    path = path_of(desk, "password")
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
def test_an_attempt_with_other_content_is_refused(
    manager: Client, desk: Desk, act: str, first: dict[str, str], second: dict[str, str]
) -> None:
    attempt = str(uuid4())
    act_and_follow(manager, desk, act, attempt=attempt, **first)
    answer = act_and_follow(manager, desk, act, attempt=attempt, **second)
    assert answer.status_code == 409
    assert f'href="/sales-manager/changes/{attempt}"' in answer.content.decode()
    assert "уже отправлена с другими данными" in text_of(answer)
    assert len(desk.changes()) == 1


def test_a_second_tap_on_hand_over_gets_the_same_answer(
    boss: Client, desk: Desk, colleague: dict[str, Any]
) -> None:
    body = {"attempt": str(uuid4()), "manager_id": colleague["id"]}
    path = path_of(desk, "manager")
    first, second = boss.post(path, body), boss.post(path, body)
    assert (first.status_code, first["Location"]) == (302, second["Location"])
    assert desk.log().count("status_changed") == 1


def test_taps_at_the_same_moment_are_one_change(boss: Client, desk: Desk) -> None:
    body = {"attempt": str(uuid4()), "password": NEW_PASSWORD}
    path = path_of(desk, "password")
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
    act_and_follow(manager, desk, "status", attempt=attempt, status="inactive")
    assert (
        act_and_follow(boss, desk, "status", attempt=attempt, status="inactive").status_code == 409
    )
    other = {**GOOD, "email": "other@onai.test", "full_name": "Другой Тест"}
    manager.post("/sales-manager/students/new", other)
    (student,) = desk.students("other@onai.test")
    path = f"/sales-manager/students/{student['id']}/status"
    body = {"attempt": attempt, "status": "inactive"}
    assert manager.post(path, body).status_code == 409
    assert len(desk.changes()) == 1


def test_closed_changes_are_forgotten_after_a_month(manager: Client, desk: Desk) -> None:
    act_and_follow(manager, desk, "status", status="inactive")
    act_and_follow(manager, desk, "status", status="active")
    desk.connection.execute(
        "update sales_requests set closed_at = now() - interval '31 days'"
        " where new_status = 'inactive'"
    )
    tasks.forget_closed_requests(0)
    assert [change["new_status"] for change in desk.changes()] == ["active"]


def test_an_attempt_cannot_be_used_for_another_act(manager: Client, desk: Desk) -> None:
    attempt = str(uuid4())
    act_and_follow(manager, desk, "status", attempt=attempt, status="inactive")
    answer = act_and_follow(manager, desk, "password", attempt=attempt, password=NEW_PASSWORD)
    assert answer.status_code == 409
    assert desk.log().count("password_reset") == 0


@pytest.mark.parametrize("attempt", ["", "nonsense"])
def test_a_form_without_its_attempt_is_refused(manager: Client, desk: Desk, attempt: str) -> None:
    assert (
        act_and_follow(manager, desk, "status", attempt=attempt, status="inactive").status_code
        == 400
    )
    assert student_of(desk)["status"] == "active"

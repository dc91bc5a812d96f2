"""Requests that stay open: who may end one and how, and what they keep from others meanwhile."""

import threading
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest
from django.test import Client

from sales.provisioning import open_requests
from tests.conftest import Faults, Project
from tests.sales.test_provisioning_killed import killed_when
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import ONE_USER, USERS, Ask, wait_until, work_later
from tests.support.people import Accounts
from tests.support.student_changes import (
    ADMIN,
    MANAGER,
    NEW_EMAIL,
    SignIn,
    admin_of_one,
    newest_entry,
    send_act,
    sign_in_error,
    text_of,
)

pytestmark = pytest.mark.usefixtures("fresh_connection")

NEW = "/sales-manager/students/new"


@pytest.fixture
def admin(as_person: SignIn, desk: Desk) -> Client:
    return as_person(ADMIN)


def _grow_old(desk: Desk) -> None:
    desk.connection.execute("update sales_requests set created_at = now() - interval '11 minutes'")


# --- An admin ends a creation ------------------------------------------------------------------


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize("address", ["", "/end"])
def test_an_admin_ends_a_creation_that_nobody_can_finish(
    admin: Client, desk: Desk, faults: Faults, opened: bool, address: str
) -> None:
    faults.set(USERS, method="POST", status=504, after=opened)
    faults.set(ONE_USER, method="GET", status=504)
    page = admin.post(NEW, GOOD)["Location"]
    too_soon = admin.post(page + address)
    assert too_soon.status_code == 409
    assert "через 10 минут" in text_of(too_soon)
    assert "Остановить создание" not in text_of(admin.get(page))
    _grow_old(desk)
    assert "Остановить создание" in text_of(admin.get(page))

    answer = admin.post(page + address, follow=True)

    # Not at once: what we gave up waiting for may still be under way at Supabase.
    assert "Создание отменяется" in text_of(answer)
    entry = newest_entry(desk)
    assert (entry["action_type"], entry["details"]["change"]) == ("status_changed", "given_up")
    assert "Создание доступа" in text_of(admin.get("/sales-manager/activity"))
    admin.post(page + address)
    assert newest_entry(desk)["id"] == entry["id"]  # Twice is once.
    faults.clear()
    work_later(desk)
    assert "Создание отменено вручную" in text_of(admin.get(page))
    assert desk.accounts() == desk.students() == desk.letters() == []
    assert admin.post(NEW, GOOD, follow=True).status_code == 200
    assert len(desk.students()) == 1


@pytest.mark.parametrize("address", ["", "/end"])
def test_a_manager_does_not_end_a_creation(
    as_person: SignIn, desk: Desk, faults: Faults, address: str
) -> None:
    manager = as_person(MANAGER)
    faults.set(USERS, method="POST", status=504)
    page = manager.post(NEW, GOOD)["Location"]
    _grow_old(desk)
    assert "Остановить" not in text_of(manager.get(page))
    assert manager.post(page + address).status_code == 403
    assert desk.creations()[0]["give_up_at"] is None


def test_a_creation_is_ended_at_its_own_address_only(
    admin: Client, desk: Desk, faults: Faults
) -> None:
    faults.set(USERS, method="POST", status=504)
    page = admin.post(NEW, GOOD)["Location"]
    _grow_old(desk)
    elsewhere = page.replace("students/new", "changes")
    assert admin.get(elsewhere).status_code == 404
    assert admin.post(f"{elsewhere}/end").status_code == 404
    assert admin.get(f"{page}/end").status_code == 405
    assert admin.post(f"{NEW}/{uuid4()}/end").status_code == 404
    assert desk.creations()[0]["give_up_at"] is None


def test_a_change_is_ended_by_a_post_to_its_page_too(
    as_person: SignIn, desk: Desk, faults: Faults
) -> None:
    boss = admin_of_one(as_person)
    faults.set(ONE_USER, status=504)
    page = send_act(boss, desk, "password")["Location"]
    _grow_old(desk)
    assert "Изменение отменено вручную" in text_of(boss.post(page, follow=True))


# --- What one keeps from another ---------------------------------------------------------------


def test_an_address_in_an_open_creation_is_taken(
    as_person: SignIn, desk: Desk, faults: Faults
) -> None:
    boss = admin_of_one(as_person)
    faults.set(USERS, method="POST", status=504, times=1)
    boss.post(NEW, {**GOOD, "email": NEW_EMAIL})
    answer = send_act(boss, desk, "data")
    assert answer.status_code == 409
    assert "уже у другой учётной записи" in text_of(answer)


def test_an_address_in_an_open_correction_is_taken(
    as_person: SignIn, desk: Desk, faults: Faults
) -> None:
    boss = admin_of_one(as_person)
    faults.set(ONE_USER, status=504)
    send_act(boss, desk, "data")
    answer = boss.post(NEW, {**GOOD, "email": NEW_EMAIL})
    assert answer.status_code == 409
    assert "У этого адреса уже есть доступ" in text_of(answer)
    assert desk.accounts(NEW_EMAIL) == []


# --- A reason that this version does not know --------------------------------------------------


def test_an_unknown_reason_breaks_no_page(as_person: SignIn, desk: Desk, faults: Faults) -> None:
    boss = admin_of_one(as_person)
    faults.set(ONE_USER, times=1, status=504)
    change = send_act(boss, desk, "password")["Location"]
    faults.set(USERS, method="POST", times=1, status=504)
    creation = boss.post(NEW, {**GOOD, "email": "b@onai.test"})["Location"]
    desk.connection.execute(
        "update sales_requests set state = 'refused', refusal = 'of_a_later_version',"
        " closed_at = now(), attempts = 2 where state = 'open'"
    )
    for page in (change, creation):
        assert "Причину записала другая версия сайта" in text_of(boss.get(page))
    assert change in boss.get("/sales-manager").content.decode()
    assert creation in boss.get("/sales-manager").content.decode()


# --- A password that Supabase may refuse -------------------------------------------------------


def test_a_creation_killed_before_the_password_lets_nobody_in(
    desk: Desk, accounts: Accounts, faults: Faults, project: Project
) -> None:
    project.set(pwned_passwords=["something-else"])
    faults.set(ONE_USER, method="PUT", delay=10, status=500, times=1)

    killed_when(desk, accounts, faults.met)

    assert len(desk.accounts()) == 1
    assert desk.students() == []
    assert sign_in_error(accounts, GOOD["email"], GOOD["password"]) == "invalid_credentials"
    faults.clear()
    work_later(desk)
    desk.assert_whole_student()
    accounts.sign_in(GOOD["email"], GOOD["password"])


def test_a_worker_that_finds_the_account_gives_it_the_password(
    desk: Desk, accounts: Accounts, faults: Faults, project: Project
) -> None:
    project.set(pwned_passwords=["something-else"])
    faults.set(ONE_USER, method="PUT", delay=10, status=500, times=1)
    killed_when(desk, accounts, faults.met)
    # By now the project has other rules.
    project.set(pwned_passwords=[])
    faults.clear()
    work_later(desk)
    desk.assert_whole_student()
    accounts.sign_in(GOOD["email"], GOOD["password"])


def test_a_leaked_password_found_by_the_worker_undoes_the_account(
    desk: Desk, accounts: Accounts, faults: Faults, project: Project
) -> None:
    project.set(pwned_passwords=[GOOD["password"]])
    faults.set(ONE_USER, method="PUT", delay=10, status=500, times=1)
    killed_when(desk, accounts, faults.met)
    faults.clear()

    assert "creation_undone" in work_later(desk)

    desk.assert_no_student()
    assert desk.creations()[0]["refusal"] == "weak_password"


def test_a_refusal_that_comes_after_the_worker_has_finished_deletes_no_student(
    desk: Desk, ask: Ask, accounts: Accounts, faults: Faults, project: Project
) -> None:
    project.set(pwned_passwords=["something-else"])
    weak = '{"error_code": "weak_password", "msg": "weak", "weak_password": {"reasons": []}}'
    faults.set(ONE_USER, method="PUT", delay=4, status=422, body=weak, times=1)
    answers: list[httpx.Response] = []
    web = threading.Thread(target=lambda: answers.append(ask()))
    web.start()
    wait_until(faults.met)

    desk.time_passes()
    assert open_requests.finish_open_requests() == 1
    faults.clear()
    web.join(30)

    assert answers[0].status_code == 201
    desk.assert_whole_student()
    accounts.sign_in(GOOD["email"], GOOD["password"])


def test_a_password_that_supabase_cannot_set_undoes_the_creation(
    as_person: Callable[[str], Client], desk: Desk, faults: Faults, project: Project
) -> None:
    manager = as_person(MANAGER)
    project.set(pwned_passwords=["something-else"])
    error = '{"code": 500, "error_code": "unexpected_failure", "msg": "Error updating user"}'
    faults.set(ONE_USER, method="PUT", status=500, body=error)

    page = manager.post(NEW, GOOD)["Location"]
    work_later(desk)
    assert len(desk.open_creations()) == 1
    work_later(desk)

    assert "ответил ошибкой" in text_of(manager.get(page))
    desk.assert_no_student()

"""An address that is taken at Supabase, by whomever: each is told, and each has a way on."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from sales import adoption
from sales.provisioning import open_requests
from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import ONE_USER, USERS
from tests.support.people import Accounts
from tests.support.student_changes import SignIn, text_of

pytestmark = pytest.mark.usefixtures("fresh_connection")

Taken = Callable[[], None]
NEW = "/sales-manager/students/new"
ADOPTED = {**GOOD, "adopt": "on"}
EXISTS = {"status": 422, "body": '{"error_code": "email_exists", "msg": "registered"}'}
OWN_ERROR = {
    "status": 500,
    "body": '{"code": 500, "error_code": "unexpected_failure", "msg": "Error updating user"}',
}


@pytest.fixture
def boss(as_person: SignIn, desk: Desk) -> Client:
    return as_person("admin@onai.test")


def _other(desk: Desk, accounts: Accounts, **columns: Any) -> Any:
    """An account that is nobody's student, with these columns written by SQL."""
    account_id = accounts.create()["id"]
    for name, value in columns.items():
        desk.connection.execute(
            f"update auth.users set {name} = %s where id = %s", [value, account_id]
        )
    return account_id


def _identify(desk: Desk, account_id: str, provider: str) -> None:
    desk.connection.execute(
        "insert into auth.identities"
        " (provider_id, user_id, identity_data, provider, created_at, updated_at)"
        " values (%s, %s, %s, %s, now(), now())",
        [uuid4().hex, account_id, json.dumps({"email": GOOD["email"]}), provider],
    )


@pytest.fixture
def taken(faults: Faults) -> Callable[[], None]:
    """From now on Supabase finds the address taken, by `lower()` and among all identities."""
    return lambda: faults.set(USERS, method="POST", **EXISTS)


def test_an_account_in_capitals_is_adopted(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, taken: Taken
) -> None:
    account_id = _other(desk, accounts, email="Aru@Onai.Test")
    taken()
    assert "Принять существующую" in text_of(boss.post(NEW, GOOD))

    answer = boss.post(NEW, ADOPTED, follow=True)

    assert "Доступ открыт" in text_of(answer)
    assert str(desk.students()[0]["user_id"]) == account_id
    desk.assert_whole_student()


def test_a_phone_account_with_the_address_as_identity_is_adopted(
    boss: Client, desk: Desk, accounts: Accounts, taken: Taken
) -> None:
    account_id = _other(desk, accounts, email=None, phone="77000000011")
    _identify(desk, account_id, "google")
    taken()
    assert "Принять существующую" in text_of(boss.post(NEW, GOOD))
    assert "Доступ открыт" in text_of(boss.post(NEW, ADOPTED, follow=True))
    assert str(desk.students()[0]["user_id"]) == account_id


@pytest.mark.parametrize("form", [GOOD, ADOPTED])
def test_an_identity_of_an_account_with_another_address_is_reported(
    boss: Client, desk: Desk, accounts: Accounts, form: dict[str, str], taken: Taken
) -> None:
    _identify(desk, _other(desk, accounts), "google")
    taken()
    page = text_of(boss.post(NEW, form))
    assert "через внешний сервис входа" in page
    assert "отвяжите этот вход в Supabase" in page
    assert "Принять существующую" not in text_of(boss.post(NEW, GOOD))
    desk.assert_no_student()


@pytest.mark.parametrize("form", [GOOD, ADOPTED])
def test_a_half_deleted_account_is_reported(
    boss: Client, desk: Desk, accounts: Accounts, form: dict[str, str], taken: Taken
) -> None:
    _other(desk, accounts, email=GOOD["email"], deleted_at="2026-11-01")
    taken()
    page = text_of(boss.post(NEW, form))
    assert "удалили не до конца" in page
    assert "создайте доступ снова" in page


def test_a_hidden_account_is_reported_and_not_offered(
    boss: Client, desk: Desk, taken: Taken
) -> None:
    taken()
    page = text_of(boss.post(NEW, GOOD))
    assert "чьей учётной записью, отсюда не видно" in page
    assert "Принять существующую" not in page
    desk.assert_no_student()


def test_a_staff_address_is_reported_in_any_case(
    boss: Client, desk: Desk, accounts: Accounts, taken: Taken
) -> None:
    sales = accounts.create(role="sales")["id"]
    desk.connection.execute(
        "update auth.users set email = upper(%s) where id = %s", [GOOD["email"], sales]
    )
    taken()
    assert "принадлежит сотруднику" in text_of(boss.post(NEW, GOOD))


def test_single_sign_on_does_not_hold_an_address(
    boss: Client, desk: Desk, accounts: Accounts
) -> None:
    account_id = _other(desk, accounts, email=GOOD["email"], is_sso_user=True)
    desk.connection.execute("delete from auth.identities where user_id = %s", [account_id])
    _identify(desk, account_id, "sso:5f1c")
    assert "принимать нечего" in text_of(boss.post(NEW, ADOPTED))


# --- Supabase's own errors ---------------------------------------------------------------------


def test_an_adoption_with_the_same_error_three_times_ends(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    accounts.create(GOOD["email"])
    faults.set(ONE_USER, method="PUT", **OWN_ERROR)
    page = boss.post(NEW, ADOPTED)["Location"]
    closed = []
    for _ in range(2):
        desk.time_passes()
        closed.append(open_requests.finish_open_requests())
    assert closed == [0, 1]
    assert "ответил ошибкой" in text_of(boss.get(page))
    assert desk.students() == []
    faults.clear()
    assert "Доступ открыт" in text_of(boss.post(NEW, ADOPTED, follow=True))


@pytest.mark.parametrize("form", [GOOD, ADOPTED])
def test_an_account_unreadable_by_supabase_is_reported(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, form: dict[str, str]
) -> None:
    _other(desk, accounts, email=GOOD["email"], recovery_token=None)
    faults.set(USERS, method="POST", **OWN_ERROR)
    faults.set(ONE_USER, method="PUT", **OWN_ERROR)
    page = text_of(boss.post(NEW, form))
    assert "создали мимо сервиса входа" in page
    assert "compare_accounts" in page
    (creation,) = desk.creations()
    assert (creation["state"], creation["refusal"]) == ("refused", "account_unreadable")


def test_a_creation_does_not_depend_on_the_body(boss: Client, desk: Desk, faults: Faults) -> None:
    faults.set(USERS, method="POST", after=True, status=201, body='{"id": "", "identities": [{}]}')
    boss.post(NEW, GOOD)
    desk.assert_whole_student()


def test_rows_that_the_tables_forbid_undo_the_creation(boss: Client, desk: Desk) -> None:
    adoption.forget_fitness()
    adoption.require_fit()  # So that what is added to the table now is not noticed beforehand.
    desk.connection.execute(
        "alter table tripwire_users add constraint poison check (price <> 5000)"
    )
    try:
        page = text_of(boss.post(NEW, GOOD))
    finally:
        desk.connection.execute("alter table tripwire_users drop constraint poison")
    assert "не дают записать" in page
    desk.assert_no_student()


def test_our_account_is_found_though_supabase_cannot_read_it(
    boss: Client, desk: Desk, faults: Faults
) -> None:
    faults.set(USERS, method="POST", after=True, times=1, status=504)
    faults.set(ONE_USER, method="GET", **OWN_ERROR)
    boss.post(NEW, GOOD)
    desk.assert_whole_student()

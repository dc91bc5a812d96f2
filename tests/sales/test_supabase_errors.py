"""Supabase's own errors: what answers 500 for ever ends, with its reason, and what took effect is
done whatever was answered.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client

from sales import adoption
from sales.provisioning import open_requests
from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import ONE_USER
from tests.support.people import Accounts
from tests.support.student_changes import (
    ADMIN,
    MANAGER,
    NEW_EMAIL,
    NEW_PASSWORD,
    SignIn,
    admin_of_one,
    assert_changed,
    assert_unchanged,
    newest_entry,
    send_act,
    signed_in,
    text_of,
)

pytestmark = pytest.mark.usefixtures("fresh_connection")

UPDATING = '{"code": 500, "error_code": "unexpected_failure", "msg": "Error updating user"}'
NEWER = '{"code": "unexpected_failure", "message": "Database error loading user"}'
OLDER = '{"code": 500, "msg": "Database error deleting user"}'
Scene = Callable[..., None]


@pytest.fixture
def boss(as_person: SignIn, desk: Desk) -> Client:
    adoption.forget_fitness()  # So that what a test adds to the tables afterwards is not noticed.
    return admin_of_one(as_person)


@pytest.fixture
def scene(desk: Desk) -> Iterator[Scene]:
    """Runs statements, and at the end those that take back what they did."""
    undone: list[str] = []

    def run(statement: str, *, undo: str) -> None:
        undone.append(undo)
        desk.connection.execute(statement)

    yield run
    for statement in reversed(undone):
        desk.connection.execute(statement)


def settled(desk: Desk, times: int) -> int:
    """Time passes, and the worker finishes what it can; how many changes that were."""
    closed = 0
    for _ in range(times):
        desk.time_passes()
        closed += open_requests.finish_open_requests()
    return closed


# --- When it is a refusal ----------------------------------------------------------------------


@pytest.mark.parametrize("act", ["password", "status", "data", "delete"])
@pytest.mark.parametrize("body", [UPDATING, NEWER, OLDER])
def test_the_same_error_of_supabase_three_times_is_a_refusal(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, act: str, body: str
) -> None:
    faults.set(ONE_USER, status=500, body=body)
    answer = send_act(boss, desk, act)
    assert settled(desk, 1) == 0
    assert "Сервис учётных записей ответил: " in text_of(boss.get(answer["Location"]))

    assert settled(desk, 1) == 1

    page = text_of(boss.get(answer["Location"]))
    assert "несколько раз ответил ошибкой" in page
    assert json.loads(body).get("msg", "Database error loading user") in page
    assert_unchanged(desk, accounts)
    faults.clear()
    send_act(boss, desk, "status")  # the student is free again
    assert desk.students()[0]["status"] == "blocked"


@pytest.mark.parametrize(
    "body", ["", "<html>", '{"message": "An unexpected error occurred"}', '{"code": 500}', "[]"]
)
def test_an_error_of_a_gateway_is_never_a_refusal(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, body: str
) -> None:
    faults.set(ONE_USER, status=500, body=body)
    send_act(boss, desk, "password")
    assert settled(desk, 6) == 0
    faults.clear()
    assert settled(desk, 1) == 1
    assert_changed(desk, accounts, "password")


def test_interrupted_errors_are_not_a_refusal(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    for how in ({"status": 500, "body": UPDATING}, {"status": 504, "body": "<html>"}) * 3:
        faults.set(ONE_USER, times=1, **how)
    send_act(boss, desk, "password")
    assert settled(desk, 5) == 0
    assert settled(desk, 1) == 1
    assert_changed(desk, accounts, "password")


def test_changes_that_fail_at_supabase_delay_no_other(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    for number in range(4):
        boss.post("/sales-manager/students/new", {**GOOD, "email": f"s{number}@onai.test"})
    faults.set(ONE_USER, times=5, status=504)
    students = desk.rows("select id, user_id, email from tripwire_users order by created_at")
    for student in students:
        path = f"/sales-manager/students/{student['id']}/password"
        boss.post(path, {"attempt": str(uuid4()), "password": NEW_PASSWORD})
    for student in students[:4]:
        faults.set(f"{ONE_USER}{student['user_id']}", status=500, body=UPDATING)
    assert settled(desk, 1) == 1
    accounts.sign_in(students[4]["email"], NEW_PASSWORD)


# --- The reason --------------------------------------------------------------------------------


def test_an_address_taken_meanwhile_is_reported_at_the_first_error(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, times=1, status=504)
    answer = send_act(boss, desk, "data")
    accounts.create("Aru.New@Onai.Test")
    faults.set(ONE_USER, method="PUT", status=500, body=UPDATING)

    assert settled(desk, 1) == 1

    assert "уже у другой учётной записи" in text_of(boss.get(answer["Location"]))
    assert_unchanged(desk, accounts)


def test_an_address_in_capitals_is_taken(boss: Client, desk: Desk, accounts: Accounts) -> None:
    other = accounts.create()
    desk.connection.execute(
        "update auth.users set email = 'Aru.New@Onai.Test' where id = %s", [other["id"]]
    )
    answer = send_act(boss, desk, "data")
    assert answer.status_code == 409
    assert "уже у другой учётной записи" in text_of(answer)
    assert_unchanged(desk, accounts)


def test_an_address_of_another_sign_in_is_taken(
    boss: Client, desk: Desk, accounts: Accounts
) -> None:
    _signs_in_by_google(desk, accounts.create()["id"], NEW_EMAIL)
    answer = send_act(boss, desk, "data")
    assert answer.status_code == 409
    assert "через внешний сервис входа" in text_of(answer)
    assert_unchanged(desk, accounts)


def test_an_accounts_own_other_sign_in_does_not_hold_the_address(
    boss: Client, desk: Desk, accounts: Accounts
) -> None:
    _signs_in_by_google(desk, str(desk.accounts()[0]["id"]), NEW_EMAIL)
    send_act(boss, desk, "data")
    assert_changed(desk, accounts, "data")


def _signs_in_by_google(desk: Desk, account_id: str, email: str) -> None:
    desk.connection.execute(
        "insert into auth.identities"
        " (provider_id, user_id, identity_data, provider, created_at, updated_at)"
        " values (%s, %s, %s, 'google', now(), now())",
        [uuid4().hex, account_id, json.dumps({"email": email})],
    )


def test_a_foreign_key_that_forbids_a_deletion_is_named(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, scene: Scene
) -> None:
    scene(
        "create table orders (buyer uuid references auth.users)", undo="drop table if exists orders"
    )
    desk.connection.execute(
        "insert into orders select id from auth.users where email = %s", [EMAIL]
    )
    faults.set(ONE_USER, method="DELETE", status=500, body=OLDER)

    answer = send_act(boss, desk, "delete")

    assert answer.status_code == 409
    assert "ссылаются записи других таблиц" in text_of(answer)
    (change,) = desk.changes()
    assert change["auth_error"] == "public.orders.buyer"
    assert "public.orders.buyer" in text_of(boss.get(f"/sales-manager/changes/{change['id']}"))
    assert_unchanged(desk, accounts)


EMAIL = GOOD["email"]
KEY = "alter table sales_activity_log add constraint remembers foreign key (target_user_id)"
UNDO = "alter table sales_activity_log drop constraint remembers"


@pytest.mark.parametrize("on_delete", ["set null", "no action", "restrict"])
def test_a_key_of_the_log_does_not_keep_the_deletion_or_its_entry(
    boss: Client, desk: Desk, faults: Faults, scene: Scene, on_delete: str
) -> None:
    scene(f"{KEY} references auth.users (id) on delete {on_delete}", undo=UNDO)
    (account,) = desk.accounts()
    if on_delete != "set null":
        faults.set(ONE_USER, method="DELETE", times=1, status=500, body=OLDER)

    send_act(boss, desk, "delete")

    assert (desk.accounts(), desk.students()) == ([], [])
    entries = desk.rows("select * from sales_activity_log order by created_at")
    assert [one["action_type"] for one in entries] == ["user_created", "email_sent", "user_deleted"]
    assert {one["details"]["user_id"] for one in entries} == {str(account["id"])}
    assert {one["target_user_id"] for one in entries} == {None}
    desk.connection.execute("delete from sales_activity_log")


def test_an_account_unreadable_by_supabase_is_reported(
    boss: Client, desk: Desk, faults: Faults, capsys: Any
) -> None:
    desk.connection.execute(
        "update auth.users set confirmation_token = null, phone_change = null where email = %s",
        [EMAIL],
    )
    faults.set(ONE_USER, status=500, body=NEWER)

    answer = send_act(boss, desk, "status")

    assert answer.status_code == 409
    assert "не может прочитать эту учётную запись" in text_of(answer)
    (change,) = desk.changes()
    assert change["auth_error"] == "confirmation_token, phone_change"
    call_command("compare_accounts")
    told = capsys.readouterr().out
    assert "lacks confirmation_token, phone_change" in told
    (mending,) = [line.strip() for line in told.splitlines() if "update auth.users" in line]
    desk.connection.execute(mending)
    call_command("compare_accounts")
    assert "cannot read" not in capsys.readouterr().out


@pytest.mark.parametrize("act", ["status", "delete"])
def test_an_account_invisible_to_supabase_is_not_called_gone(
    boss: Client, desk: Desk, faults: Faults, act: str
) -> None:
    desk.connection.execute("update auth.users set instance_id = null where email = %s", [EMAIL])
    faults.set(ONE_USER, status=404, body='{"error_code": "user_not_found", "msg": "no"}')

    answer = send_act(boss, desk, act)

    assert answer.status_code == 409
    assert "не может прочитать эту учётную запись" in text_of(answer)
    assert len(desk.students()) == 1
    assert "user_deleted" not in desk.log()


# --- Tables that changed since they were looked at ---------------------------------------------


@pytest.mark.parametrize(
    ("act", "table", "check"),
    [
        ("status", "tripwire_users", "status <> 'blocked'"),
        ("status", "sales_activity_log", "action_type <> 'status_changed'"),
        ("data", "sales_activity_log", "action_type <> 'status_changed'"),
    ],
)
def test_a_change_forbidden_by_our_tables_is_taken_back(
    boss: Client,
    desk: Desk,
    accounts: Accounts,
    scene: Scene,
    act: str,
    table: str,
    check: str,
) -> None:
    scene(
        f"alter table {table} add constraint poison check ({check}) not valid",
        undo=f"alter table {table} drop constraint poison",
    )
    answer = send_act(boss, desk, act)
    assert answer.status_code == 502
    assert "Таблицы базы не дают это записать" in text_of(answer)
    assert_unchanged(desk, accounts)


@pytest.mark.parametrize("act", ["password", "delete"])
def test_a_change_that_cannot_be_taken_back_is_reported_and_can_be_ended(
    boss: Client, desk: Desk, scene: Scene, act: str
) -> None:
    scene(
        "alter table sales_activity_log add constraint poison check (action_type = '') not valid",
        undo="alter table sales_activity_log drop constraint poison",
    )
    page = send_act(boss, desk, act)["Location"]
    assert "Остановить его можно будет" in text_of(boss.get(page))
    desk.connection.execute("update sales_requests set created_at = now() - interval '11 minutes'")
    boss.post(f"{page}/end")
    assert desk.changes()[0]["state"] == "refused"


# --- What took effect --------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["status", "data"])
def test_a_change_visible_in_the_tables_is_done(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, act: str
) -> None:
    faults.set(ONE_USER, after=True, times=1, status=500, body=UPDATING)
    send_act(boss, desk, act)
    assert_changed(desk, accounts, act)


def test_a_deletion_visible_in_the_tables_is_done(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, method="GET", status=500, body=NEWER)
    send_act(boss, desk, "delete")
    assert_changed(desk, accounts, "delete")


@pytest.mark.parametrize("act", ["password", "status", "data"])
def test_a_success_does_not_depend_on_the_body(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, act: str
) -> None:
    account_id = str(desk.accounts()[0]["id"])
    # As of a soft-deleted account, whose identities are empty.
    body = {"id": account_id, "aud": "", "identities": [{"id": "x", "provider": "email"}]}
    faults.set(ONE_USER, method="PUT", after=True, status=200, body=json.dumps(body))
    send_act(boss, desk, act)
    assert_changed(desk, accounts, act)


# --- An admin ends it --------------------------------------------------------------------------


def test_an_admin_ends_a_change_that_cannot_finish(
    boss: Client, desk: Desk, faults: Faults
) -> None:
    faults.set(ONE_USER, status=504)
    page = send_act(boss, desk, "password")["Location"]
    too_soon = boss.post(f"{page}/end")
    assert too_soon.status_code == 409
    assert "через 10 минут" in text_of(too_soon)
    assert "Остановить изменение" not in text_of(boss.get(page))
    desk.connection.execute("update sales_requests set created_at = now() - interval '11 minutes'")
    assert "Остановить изменение" in text_of(boss.get(page))

    answer = boss.post(f"{page}/end", follow=True)

    assert "Изменение отменено вручную" in text_of(answer)
    (change,) = desk.changes()
    assert (change["state"], change["sealed_password"]) == ("refused", "")
    entry = newest_entry(desk)
    assert (entry["action_type"], entry["details"]["change"]) == ("status_changed", "given_up")
    log = text_of(boss.get("/sales-manager/activity"))
    assert "Незаконченное изменение отменено" in log
    assert boss.post(f"{page}/end").status_code == 302  # twice is once
    assert newest_entry(desk)["id"] == entry["id"]


def test_only_admins_end_a_change_and_only_by_post(
    boss: Client, desk: Desk, faults: Faults
) -> None:
    faults.set(ONE_USER, status=504)
    page = send_act(boss, desk, "password")["Location"]
    desk.connection.execute("update sales_requests set created_at = now() - interval '11 minutes'")
    assert signed_in(MANAGER).post(f"{page}/end").status_code == 403
    assert signed_in(ADMIN).get(f"{page}/end").status_code == 405
    assert boss.post(f"/sales-manager/changes/{uuid4()}/end").status_code == 404
    assert desk.changes()[0]["state"] == "open"

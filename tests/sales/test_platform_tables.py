"""The learning platform's own tables, where they are there: what a student needs of them."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.conftest import Faults
from tests.support.desk import GOOD, Desk, Row
from tests.support.interruptions import ONE_USER, USERS
from tests.support.optional_tables import IN_TRIPWIRE, taken_away
from tests.support.people import Accounts
from tests.support.student_changes import NEW_EMAIL, SignIn, admin_of_one, send_act, text_of

NEW = "/sales-manager/students/new"
OWN_ERROR = '{"code": "unexpected_failure", "message": "Database error creating new user"}'
PROFILE = """
    create table tripwire_user_profile (
      id uuid primary key default gen_random_uuid(), user_id uuid {key} {reference},
      full_name text, modules_completed integer default 0, total_modules integer default 3,
      certificate_issued boolean, updated_at timestamptz default now())
"""
PROGRESS = """
    create table tripwire_progress (
      id uuid primary key default gen_random_uuid(), tripwire_user_id {kind} not null,
      module_id integer, lesson_id integer not null, is_completed boolean,
      completed_at timestamptz, updated_at timestamptz default now())
"""
COPIES = """
    create table public.users (
      id uuid primary key {reference}, email text not null unique, full_name text,
      role text not null default 'student')
"""
TRIGGER = """
    create function first_rows() returns trigger language plpgsql security definer as $$ begin
      insert into tripwire_user_profile (user_id) values (new.user_id);
      insert into tripwire_progress (tripwire_user_id, module_id, lesson_id, is_completed)
      values (new.user_id, 16, 67, false);
      return new;
    end $$;
    create trigger first_rows after insert on tripwire_users
      for each row execute function first_rows()
"""
COPY_TRIGGER = """
    create function copy_email() returns trigger language plpgsql security definer as $$ begin
      insert into public.users (id, email) values (new.id, new.email);
      return new;
    end $$;
    create trigger on_auth_user_created after insert on auth.users
      for each row execute function copy_email()
"""


@pytest.fixture
def platform(desk: Desk) -> Iterator[Desk]:
    """Takes away the usual tables, and afterwards those that a test has added."""
    with taken_away(*IN_TRIPWIRE):
        yield desk
        desk.connection.execute(
            "drop trigger if exists on_auth_user_created on auth.users;"
            "drop trigger if exists first_rows on tripwire_users;"
            "drop function if exists copy_email, first_rows;"
            "drop table if exists tripwire_user_profile, tripwire_progress, wishes, public.users"
        )


def _add(desk: Desk, *tables: str) -> None:
    for table in tables:
        filled = table if "$$" in table else table.format(key="", reference="", kind="uuid")
        desk.connection.execute(filled)
    desk.connection.execute(
        "grant select, insert, update, delete on all tables in schema public to sales_desk"
    )


def _account_id(desk: Desk) -> Any:
    return desk.students()[0]["user_id"]


def _profiles(desk: Desk) -> list[Row]:
    return desk.rows("select * from tripwire_user_profile")


@pytest.mark.parametrize("key", ["unique", ""])
@pytest.mark.parametrize("kind", ["uuid", "text"])
def test_a_student_gets_the_rows_that_the_platform_only_updates(
    platform: Desk, as_person: SignIn, key: str, kind: str
) -> None:
    _add(platform, PROFILE.format(key=key, reference=""), PROGRESS.format(kind=kind))

    admin_of_one(as_person)

    account_id = _account_id(platform)
    (profile,) = _profiles(platform)
    assert (profile["user_id"], profile["full_name"]) == (account_id, GOOD["full_name"])
    assert (profile["modules_completed"], profile["total_modules"]) == (0, 3)
    assert profile["certificate_issued"] is False
    (progress,) = platform.rows("select * from tripwire_progress")
    assert str(progress["tripwire_user_id"]) == str(account_id)
    assert (progress["module_id"], progress["is_completed"]) == (16, False)
    platform.assert_whole_student()


def test_a_row_inserted_by_a_trigger_is_not_inserted_again(
    platform: Desk, as_person: SignIn
) -> None:
    _add(platform, PROFILE, PROGRESS, TRIGGER)
    admin_of_one(as_person)
    assert len(_profiles(platform)) == 1
    assert len(platform.rows("select * from tripwire_progress")) == 1


def test_a_platform_table_that_refuses_a_row_does_not_block_access(
    platform: Desk, as_person: SignIn, caplog: Any
) -> None:
    _add(
        platform,
        "create table tripwire_user_profile (user_id uuid, school text not null)",
        "create table tripwire_progress (tripwire_user_id uuid)",
    )
    platform.connection.execute("revoke insert on tripwire_progress from sales_desk")
    admin_of_one(as_person)
    platform.assert_whole_student()
    assert "platform_row_not_written" in caplog.text
    assert GOOD["email"] not in caplog.text


def test_a_correction_reaches_every_platform_table(platform: Desk, as_person: SignIn) -> None:
    _add(platform, PROFILE, COPIES, COPY_TRIGGER)
    send_act(admin_of_one(as_person), platform, "data")
    (student,) = platform.students(NEW_EMAIL)
    copied = platform.row("select * from public.users where id = %s", student["user_id"])
    assert (copied["email"], copied["full_name"]) == (NEW_EMAIL, student["full_name"])
    assert _profiles(platform)[0]["full_name"] == student["full_name"]


def test_the_address_a_correction_frees_can_be_used_again(
    platform: Desk, as_person: SignIn
) -> None:
    _add(platform, COPIES, COPY_TRIGGER)
    boss = admin_of_one(as_person)
    send_act(boss, platform, "data")
    assert boss.post(NEW, GOOD).status_code == 302
    assert len(platform.students()) == 1


@pytest.mark.parametrize("reference", ["", "references auth.users (id) on delete cascade"])
def test_a_deletion_removes_the_platforms_rows_and_frees_the_address(
    platform: Desk, as_person: SignIn, reference: str
) -> None:
    _add(
        platform,
        PROFILE.format(key="", reference=reference),
        PROGRESS,
        COPIES.format(reference=reference),
        COPY_TRIGGER,
    )
    boss = admin_of_one(as_person)
    send_act(boss, platform, "delete")
    assert _profiles(platform) == platform.rows("select * from tripwire_progress") == []
    assert platform.rows("select * from public.users where email = %s", GOOD["email"]) == []
    assert boss.post(NEW, GOOD).status_code == 302


def test_a_referenced_copy_stays_without_the_address(platform: Desk, as_person: SignIn) -> None:
    _add(platform, COPIES, "create table wishes (of uuid references public.users)", COPY_TRIGGER)
    boss = admin_of_one(as_person)
    account_id = _account_id(platform)
    platform.connection.execute("insert into wishes values (%s)", [account_id])
    send_act(boss, platform, "delete")
    (copied,) = platform.rows("select * from public.users")
    assert copied["email"] == f"{account_id}@deleted.invalid"


def test_rows_of_the_platform_that_forbid_a_deletion_go_first(
    platform: Desk, as_person: SignIn, faults: Faults
) -> None:
    reference = "references auth.users (id)"
    _add(
        platform,
        PROFILE.format(key="", reference=reference),
        COPIES.format(reference=reference),
        COPY_TRIGGER,
    )
    boss = admin_of_one(as_person)
    faults.set(ONE_USER, method="DELETE", times=1, status=500, body=OWN_ERROR)
    send_act(boss, platform, "delete")
    assert platform.students() == platform.accounts() == _profiles(platform) == []


def test_a_row_of_staff_is_never_deleted(platform: Desk, as_person: SignIn, faults: Faults) -> None:
    _add(platform, COPIES.format(reference="references auth.users (id)"), COPY_TRIGGER)
    boss = admin_of_one(as_person)
    platform.connection.execute("update public.users set role = 'admin'")
    faults.set(ONE_USER, method="DELETE", status=500, body=OWN_ERROR)
    send_act(boss, platform, "delete")
    for _ in range(3):
        platform.time_passes()
    assert len(platform.rows("select * from public.users")) == 1
    assert len(platform.students()) == 1


# --- Copies that were left behind --------------------------------------------------------------


def _left_behind(desk: Desk, role: str = "student", account_id: Any = None) -> None:
    _add(desk, COPIES)
    desk.connection.execute(
        "insert into public.users values (%s, %s, 'Прежний', %s)",
        [account_id or uuid4(), GOOD["email"].upper(), role],
    )


def test_the_copy_of_a_deleted_account_does_not_hold_the_address(
    platform: Desk, as_person: SignIn, faults: Faults
) -> None:
    _left_behind(platform)
    faults.set(USERS, method="POST", times=1, status=500, body=OWN_ERROR)
    admin_of_one(as_person)
    platform.assert_whole_student()
    assert platform.rows("select 1 from public.users where full_name = 'Прежний'") == []


def test_the_copy_of_an_account_that_has_another_address_is_corrected(
    platform: Desk, as_person: SignIn, faults: Faults, accounts: Accounts
) -> None:
    other = accounts.create("moved@onai.test")
    _left_behind(platform, account_id=other["id"])
    faults.set(USERS, method="POST", times=1, status=500, body=OWN_ERROR)
    admin_of_one(as_person)
    platform.assert_whole_student()
    moved = platform.row("select email from public.users where id = %s", other["id"])
    assert moved["email"] == "moved@onai.test"


def test_the_copied_address_of_a_former_colleague_is_kept(
    platform: Desk, as_person: SignIn, faults: Faults
) -> None:
    _left_behind(platform, role="sales")
    faults.set(USERS, method="POST", times=1, status=500, body=OWN_ERROR)
    boss: Client = as_person("admin@onai.test")
    answer = boss.post(NEW, GOOD)
    assert "занят строкой таблицы public.users" in text_of(answer)
    assert len(platform.rows("select * from public.users")) == 1
    platform.assert_no_student()

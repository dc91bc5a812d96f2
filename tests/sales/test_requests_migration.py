"""Creations and changes recorded by the version before go over into the one table of requests."""

import json
import threading
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

from onai import encryption
from onai.local import roles
from onai.local.postgres import url
from tests.support.adopted_database import (
    DATABASE,
    LOG,
    SOCKET_DIR,
    STUDENTS,
    Production,
    acting_as,
    fresh_copy,
    supabase_of_variants,
)
from tests.support.desk import GOOD, Row
from tests.support.interruptions import CREATE, wait_until
from tests.support.student_changes import MANAGER, signed_in

BEFORE, AFTER = "0010_indexes", "0011_student_requests"
CREATIONS, CHANGES = "sales_intentions", "sales_changes"
# What a creation was answered with, as the version before kept it.
ANSWER = {
    "success": True,
    "user": {
        "id": "a7a5a0b6-8b5e-4f0e-9d0c-000000000001",
        "user_id": "a7a5a0b6-8b5e-4f0e-9d0c-000000000002",
        "email": GOOD["email"],
        "full_name": GOOD["full_name"],
        "status": "active",
        "manager_name": "Аяулым Тест",
        "granted_by": "a7a5a0b6-8b5e-4f0e-9d0c-000000000003",
        "created_at": "2026-11-26T09:01:00.000Z",
    },
    "emailSent": True,
}


@pytest.fixture(scope="module")
def supabase() -> Iterator[str]:
    with supabase_of_variants() as services:
        yield services


@pytest.fixture
def former(supabase: str, settings: Any) -> Iterator[Production]:
    """Production as the version before left it."""
    settings.SUPABASE_AUTH_URL = f"{supabase}/auth/v1"
    with fresh_copy(supabase) as production:
        production.as_owner(STUDENTS, LOG)
        production.migrate("sales", BEFORE)
        yield production


def _insert(production: Production, table: str, **columns: Any) -> Row:
    """A row of a former table, with what every one has."""
    row = {
        "id": uuid4(),
        "state": "open",
        "account_id": uuid4(),
        "email": GOOD["email"],
        "full_name": GOOD["full_name"],
        "asked_by": uuid4(),
        "fingerprint": "f",
        "sealed_password": "",
        "leased_until": "2026-11-26T10:00Z",
        "attempts": 3,
        "auth_error": "Error updating user",
        "auth_errors": 2,
        "created_at": "2026-11-26T09:00Z",
        **columns,
    }
    names, values = ", ".join(row), ", ".join(["%s"] * len(row))
    production.superuser.execute(
        f"insert into {table} ({names}) values ({values})", list(row.values())
    )
    return production.desk.row(f"select * from {table} where id = %s", row["id"])


def _creation(production: Production, **columns: Any) -> Row:
    whose = {"granted_by": uuid4(), "manager_name": "Аяулым Тест", "adopts": False}
    return _insert(production, CREATIONS, **{**whose, **columns})


def _change(production: Production, **columns: Any) -> Row:
    about = {"student_id": uuid4(), "account_email": "old@onai.test", "account_name": "Ару"}
    return _insert(production, CHANGES, **{**about, "kind": "correction", **columns})


def _request(production: Production, request_id: UUID) -> Row:
    return production.desk.row("select * from sales_requests where id = %s", request_id)


def test_every_row_is_copied_whole(former: Production) -> None:
    done = {"state": "done", "closed_at": "2026-11-26T09:01Z", "idempotency_key": "k"}
    creations = [
        _creation(former, sealed_password="sealed", idempotency_key="key"),
        _creation(former, **done, answer=json.dumps({"success": True}), adopts=True),
        _creation(former, email="b@onai.test", give_up_at="2026-11-26T11:00Z"),
    ]
    changes = [
        _change(former, new_email="new@onai.test", new_full_name="Ару С"),
        _change(former, kind="password", sealed_password="sealed"),
        _change(former, kind="status", new_status="blocked", state="refused", refusal="given_up"),
        _change(former, kind="handover", new_manager_id=uuid4(), new_manager_name="Асель"),
    ]

    former.migrate("sales", AFTER)

    renamed = {"granted_by": "new_manager_id", "manager_name": "new_manager_name"}
    for row in creations + changes:
        kept = _request(former, row["id"])
        for name in row.keys() - {"leased_until"}:
            assert kept[renamed.get(name, name)] == row[name], name
        # What is open is left alone until the processes of before have failed.
        waits = kept["leased_until"] > row["leased_until"]
        assert waits == (row["state"] == "open")
    assert {_request(former, row["id"])["kind"] for row in creations} == {"creation"}
    assert len(former.desk.rows("select * from sales_requests")) == 7
    gone = former.desk.row(f"select to_regclass('{CREATIONS}') a, to_regclass('{CHANGES}') b")
    assert gone == {"a": None, "b": None}


def test_a_creation_that_was_open_is_finished_with_its_password(former: Production) -> None:
    sealed = encryption.seal(GOOD["password"], purpose="intended password")
    creation = _creation(former, sealed_password=sealed)
    former.migrate()
    former.execute("update sales_requests set leased_until = now()")

    with acting_as(roles.OWNER):
        call_command("intentions", finish=True, stdout=StringIO())

    (student,) = former.desk.students()
    assert student["user_id"] == creation["account_id"]
    former.accounts.sign_in(GOOD["email"], GOOD["password"])


def test_a_request_repeated_after_the_migration_is_the_same_one(former: Production) -> None:
    me = former.accounts.sign_in(MANAGER)["user"]["id"]
    content = json.dumps([*(GOOD[name] for name in ("email", "full_name", "password")), me, False])
    _creation(
        former,
        state="done",
        asked_by=me,
        idempotency_key="the same",
        fingerprint=encryption.fingerprint(content, purpose="creation request"),
        answer=json.dumps(ANSWER),
    )
    former.migrate()

    with acting_as(roles.OWNER):
        client = signed_in(MANAGER)
        same, other = [
            client.post(
                CREATE,
                body,
                content_type="application/json",
                headers={"Idempotency-Key": "the same"},
            )
            for body in (GOOD, {**GOOD, "full_name": "Дана"})
        ]

    assert (same.status_code, other.status_code) == (201, 409)
    assert same.json() == ANSWER
    assert former.desk.students() == []


def test_an_address_that_two_open_rows_give_does_not_stop_the_migration(
    former: Production,
) -> None:
    creation = _creation(former)
    change = _change(former, new_email=GOOD["email"])
    former.migrate("sales", AFTER)
    assert _request(former, change["id"])["new_email"] == GOOD["email"]
    assert _request(former, creation["id"])["email"] == GOOD["email"]


def test_a_change_with_the_id_of_a_creation_gets_another_id(former: Production) -> None:
    creation = _creation(former)
    _change(former, id=creation["id"], new_full_name="Ару С")
    former.migrate("sales", AFTER)
    kinds = former.desk.rows("select id = %s as same, kind from sales_requests", creation["id"])
    assert {(one["same"], one["kind"]) for one in kinds} == {
        (True, "creation"),
        (False, "correction"),
    }


def test_a_reason_with_a_former_code_is_shown(former: Production) -> None:
    closed = {"state": "refused", "refusal": "email_taken_by_identity"}
    change = _change(former, new_email="new@onai.test", **closed)
    former.migrate("sales", AFTER)
    assert _request(former, change["id"])["refusal"] == "address_elsewhere"


def test_rows_written_during_the_migration_are_copied(former: Production) -> None:
    with psycopg.connect(url(SOCKET_DIR, DATABASE)) as web_process:
        web_process.execute(f"lock table {CREATIONS} in row exclusive mode")
        migration = threading.Thread(target=_migrate_in_thread, args=[former])
        migration.start()
        wait_until(
            lambda: former.desk.rows(
                f"select 1 from pg_locks where not granted and relation = '{CREATIONS}'::regclass"
            )
        )
        row = _creation_in(web_process)
        web_process.commit()
        migration.join(60)
    assert _request(former, row)["kind"] == "creation"


def _migrate_in_thread(former: Production) -> None:
    try:
        former.migrate("sales", AFTER)
    finally:
        connections.close_all()


def _creation_in(connection: "psycopg.Connection[Any]") -> UUID:
    request_id = uuid4()
    connection.execute(
        f"insert into {CREATIONS} (id, state, adopts, account_id, email, full_name,"
        " sealed_password, asked_by, granted_by, manager_name, fingerprint, leased_until, attempts)"
        " values (%(id)s, 'open', false, %(id)s, 'late@onai.test', 'Ару', '', %(id)s, %(id)s, '',"
        " '', now(), 1)",
        {"id": request_id},
    )
    return request_id

"""The first migration takes over whoever works today, and lists them to be looked through."""

from collections.abc import Callable, Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connections
from django.test import Client
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from onai.local.roles import AUTH_ADMIN
from tests.onai.test_databases import PRODUCTION_TABLES, _scratch_database
from tests.settings import TEST_ENVIRONMENT
from tests.support.desk import Desk
from tests.support.outages import accounts_hidden
from tests.support.people import PASSWORD, Accounts
from tests.support.processes import run_python

# Who, with which two metadata, further columns, whether there is a student's row; and what becomes.
PEOPLE: tuple[tuple[str, Any, Any, dict[str, Any], bool, str | None], ...] = (
    ("owner", {"role": "admin", "full_name": "Хозяин"}, {}, {}, False, "admin"),
    ("manager", {"role": "sales"}, {"role": "sales"}, {}, False, "sales"),
    ("climber", {"role": "admin"}, {"role": "sales"}, {}, False, "sales"),
    ("pinned-student", {"role": "admin"}, {"role": "student"}, {}, False, None),
    ("student-who-wrote", {"role": "admin"}, {}, {}, True, None),
    ("student", {"role": "student"}, {}, {}, True, None),
    ("targetologist", {"role": "targetologist"}, {}, {}, False, None),
    ("list", {"role": ["admin"]}, {}, {}, False, None),
    ("scalar", "admin", None, {}, False, None),
    ("deleted", {"role": "sales"}, {}, {"deleted_at": "2026-01-01"}, False, None),
    ("anonymous", {"role": "sales"}, {}, {"is_anonymous": True}, False, None),
    ("service", {"role": "sales"}, {}, {"role": "service_role"}, False, None),
)


@pytest.fixture
def production() -> Iterator[tuple[Callable[..., Any], Any, str]]:
    """Tripwire as the version before left it, and what migrates it further."""
    with _scratch_database("staffed") as (url, connection):
        environment = {**TEST_ENVIRONMENT, "TRIPWIRE_DATABASE_URL": url}

        def migrate(*more: str, database: str = "tripwire") -> Any:
            local = {"DJANGO_SETTINGS_MODULE": "onai.local.settings"} if database == "auth" else {}
            command = ("manage.py", "migrate", "--database", database, *more)
            done = run_python(*command, environment={**environment, **local})
            assert done.returncode == 0, done.stderr
            return done

        connection.execute(f"create schema auth authorization {AUTH_ADMIN}")
        migrate(database="auth")
        connection.execute(PRODUCTION_TABLES)
        connection.execute("delete from tripwire_users")
        migrate("sales", "0004", "--fake-initial")
        yield migrate, connection, url


def _fill(connection: Any) -> None:
    for name, user_metadata, app_metadata, columns, is_student, _ in PEOPLE:
        row = {
            "id": uuid4(),
            "email": f"{name}@onai.test",
            "role": "authenticated",
            "raw_user_meta_data": Jsonb(user_metadata),
            "raw_app_meta_data": None if app_metadata is None else Jsonb(app_metadata),
            **columns,
        }
        places = ", ".join(["%s"] * len(row))
        connection.execute(
            f"insert into auth.users ({', '.join(row)}) values ({places})", list(row.values())
        )
        if is_student:
            connection.execute(
                "insert into tripwire_users (user_id, full_name, email) values (%s, %s, %s)",
                [row["id"], name, row["email"]],
            )


def _register(connection: Any) -> dict[str, tuple[str, str, bool]]:
    with psycopg.ClientCursor(connection, row_factory=tuple_row) as cursor:
        cursor.execute("select email, role, confirmed_role, reviewed from sales_staff")
        return {email.partition("@")[0]: tuple(rest) for email, *rest in cursor.fetchall()}


def test_current_staff_stay_staff(production: Any) -> None:
    migrate, connection, url = production
    _fill(connection)
    # The copy of before believed whatever somebody had written.
    connection.execute(
        "insert into sales_staff select id, email, '', 'admin' from auth.users"
        " where email = 'student-who-wrote@onai.test'"
    )

    done = migrate()

    expected = {name: (role, role, False) for name, *_, role in PEOPLE if role is not None}
    assert _register(connection) == expected
    assert '"staff_register_filled"' in done.stderr
    listed = run_python(
        *("manage.py", "staff", "list"),
        environment={**TEST_ENVIRONMENT, "TRIPWIRE_DATABASE_URL": url},
    ).stdout
    assert "owner@onai.test  admin, confirmed; taken over by the first migration" in listed
    assert "pinned-student@onai.test  claims admin since" in listed


def test_hidden_accounts_confirm_nobody_and_are_reported(
    desk: Desk, accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    accounts.create(user_metadata={"role": "sales"}, app_metadata={})
    migration = import_module("onai.identity.migrations.0001_register")

    with accounts_hidden():
        migration._fill(None, SimpleNamespace(connection=connections["tripwire"]))

    assert _register(desk.connection) == {}
    assert "staff_register_not_filled" in caplog.messages


def test_an_owner_reviews_the_staff_confirmed_by_the_migration(
    admin: Client, accounts: Accounts, desk: Desk
) -> None:
    kept, dropped = (
        accounts.create(user_metadata={"role": "sales", "full_name": name}, app_metadata={})
        for name in ("Своя Тест", "Лишняя Тест")
    )
    for one in (kept, dropped):
        desk.connection.execute(
            "insert into sales_staff (user_id, email, full_name, role, confirmed_role, reviewed)"
            " values (%s, %s, '', 'sales', 'sales', false)",
            [one["id"], one["email"]],
        )
    page = admin.get("/status").content.decode()
    assert "Проверьте сотрудников" in page
    assert all(name in page for name in ("Своя Тест", "Лишняя Тест"))

    for one, decision in ((kept, "confirm"), (dropped, "revoke")):
        wanted = {"user_id": one["id"], "role": "sales", "decision": decision}
        assert admin.post("/status/staff", wanted).status_code == 302

    assert "Проверьте сотрудников" not in admin.get("/status").content.decode()
    for one, status in ((kept, 302), (dropped, 403)):
        typed = {"email": one["email"], "password": PASSWORD}
        assert Client().post("/login", typed).status_code == status

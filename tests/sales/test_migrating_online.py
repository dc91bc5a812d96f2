"""Migrating while others write: indexes are built beside them, and nobody waits for a lock long."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections

from onai.db import schema_changes
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

ADOPTED = ("tripwire_users", "sales_activity_log")
# Locks in which a table takes no writes.
NO_WRITES = """
select count(*) as locks from pg_locks
where relation = any (array['tripwire_users', 'sales_activity_log']::regclass[]) and granted
  and mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""

FORGET = "delete from django_migrations where app = 'sales' and name = '0010_indexes'"


@pytest.fixture(scope="module")
def supabase() -> Iterator[str]:
    with supabase_of_variants() as services:
        yield services


@pytest.fixture
def production(supabase: str) -> Iterator[Production]:
    with fresh_copy(supabase) as production:
        production.as_owner(STUDENTS, LOG)
        yield production


Watch = Callable[[str], None]


def _migrate_watched(production: Production, watch: Watch) -> None:
    """Migrate; `watch` is told each statement before it is run."""

    def wrapper(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        watch(" ".join(str(sql).split()).lower())
        return execute(sql, params, many, context)

    with connections["tripwire"].execute_wrapper(wrapper):
        production.migrate()


def _builds_on_adopted(statement: str) -> bool:
    return bool(re.match(rf"create (unique )?index .*\bon \"?({'|'.join(ADOPTED)})\b", statement))


def test_every_index_is_built_while_others_write(production: Production) -> None:
    built = []

    def watch(statement: str) -> None:
        if not _builds_on_adopted(statement):
            return
        built.append(statement)
        assert " concurrently " in statement
        # Nor does the migration hold a lock meanwhile that it took for something else.
        assert production.desk.row(NO_WRITES)["locks"] == 0, statement

    _migrate_watched(production, watch)

    assert len(built) == 25
    assert production.desk.rows("select * from pg_index where not indisvalid") == []


def test_existing_indexes_are_not_rebuilt(production: Production) -> None:
    production.migrate("sales", "0010_indexes")
    production.as_owner(FORGET)
    built: list[str] = []

    _migrate_watched(production, lambda one: built.append(one) if _builds_on_adopted(one) else None)

    assert built == []


def test_an_interrupted_index_is_rebuilt(production: Production) -> None:
    production.migrate("sales", "0010_indexes")
    production.as_owner(FORGET)
    halves = ["tripwire_users_active", "tripwire_users_newest"]
    production.execute(
        f"update pg_index set indisvalid = false where indexrelid = any (array{halves}::regclass[])"
    )
    built: list[str] = []

    _migrate_watched(production, lambda one: built.append(one) if "create index" in one else None)

    assert sorted(re.findall(r"tripwire_users_(?:active|newest)", " ".join(built))) == halves
    assert production.desk.rows("select * from pg_index where not indisvalid") == []


def test_missing_indexes_are_built(production: Production) -> None:
    # As 0003 once left them, before 0005.
    production.as_owner(
        "create index tripwire_users_name on tripwire_users (lower(full_name), id)",
    )

    production.migrate()

    index = production.desk.row("select pg_get_indexdef('tripwire_users_name'::regclass) as sql")
    assert "INCLUDE (full_name, email, user_id)" in index["sql"]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_changes, "LOCK_TIMEOUT_MS", 20)
    monkeypatch.setattr(schema_changes, "_PAUSE_SECONDS", 0)


@pytest.mark.usefixtures("impatient")
def test_a_locked_table_stops_the_migration_which_can_run_again(production: Production) -> None:
    add = "alter table tripwire_users add column if not exists onai_test int"
    with psycopg.connect(url(SOCKET_DIR, DATABASE)) as writer, acting_as(roles.OWNER):
        writer.execute("lock table tripwire_users in row exclusive mode")
        with pytest.raises(OperationalError, match="lock timeout"):
            schema_changes.execute("tripwire", add)
        writer.rollback()

        schema_changes.execute("tripwire", add)

    assert (
        "onai_test"
        in production.desk.row(
            "select string_agg(attname, ' ') as names from pg_attribute"
            " where attrelid = 'tripwire_users'::regclass"
        )["names"]
    )


def test_a_migration_waits_two_seconds_for_its_lock(
    production: Production,
) -> None:
    waits: list[str] = []

    _migrate_watched(
        production,
        lambda one: waits.append(one) if one == "set local lock_timeout = '2s'" else None,
    )

    assert len(waits) == 3

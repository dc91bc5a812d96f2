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
    on_adopted = rf"create (unique )?index .*\bon \"?(public\.)?({'|'.join(ADOPTED)})\b"
    return bool(re.match(on_adopted, statement))


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

    assert sorted(re.findall(r'concurrently "?(\w+)', " ".join(built))) == [
        "sales_activity_log_newest",
        "sales_activity_log_target",
        "students_by_name",
        "students_search",
        "tripwire_users_active",
        "tripwire_users_email_lower",
        "tripwire_users_newest",
    ]
    assert production.desk.rows("select * from pg_index where not indisvalid") == []


def test_existing_indexes_are_not_rebuilt(production: Production) -> None:
    production.migrate("sales", "0010")
    production.as_owner(FORGET)
    built: list[str] = []

    _migrate_watched(production, lambda one: built.append(one) if _builds_on_adopted(one) else None)

    assert [one for one in built if "sales_activity_log" in one] == []


def test_an_interrupted_index_is_rebuilt(production: Production) -> None:
    production.migrate("sales", "0010")
    production.as_owner(FORGET)
    halves = ["sales_activity_log_newest", "sales_activity_log_target"]
    production.execute(
        f"update pg_index set indisvalid = false where indexrelid = any (array{halves}::regclass[])"
    )
    built: list[str] = []

    _migrate_watched(production, lambda one: built.append(one) if _builds_on_adopted(one) else None)

    assert sorted(re.findall(r"sales_activity_log_(?:newest|target)", " ".join(built))) == halves
    assert production.desk.rows("select * from pg_index where not indisvalid") == []


# What the cabinet had in the database once, as its migrations left it.
MACHINERY = (
    "create table sales_totals (id bigint primary key, day date)",
    "create table sales_totals_monthly (id bigint primary key, month date)",
    "create function sales_letter_groups(text) returns text language sql immutable as 'select $1'",
    "create function sales_search_terms(text, text, uuid, text, boolean) returns text[]"
    " language sql immutable as 'select array[$1]'",
    "create index tripwire_users_search on tripwire_users using gin"
    " (sales_search_terms(full_name, email, granted_by, status, welcome_email_sent))",
    "create index tripwire_users_manager_name on tripwire_users (granted_by, lower(full_name), id)",
    "create index students_unsent_name on tripwire_users (lower(full_name), id)"
    " where welcome_email_sent is null",
    "create index sales_activity_log_action on sales_activity_log (action_type, created_at desc)",
    *(
        f"create function sales_count_{event}() returns trigger language plpgsql as"
        " $$ begin insert into sales_totals values (1); return null; end $$"
        for event in ("insert", "update", "delete", "truncate")
    ),
    *(
        f"create trigger sales_count_{event} after {event} on tripwire_users"
        f" for each statement execute function sales_count_{event}()"
        for event in ("insert", "update", "delete", "truncate")
    ),
)
LEFT = r"""
select tgname::text as name from pg_trigger where tgname like 'sales\_count\_%%'
union all select proname::text from pg_proc
where proname like 'sales\_count\_%%' or proname in ('sales_search_terms', 'sales_letter_groups')
union all select relname::text from pg_class
where relname like 'sales\_totals%%' or relname like 'students\_unsent\_%%' or relname in
  ('tripwire_users_search', 'tripwire_users_manager_name', 'sales_activity_log_action')
"""
FORGET_COUNTING = FORGET.replace("0010_indexes", "0012_count_students")


def test_the_cabinets_former_machinery_is_removed_while_others_write(
    production: Production,
) -> None:
    production.migrate("sales", "0012")
    production.as_owner(FORGET_COUNTING, *MACHINERY)
    dropped: list[str] = []

    def watch(statement: str) -> None:
        if re.match("drop index .*(tripwire_users|students|activity)", statement):
            dropped.append(statement)
            assert " concurrently " in statement
            assert production.desk.row(NO_WRITES)["locks"] == 0, statement

    _migrate_watched(production, watch)

    assert dropped
    assert production.desk.rows(LEFT) == []
    indexes = production.desk.rows(
        "select indexrelid::regclass::text as name from pg_index"
        " where indrelid = 'tripwire_users'::regclass and indexrelid::regclass::text like '%%lower'"
    )
    assert [row["name"] for row in indexes] == ["tripwire_users_email_lower"]


def test_an_interrupted_removal_is_continued(production: Production) -> None:
    production.migrate("sales", "0012")
    # Half of it is gone already.
    production.as_owner(FORGET_COUNTING, *MACHINERY[:7])

    production.migrate()

    assert production.desk.rows(LEFT) == []


def test_a_student_can_be_written_while_the_triggers_go(
    production: Production, impatient: None
) -> None:
    production.migrate("sales", "0012")
    production.as_owner(FORGET_COUNTING, *MACHINERY)
    with psycopg.connect(url(SOCKET_DIR, DATABASE)) as writer:
        writer.execute("lock table tripwire_users in row exclusive mode")
        with pytest.raises(OperationalError, match="lock timeout"):
            production.migrate()
        writer.rollback()

    production.migrate()

    assert production.desk.rows(LEFT) == []


NO_EXTENSION = """
create function refuse() returns event_trigger language plpgsql as
$$ begin
  if current_query() like '%pg_trgm%' then raise insufficient_privilege; end if;
end $$;
create event trigger no_extensions on ddl_command_start when tag in ('CREATE EXTENSION')
execute function refuse()
"""
SLOWER = "Поиск студентов без индекса"


def test_without_trigrams_the_search_is_slower_and_the_check_says_so(
    production: Production,
) -> None:
    production.execute("drop extension if exists pg_trgm", NO_EXTENSION)
    production.migrate()

    _status, said = production.check()

    assert SLOWER in said
    assert "create extension if not exists pg_trgm;" in said
    production.execute("drop event trigger no_extensions", "create extension pg_trgm")
    production.migrate()
    index = production.desk.row(
        "select indisvalid from pg_index where indexrelid = 'students_search'::regclass"
    )
    assert index["indisvalid"]
    assert SLOWER not in production.check()[1]


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

    assert waits

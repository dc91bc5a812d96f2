"""Rows of the learning platform that a student needs, in tables that may not exist.

The platform updates a student's profile and never inserts it. Some states of production keep a
unique copy of each e-mail in `public.users`, which a trigger on `auth.users` fills. None of these
tables is ours. A row is written where the table, its columns and our rights exist; where it cannot
be written, the student is created all the same and the log says so.
"""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import OperationalError, connections, transaction
from psycopg import sql

from onai.db import postgres
from onai.db.visibility import Visibility, visibility
from onai.identity.models import StaffMember
from onai.identity.roles import STAFF, Role

logger = logging.getLogger(__name__)

_PROFILE, _PROGRESS, _USERS = "tripwire_user_profile", "tripwire_progress", "users"
# The column of each table that names the account.
_OWNER = {_PROFILE: "user_id", _PROGRESS: "tripwire_user_id", _USERS: "id"}
# The types of an account's id. A table with another type is not about accounts.
_KINDS = ("uuid", "text", "character varying")
_MODULES = 3
_FIRST_MODULE, _FIRST_LESSON = 16, 67
_STAFF = [role.value for role in STAFF]
# The columns of a table and their types.
Columns = Mapping[str, str]
Statement = tuple[str, Any]


def enrol(account_id: UUID, *, email: str, full_name: str) -> None:
    """Insert the rows that the platform only updates, unless a trigger has; in the caller's
    transaction.
    """
    there = _columns("insert")
    # First, because `tripwire_progress` may point to it.
    rows: dict[str, dict[str, Any]] = {
        _USERS: {"email": email, "full_name": full_name, "role": Role.STUDENT.value},
        _PROFILE: {
            "full_name": full_name,
            "modules_completed": 0,
            "total_modules": _MODULES,
            "certificate_issued": False,
        },
        _PROGRESS: {
            "module_id": _FIRST_MODULE,
            "lesson_id": _FIRST_LESSON,
            "is_completed": False,
        },
    }
    for table, values in rows.items():
        columns = there.get(table, {})
        if columns:
            known = {name: value for name, value in values.items() if name in columns}
            _attempt(_insert(table, columns, account_id, known), table)


def correct(account_id: UUID, *, email: str | None, full_name: str | None) -> None:
    """Keep name and e-mail current; None leaves a value as it is. In the caller's transaction."""
    there = _columns("update")
    wanted = {"email": email, "full_name": full_name}
    for table in (_USERS, _PROFILE):
        columns = there.get(table, {})
        new = {
            name: value for name, value in wanted.items() if value is not None and name in columns
        }
        if new:
            _attempt(_update(table, columns, account_id, new), table)


def forget(account_id: UUID) -> None:
    """Delete a deleted student's rows; a copy of an e-mail that must stay is emptied."""
    there = _columns("delete")
    for table in (_PROGRESS, _PROFILE, _USERS):
        columns = there.get(table, {})
        if not columns:
            continue
        removed = _attempt(_delete(table, columns, account_id), table)
        if removed is None and table == _USERS and "email" in columns:
            # Another row points to it; the address at least is free again.
            nobodys = {"email": f"{account_id}@deleted.invalid"}
            _attempt(_update(table, columns, account_id, nobodys), table)


def release(account_id: UUID) -> None:
    """Delete the rows that forbid deleting an account. Raises Django's database errors."""
    there = _columns("delete")
    with transaction.atomic(using="tripwire"), connections["tripwire"].cursor() as cursor:
        for table in (_PROGRESS, _PROFILE, _USERS):
            if table in there:
                cursor.execute(*_delete(table, there[table], account_id))


def free_address(email: str) -> bool:
    """Correct copies of an address that its account no longer has; whether there were any."""
    columns = _columns("update").get(_USERS, {})
    if columns.get("id") != "uuid" or "email" not in columns:
        return False
    if visibility("tripwire", "auth.users") is not Visibility.SEEN:
        return False  # Accounts that we do not see are not gone.
    about = {
        "email": email,
        "roles": _STAFF,
        "members": list(StaffMember.known.values_list("user_id", flat=True)),
    }
    corrected = _attempt((_CORRECT_COPIES, about), _USERS)
    removed = _attempt((_REMOVE_COPIES, about), _USERS)
    return bool(corrected or removed)


def has_copy(email: str) -> bool:
    """Whether `public.users` holds an address, for any account."""
    if "email" not in _columns("select").get(_USERS, {}):
        return False
    statement = "select 1 from public.users where lower(email) = lower(%s) limit 1"
    return bool(postgres.rows("tripwire", statement, [email]))


# Copies of accounts that have another address by now.
_CORRECT_COPIES = """
    update public.users copied set email = account.email from auth.users account
    where account.id = copied.id and lower(copied.email) = lower(%(email)s)
      and lower(account.email) <> lower(copied.email)
"""
# Copies of deleted accounts, but never a colleague's.
_REMOVE_COPIES = """
    delete from public.users copied
    where lower(copied.email) = lower(%(email)s)
      and coalesce(to_jsonb(copied) ->> 'role', '') <> all(%(roles)s)
      and copied.id <> all(%(members)s)
      and not exists (select from auth.users account where account.id = copied.id)
"""


def _columns(privilege: str) -> Mapping[str, Columns]:
    """The columns that exist in each of these tables, where we may read and write it."""
    found = postgres.rows(
        "tripwire",
        "select named.name, att.attname, format_type(att.atttypid, null)"
        " from unnest(%s::text[]) named(name)"
        " join pg_attribute att on att.attrelid = to_regclass('public.' || named.name)"
        " and att.attnum > 0 and not att.attisdropped and att.attgenerated = ''"
        " where has_schema_privilege('public', 'usage')"
        " and has_table_privilege(att.attrelid, 'select')"
        " and has_table_privilege(att.attrelid, %s)",
        [list(_OWNER), privilege],
    )
    there: dict[str, dict[str, str]] = {}
    for table, column, kind in found:
        there.setdefault(table, {})[column] = kind
    owners = {table: columns.get(_OWNER[table]) for table, columns in there.items()}
    return {table: there[table] for table, kind in owners.items() if kind in _KINDS}


def _insert(table: str, columns: Columns, account_id: UUID, values: Mapping[str, Any]) -> Statement:
    # Also where no unique key prevents a second row.
    statement = sql.SQL(
        "insert into public.{table} ({owner}, {names}) select %s::{kind}, {values}"
        " where not exists (select from public.{table} where {owner} = %s::{kind})"
        " on conflict do nothing"
    ).format(
        **_named(table, columns),
        names=sql.SQL(", ").join(map(sql.Identifier, values)),
        values=sql.SQL(", ").join(sql.Placeholder() * len(values)),
    )
    return statement.as_string(), [account_id, *values.values(), account_id]


def _update(table: str, columns: Columns, account_id: UUID, new: Mapping[str, Any]) -> Statement:
    statement = sql.SQL("update public.{table} set {new} where {owner} = %s::{kind}").format(
        **_named(table, columns),
        new=sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in new),
    )
    return statement.as_string(), [*new.values(), account_id]


def _delete(table: str, columns: Columns, account_id: UUID) -> Statement:
    statement = sql.SQL("delete from public.{table} where {owner} = %s::{kind}").format(
        **_named(table, columns)
    )
    if table == _USERS and "role" in columns:
        # Never a colleague's row.
        not_staff = sql.SQL(" and coalesce(role::text, '') <> all(%s)")
        return (statement + not_staff).as_string(), [account_id, _STAFF]
    return statement.as_string(), [account_id]


def _named(table: str, columns: Columns) -> dict[str, sql.Composable]:
    """The table, its column with the account, and that column's type."""
    kind = "uuid" if columns[_OWNER[table]] == "uuid" else "text"
    return {
        "table": sql.Identifier(table),
        "owner": sql.Identifier(_OWNER[table]),
        "kind": sql.Identifier(kind),
    }


def _attempt(statement: Statement, table: str) -> int | None:
    """The number of rows changed; None where the table refused."""
    try:
        with transaction.atomic(using="tripwire"), connections["tripwire"].cursor() as cursor:
            cursor.execute(*statement)
            return int(cursor.rowcount)
    except OperationalError:
        raise
    except DatabaseError as error:
        # Without its text, which holds the row.
        about = {"table": table, "error": type(error.__cause__).__name__}
        logger.error("platform_row_not_written", extra=about)
        return None

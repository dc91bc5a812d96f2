"""What forbids the deletion of an account: foreign keys of other tables, and rows that use them.

Supabase deletes an account in one statement. Where a key forbids it, it answers 500 and does not
name the key. Rows that are ours or the learning platform's may be deleted; rows of anybody else may
not.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from psycopg import sql

from onai.db import postgres
from onai.identity import accounts
from onai.identity.accounts import AccountRefused, OutcomeUnclear
from sales.models import ActivityEntry, Student
from sales.provisioning import platform_tables

_LOG = ("public.sales_activity_log", "target_user_id")
_OURS = (
    _LOG,
    ("public.tripwire_user_profile", "user_id"),
    ("public.tripwire_progress", "tripwire_user_id"),
    ("public.users", "id"),
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A column with a row that points to an account, or to a row that is deleted with it.

    `ours`: such rows may be released. `table` has its schema.
    """

    table: str
    column: str

    @property
    def ours(self) -> bool:
        """Whether such rows may be released."""
        return (self.table, self.column) in _OURS

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


def blocking(account_id: UUID) -> list[Reference]:
    """The references that forbid the deletion of an account. A table that we may not read counts as
    one.
    """
    student = Student.objects.filter(user_id=account_id).values_list("pk", flat=True).first()
    found = []
    for schema, table, column, kind, of_student, readable in postgres.rows("tripwire", _KEYS):
        # The targets of a key: the account, its row in `public.users`, or its student.
        target = student if of_student else account_id
        if target is None:
            continue
        used = sql.SQL("select exists (select from {}.{} where {} = %s::{})").format(
            *map(sql.Identifier, (schema, table, column, kind))
        )
        # As text, because cachalot inspects statements as text.
        if not readable or postgres.value("tripwire", used.as_string(), [target]):
            found.append(Reference(f"{schema}.{table}", column))
    return found


def delete_account(account_id: UUID) -> None:
    """Delete the account. Where only rows that may go forbid it, they are deleted first.

    Raises as `accounts.delete_account` does.
    """
    try:
        accounts.delete_account(account_id)
    except OutcomeUnclear as unclear:
        references = blocking(account_id) if unclear.error else []
        if not references or not all(reference.ours for reference in references):
            raise
        _release(account_id)
        try:
            accounts.delete_account(account_id)
        except AccountRefused as refused:
            raise OutcomeUnclear from refused  # The rows are released, so the deletion goes on.


def _release(account_id: UUID) -> None:
    """Release an account, so that it can be deleted: the log keeps its id among the details."""
    with transaction.atomic(using="tripwire"):
        entries = ActivityEntry.objects.filter(target_user_id=account_id)
        for entry in entries.select_for_update():
            details = entry.details if isinstance(entry.details, dict) else {}
            entry.details = {**details, "user_id": str(account_id)}
            entry.target_user_id = None
            entry.save(update_fields=["details", "target_user_id"])
        platform_tables.release(account_id)


def log_needs_accounts() -> bool:
    """Whether a log entry cannot name an account that is gone."""
    keys = postgres.rows(
        "tripwire",
        "select 1 from pg_constraint where contype = 'f'"
        " and conrelid = to_regclass('sales_activity_log')"
        " and confrelid = to_regclass('auth.users') and conkey = array[(select attnum"
        "   from pg_attribute where attrelid = conrelid and attname = 'target_user_id')]",
    )
    return bool(keys)


# Keys that forbid a deletion, or would set a column to null that must not be. Supabase's own rows
# in `auth` are deleted with the account.
_KEYS = """
    select space.nspname, of_table.relname, att.attname, kind.typname,
           con.confrelid = to_regclass('tripwire_users') and target.attname = 'id',
           has_schema_privilege(space.oid, 'usage') and has_table_privilege(con.conrelid, 'select')
    from pg_constraint con
    join pg_class of_table on of_table.oid = con.conrelid
    join pg_namespace space on space.oid = of_table.relnamespace
    join pg_attribute att on att.attrelid = con.conrelid and att.attnum = con.conkey[1]
    join pg_type kind on kind.oid = att.atttypid
    join pg_attribute target on target.attrelid = con.confrelid and target.attnum = con.confkey[1]
    where con.contype = 'f' and cardinality(con.conkey) = 1 and space.nspname <> 'auth'
      and (con.confdeltype in ('a', 'r') or (con.confdeltype = 'n' and att.attnotnull))
      and con.confrelid in (
          to_regclass('auth.users'), to_regclass('tripwire_users'), to_regclass('public.users'))
      and target.attname in ('id', 'user_id')
"""

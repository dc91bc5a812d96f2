"""Accounts that were made by SQL and that Supabase Auth cannot read.

Supabase answers 500 about an account that lacks values it always writes, and 404 about one of
another instance. Only SQL can repair them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import connections

from sales import supabase_users

# The value of each column where Supabase has nothing to store.
NOTHING = {
    "aud": "'authenticated'",
    "confirmation_token": "''",
    "created_at": "now()",
    "email_change": "''",
    "email_change_confirm_status": "0",
    "email_change_token_current": "''",
    "email_change_token_new": "''",
    "instance_id": f"'{UUID(int=0)}'",
    "phone_change": "''",
    "phone_change_token": "''",
    "reauthentication_token": "''",
    "recovery_token": "''",
    "role": "'authenticated'",
    "updated_at": "now()",
}
_OF_IDENTITIES = ("created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An account, and the columns because of which Supabase Auth cannot read it."""

    id: UUID
    email: str
    columns: tuple[str, ...]
    of_identities: bool

    def __str__(self) -> str:
        names = [*self.columns, *(["auth.identities"] if self.of_identities else [])]
        return ", ".join(names)

    @property
    def mending(self) -> Iterator[str]:
        """The SQL that makes it readable."""
        if self.columns:
            values = ", ".join(f"{name} = {NOTHING[name]}" for name in self.columns)
            yield f"update auth.users set {values} where id = '{self.id}'"  # noqa: S608
        if self.of_identities:
            values = ", ".join(f"{name} = coalesce({name}, now())" for name in _OF_IDENTITIES)
            yield f"update auth.identities set {values} where user_id = '{self.id}'"  # noqa: S608


def find_unreadable() -> list[Unreadable]:
    """Every such account that our role of the database sees."""
    return _unreadable(None)


def unreadable(account_id: UUID) -> Unreadable | None:
    """What is wrong with an account; None where nothing is, or where we do not see it."""
    return next(iter(_unreadable(account_id)), None)


def _unreadable(account_id: UUID | None) -> list[Unreadable]:
    identities = (
        "exists (select from auth.identities identity where identity.user_id = account.id"
        " and (identity.created_at is null or identity.updated_at is null))"
        if supabase_users.may_read_identities()
        else "false"
    )
    other_instance = "key = 'instance_id' and value <> to_jsonb(%(nil)s::uuid)"
    with connections["tripwire"].cursor() as cursor:
        cursor.execute(
            "select account.id, coalesce(account.email, ''), missing.columns, missing.identities"  # noqa: S608
            " from auth.users account cross join lateral (select"
            "   array(select key from jsonb_each(to_jsonb(account)) where key = any(%(needed)s)"
            f"     and (value = 'null' or ({other_instance}))"
            f"    order by key) as columns, {identities} as identities) missing"
            " where (%(id)s::uuid is null or account.id = %(id)s)"
            " and (missing.columns <> '{}' or missing.identities)"
            " order by account.email, account.id",
            {"needed": list(NOTHING), "nil": UUID(int=0), "id": account_id},
        )
        return [
            Unreadable(found_id, email, tuple(columns), of_identities)
            for found_id, email, columns, of_identities in cursor.fetchall()
        ]

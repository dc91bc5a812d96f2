"""Reads Supabase's own table of accounts, where its API cannot answer.

The API finds an account by its id only; here accounts are found by e-mail and role, in one
statement for any number of accounts. The API cannot end the sessions of an account either: that is
the only write here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg.errors
from django.db import ProgrammingError, connections, transaction

from onai.db import postgres
from onai.identity.roles import STAFF, Confirmation, Identity, Metadata, role_of
from onai.identity.staff.standing import ABOUT_ACCOUNT, ABOUT_CONFIRMATION
from sales.models import Student, StudentStatus

_SELECT = f"""
select account.id, account.email, {ABOUT_ACCOUNT},
  account.role = 'authenticated' and not account.is_anonymous and account.deleted_at is null,
  {ABOUT_CONFIRMATION}
from auth.users account left join sales_staff staff on staff.user_id = account.id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class AddressHolder:
    """The account that holds an e-mail address, by Supabase's rules.

    `by_identity`: the address is one of its other ways to sign in, and its own e-mail differs.
    """

    account: Identity
    by_identity: bool
    is_deleted: bool


def holder_of(email: str, *, besides: UUID | None = None) -> AddressHolder | None:
    """The account that holds an address at Supabase, in any case; `besides` this account."""
    statements = [_BY_EMAIL, _BY_IDENTITY] if may_read_identities() else [_BY_EMAIL]
    for statement in statements:
        for user_id, is_deleted in postgres.rows("tripwire", statement, [email, besides]):
            if account := account_with(user_id):
                own = account.email.lower() in ("", email.lower())
                return AddressHolder(account, by_identity=not own, is_deleted=is_deleted)
    return None


_BY_EMAIL = """
select id, deleted_at is not null from auth.users
where lower(email) = lower(%s) and not is_sso_user and id is distinct from %s
order by id limit 1
"""
# A company's single sign-on does not hold an address.
_BY_IDENTITY = """
select account.id, account.deleted_at is not null
from auth.identities identity join auth.users account on account.id = identity.user_id
where identity.email = lower(%s) and identity.provider not like 'sso:%%'
  and account.id is distinct from %s
order by account.id limit 1
"""


def may_read_identities() -> bool:
    """Whether our role of the database may read how accounts sign in."""
    statement = "select has_table_privilege(to_regclass('auth.identities'), 'select')"
    return bool(postgres.value("tripwire", statement))


def account_with(account_id: UUID) -> Identity | None:
    """The account with this id."""
    found = _accounts(
        f"{_SELECT} where account.id = %s",
        [account_id],
    )
    return next(found, None)


def last_sign_in_at(account_id: UUID) -> datetime | None:
    """When the account last signed in, here or on the platform; None if it never has."""
    statement = "select last_sign_in_at from auth.users where id = %s"
    moment: datetime | None = postgres.value("tripwire", statement, [account_id])
    return moment


def is_banned(account_id: UUID) -> bool:
    """Whether the account cannot sign in at this moment."""
    statement = "select 1 from auth.users where id = %s and banned_until > now()"
    return bool(postgres.rows("tripwire", statement, [account_id]))


def ban_fits(student: Student) -> bool:
    """Whether the student's account is banned exactly if the student is blocked."""
    return is_banned(student.user_id) == (student.status == StudentStatus.BLOCKED)


def end_sessions(account_id: UUID) -> bool:
    """End an account's sessions, in the caller's transaction; False where our role may not."""
    try:
        with transaction.atomic(using="tripwire"), connections["tripwire"].cursor() as cursor:
            cursor.execute("delete from auth.sessions where user_id = %s", [account_id])
    except ProgrammingError as error:
        if isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
            return False
        raise
    return True


def may_end_sessions() -> bool:
    """Whether our role of the database may end sessions."""
    return bool(
        postgres.value(
            "tripwire",
            "select has_schema_privilege('auth', 'usage')"
            " and has_table_privilege('auth.sessions', 'select')"
            " and has_table_privilege('auth.sessions', 'delete')",
        )
    )


def accounts_without_student() -> list[Identity]:
    """Accounts that are neither staff's nor a student's; the predecessor left some."""
    found = _accounts(
        f"{_SELECT} where account.email is not null and not exists"  # noqa: S608
        " (select from tripwire_users student where student.user_id = account.id)"
        " and not exists (select from sales_requests request where request.kind = 'creation'"
        "   and request.account_id = account.id and request.state = 'open')"
        " order by account.email",
        [],
    )
    return [account for account in found if account.role not in STAFF]


def students_under_another_email() -> list[tuple[str, str]]:
    """Pairs of a student's e-mail here and their account's, where the two differ."""
    rows = postgres.rows(
        "tripwire",
        "select student.email, coalesce(account.email, '') from tripwire_users student"
        " join auth.users account on account.id = student.user_id"
        " where lower(student.email) is distinct from lower(account.email)"
        " order by student.email",
    )
    return [(email, other) for email, other in rows]


def students_sharing_an_account() -> list[tuple[UUID, list[str]]]:
    """Accounts with more than one student, with the students' e-mails."""
    rows = postgres.rows(
        "tripwire",
        "select user_id, array_agg(email order by email) from tripwire_users"
        " group by user_id having count(*) > 1 order by user_id",
    )
    return [(user_id, emails) for user_id, emails in rows]


def _accounts(statement: str, parameters: Sequence[Any]) -> Iterator[Identity]:
    for row in postgres.rows("tripwire", statement, parameters):
        account_id, email, full_name, claimed, pinned, is_ordinary, *confirmed = row
        yield Identity(
            user_id=account_id,
            email=email or "",
            full_name=full_name,
            role=role_of(
                Metadata(claimed, pinned),
                Confirmation(*confirmed),
                is_ordinary=bool(is_ordinary),
            ),
        )

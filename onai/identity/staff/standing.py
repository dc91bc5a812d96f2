"""What an account is at this moment, whatever its access token says: read from Tripwire by key.

A token is valid for an hour. Within it the account may be deleted, banned, demoted or signed out,
and then the token is worth nothing.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import django.db
import psycopg.errors
from django.core.cache.backends.locmem import LocMemCache
from django.utils.translation import gettext_lazy as _

from onai.db import deadline, postgres
from onai.db.visibility import Visibility, visibility
from onai.identity.roles import Confirmation, Identity, Metadata, is_more, role_of, staff_role
from onai.web.problems import DatabaseUnavailable, Problem

logger = logging.getLogger(__name__)

# How long a page that only reads may use an earlier answer.
REMEMBERED_SECONDS = 15
_REMEMBERED_AT_MOST = 2_000
# The share of a request's time for finding out who asks.
_PATIENCE_SECONDS = 5.0

# An account's name and the two words for its role. Users write their metadata, so the database
# extracts these: Python's JSON fails on deep nesting.
_ROLE_WORD = """
  case jsonb_typeof(account.{column} -> 'role')
    when 'string' then account.{column} ->> 'role'
    when 'null' then ''
    else case when account.{column} -> 'role' is null then '' else '?' end
  end
"""
ABOUT_ACCOUNT = f"""
  left(coalesce(account.raw_user_meta_data ->> 'full_name', ''), 200),
  {_ROLE_WORD.format(column="raw_user_meta_data")},
  {_ROLE_WORD.format(column="raw_app_meta_data")}
"""
# What the register says of it, as the fields of a `Confirmation`.
ABOUT_CONFIRMATION = """
  coalesce(staff.confirmed_role, ''), coalesce(staff.confirmed_beside, ''),
  coalesce(staff.revoked, false)
"""

# All by primary key, except the student's row, which `tripwire_users_user_id` finds.
_STATEMENT = f"""
select account.id is not null and account.deleted_at is null as is_there,
       coalesce(account.banned_until > now(), false) as is_banned,
       session.id is not null and coalesce(session.not_after > now(), true) as is_signed_in,
       account.role = 'authenticated' and not account.is_anonymous as is_ordinary,
       exists (select from tripwire_users where user_id = asked.user_id) as is_student,
       coalesce(account.email, '') as email,
       {ABOUT_ACCOUNT}, {ABOUT_CONFIRMATION}
from (values (%s::uuid, %s::uuid)) as asked (user_id, session_id)
left join auth.users account on account.id = asked.user_id
left join auth.sessions session
  on session.id = asked.session_id and session.user_id = asked.user_id
left join sales_staff staff on staff.user_id = asked.user_id
"""  # noqa: S608


class Ended(StrEnum):
    """Why a session is no longer valid."""

    DELETED = "deleted"
    BANNED = "banned"
    SIGNED_OUT = "signed_out"
    REVOKED = "revoked"
    DEMOTED = "demoted"


class AccessEnded(Exception):
    """The token was valid once; its account, its session or its role is gone."""

    def __init__(self, why: Ended) -> None:
        super().__init__(why.value)
        self.why = why


class AccountsHidden(Problem):
    """Our role of the database may not see accounts, so nobody can be called present or gone."""

    status = 503
    code = "accounts_hidden"
    message = _("База Tripwire не показывает сайту учётные записи, проверить доступ нельзя.")
    advice = _(
        "Скажите администратору сервера: python manage.py check_database покажет, какое право дать."
    )
    retry_after_seconds = 30


@dataclass(frozen=True, slots=True)
class _Standing:
    """One account and session as Tripwire has them."""

    is_there: bool
    is_banned: bool
    is_signed_in: bool
    is_ordinary: bool
    is_student: bool
    email: str
    full_name: str
    metadata: Metadata
    confirmation: Confirmation


# Of this process alone and by `time.time`, whatever cache the processes share.
_remembered = LocMemCache(
    "standing", {"timeout": REMEMBERED_SECONDS, "max_entries": _REMEMBERED_AT_MOST}
)


def identify(claims: Mapping[str, Any], *, may_remember: bool = False) -> Identity:
    """The person behind a verified token's claims, as they are now.

    `may_remember`: an answer up to 15 s old will do. Raises ValueError for claims without a proper
    `sub`, `AccessEnded`, or a `Problem` when nobody can say.
    """
    user_id = UUID(str(claims["sub"]))
    token_metadata = Metadata.read(claims.get("user_metadata"), claims.get("app_metadata"))
    try:
        found = _standing(user_id, _session_id(claims), may_remember=may_remember)
    except Problem:
        if _might_be_staff(token_metadata):
            raise
        # A student's page shows nothing from our database, and works without it.
        return Identity(
            user_id,
            str(claims.get("email") or ""),
            _full_name(claims.get("user_metadata")),
            role_of(token_metadata),
        )
    is_ordinary = (
        found.is_ordinary
        and claims.get("role") == "authenticated"
        and not claims.get("is_anonymous")
    )
    role = role_of(
        found.metadata, found.confirmation, is_student=found.is_student, is_ordinary=is_ordinary
    )
    if (why := _ended(found)) is not None:
        raise AccessEnded(why)
    if not found.is_student and is_ordinary:
        if found.confirmation.revoked:
            raise AccessEnded(Ended.REVOKED)
        if is_more(staff_role(token_metadata, found.confirmation), role):
            raise AccessEnded(Ended.DEMOTED)
    return Identity(user_id, found.email, found.full_name, role)


def _ended(found: _Standing) -> Ended | None:
    if not found.is_there:
        return Ended.DELETED
    if found.is_banned:
        return Ended.BANNED
    return None if found.is_signed_in else Ended.SIGNED_OUT


def _might_be_staff(metadata: Metadata) -> bool:
    return role_of(metadata) != "student" or metadata.claimed not in ("", "student")


def _session_id(claims: Mapping[str, Any]) -> UUID | None:
    try:
        return UUID(str(claims.get("session_id")))
    except ValueError:
        return None


def _standing(user_id: UUID, session_id: UUID | None, *, may_remember: bool) -> _Standing:
    key = f"{user_id}:{session_id}"
    if may_remember and (known := _remembered.get(key)) is not None:
        remembered: _Standing = known
        return remembered
    try:
        with deadline.within(_PATIENCE_SECONDS):
            found = _ask(user_id, session_id)
    except django.db.ProgrammingError as error:
        if isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
            raise AccountsHidden from error
        logger.exception("standing_not_asked")  # not migrated, for one
        raise DatabaseUnavailable from error
    except (django.db.OperationalError, django.db.InterfaceError) as error:
        raise DatabaseUnavailable from error
    _remembered.set(key, found)
    return found


def _ask(user_id: UUID, session_id: UUID | None) -> _Standing:
    (row,) = postgres.rows("tripwire", _STATEMENT, [user_id, session_id])
    *is_so, email, full_name, claimed, pinned, role, beside, revoked = row
    is_there, is_banned, is_signed_in, is_ordinary, is_student = map(bool, is_so)
    if not (is_there and is_signed_in) and not all(
        visibility("tripwire", table) is Visibility.SEEN
        for table in ("auth.users", "auth.sessions")
    ):
        raise AccountsHidden  # what we are not shown need not be gone
    return _Standing(
        is_there=is_there,
        is_banned=is_banned,
        is_signed_in=is_signed_in,
        is_ordinary=is_ordinary,
        is_student=is_student,
        email=email,
        full_name=full_name,
        metadata=Metadata(claimed, pinned),
        confirmation=Confirmation(role, beside, revoked),
    )


def _full_name(user_metadata: object) -> str:
    named = user_metadata.get("full_name") if isinstance(user_metadata, Mapping) else None
    return str(named or "")

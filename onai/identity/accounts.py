"""Opening and changing accounts at Supabase Auth, so that the caller knows what took effect.

Each act either returns (it took effect), raises `AccountRefused` (it certainly did not) or
`OutcomeUnclear` (nobody knows yet; ask `find`).
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import httpx
from django.views.decorators.debug import sensitive_variables
from pydantic import ValidationError
from supabase_auth.errors import AuthError, AuthWeakPasswordError
from supabase_auth.types import AdminUserAttributes

from onai.identity import supabase
from onai.identity.roles import Metadata, Role, role_of


class Refusal(StrEnum):
    """Why Supabase refused."""

    EMAIL_EXISTS = "email_exists"
    WEAK_PASSWORD = "weak_password"  # noqa: S105
    INVALID = "invalid"
    GONE = "gone"
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    NOT_PERMITTED = "not_permitted"


class AccountRefused(Exception):
    """Nothing was changed."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.value)
        self.why = why


class OutcomeUnclear(Exception):
    """The request may have taken effect. With `over` it will not any more, if it has not yet."""

    def __init__(self, *, over: bool = False) -> None:
        super().__init__("over" if over else "perhaps under way")
        self.over = over


@dataclass(frozen=True, slots=True)
class Account:
    """An account at Supabase Auth. `role` is None for one that has no role here."""

    id: UUID
    email: str
    full_name: str
    role: Role | None

    @property
    def name(self) -> str:
        """What to call the person: their full name, or their e-mail where they have none."""
        return self.full_name or self.email


_REFUSALS = {
    "email_exists": Refusal.EMAIL_EXISTS,
    "user_already_exists": Refusal.EMAIL_EXISTS,
    "weak_password": Refusal.WEAK_PASSWORD,
    "validation_failed": Refusal.INVALID,
    "email_address_invalid": Refusal.INVALID,
    "user_not_found": Refusal.GONE,
}
# A hundred years; Supabase knows no ban without an end.
_FOR_GOOD = "876000h"
_NEVER_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@sensitive_variables("password")
def open_student_account(account_id: UUID, *, email: str, full_name: str, password: str) -> None:
    """Create a confirmed account with this id, in the role of a student."""
    attributes = _student(email, full_name, password)
    attributes["id"] = str(account_id)
    try:
        opened = supabase.administration().create_user(attributes).user
    except (AuthError, ValidationError) as error:
        raise _failure(error) from error
    if opened.id != str(account_id):
        # A server so old that it chooses the id itself; with such an account nothing can be done.
        delete_account(UUID(opened.id))
        raise AccountRefused(Refusal.NOT_PERMITTED)


@sensitive_variables("password")
def make_student_account(account_id: UUID, *, email: str, full_name: str, password: str) -> None:
    """Turn an account that exists into a student's, with a new password and no ban."""
    attributes = _student(email, full_name, password)
    attributes["ban_duration"] = "none"
    try:
        supabase.administration().update_user_by_id(str(account_id), attributes)
    except (AuthError, ValidationError) as error:
        raise _failure(error) from error


@sensitive_variables("password", "attributes")
def change_account(
    account_id: UUID,
    *,
    email: str | None = None,
    full_name: str | None = None,
    password: str | None = None,
    banned: bool | None = None,
) -> None:
    """Change of an account what is given. Repeated, it changes nothing more.

    An account with a ban cannot sign in, nor renew a session; a new password ends all sessions.
    """
    attributes: AdminUserAttributes = {}
    if email is not None:
        attributes["email"] = email
        attributes["email_confirm"] = True
    if full_name is not None:
        attributes["user_metadata"] = {"full_name": full_name}
    if password is not None:
        attributes["password"] = password
    if banned is not None:
        attributes["ban_duration"] = _FOR_GOOD if banned else "none"
    try:
        supabase.administration().update_user_by_id(str(account_id), attributes)
    except (AuthError, ValidationError) as error:
        raise _failure(error) from error


def delete_account(account_id: UUID) -> None:
    """Delete an account, and see that it is gone. It is no failure if there was none any more."""
    try:
        supabase.administration().delete_user(str(account_id))
    except (AuthError, ValidationError) as error:
        failure = _failure(error)
        if not (isinstance(failure, AccountRefused) and failure.why is Refusal.GONE):
            raise failure from error
        return
    if find(account_id) is not None:
        raise OutcomeUnclear  # Something on the way said yes to it, and not Supabase.


def find(account_id: UUID) -> Account | None:
    """The account with this id. Raises `OutcomeUnclear` when Supabase cannot say."""
    try:
        user = supabase.administration().get_user_by_id(str(account_id)).user
    except (AuthError, ValidationError) as error:
        failure = _failure(error)
        if isinstance(failure, AccountRefused) and failure.why is Refusal.GONE:
            return None
        raise OutcomeUnclear from error
    return Account(
        id=account_id,
        email=user.email or "",
        full_name=str(user.user_metadata.get("full_name") or ""),
        role=role_of(Metadata.read(user.user_metadata, user.app_metadata)),
    )


def _student(email: str, full_name: str, password: str) -> AdminUserAttributes:
    return {
        "email": email,
        "password": password,
        "email_confirm": True,
        "user_metadata": {"full_name": full_name, "role": Role.STUDENT.value},
        "app_metadata": {"role": Role.STUDENT.value},
    }


def _failure(error: Exception) -> AccountRefused | OutcomeUnclear:
    status = supabase.status_of(error)
    if isinstance(error.__cause__, _NEVER_ARRIVED):
        return AccountRefused(Refusal.UNREACHABLE)
    if status == 429:
        return AccountRefused(Refusal.RATE_LIMITED)
    if isinstance(error, AuthWeakPasswordError):
        return AccountRefused(Refusal.WEAK_PASSWORD)
    if status is not None and 400 <= status < 500:
        code = supabase.code_of(error)
        # Without a code of Supabase's it is some gateway's, which may have passed the request on.
        if code or status in (401, 403):
            return AccountRefused(_REFUSALS.get(code or "", Refusal.NOT_PERMITTED))
    # Supabase's own 500 ends a request; a gateway's 502 or 504 may leave one running behind it.
    return OutcomeUnclear(over=status == 500)

"""Opens and changes accounts at Supabase Auth, so that the caller knows what took effect.

Each act returns (it took effect), raises `AccountRefused` (it certainly did not) or
`OutcomeUnclear` (nobody knows yet; ask `find`). The answers are read here and not by the official
client, which reports a success as a failure where it does not know the account's shape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.debug import sensitive_variables
from supabase_auth.constants import API_VERSION_HEADER_NAME, API_VERSIONS_2024_01_01_NAME

from onai.identity import passwords, supabase
from onai.identity.roles import Identity, Metadata, Role, role_of


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
    """Nothing was changed. `reasons` are Supabase's words for what a weak password lacks."""

    def __init__(self, why: Refusal, *, reasons: Sequence[str] = ()) -> None:
        super().__init__(why.value)
        self.why = why
        self.reasons = tuple(reasons)


class OutcomeUnclear(Exception):
    """The outcome is unknown. `over`: the request has finished, so it cannot take effect later.

    `error` is Supabase's own message (500 with its body), else empty. Supabase answers so to
    refusals such as a taken address or a foreign key, and repeats it.
    """

    def __init__(self, *, over: bool = False, error: str = "") -> None:
        super().__init__("over" if over else "perhaps under way")
        self.over = over
        self.error = error


@dataclass(frozen=True, slots=True)
class PasswordLink:
    """The token of a link to a new password, and whose it is. `email` is as Supabase keeps it."""

    account_id: UUID
    email: str
    token: str = field(repr=False)
    is_banned: bool


_REFUSALS = {
    "email_exists": Refusal.EMAIL_EXISTS,
    "user_already_exists": Refusal.EMAIL_EXISTS,
    "weak_password": Refusal.WEAK_PASSWORD,
    "validation_failed": Refusal.INVALID,
    "email_address_invalid": Refusal.INVALID,
    "user_not_found": Refusal.GONE,
}
# A hundred years: Supabase has no ban without an end.
_FOR_GOOD = "876000h"
_NEVER_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_OWN_ERROR = "unexpected_failure"
_LONGEST_ERROR = 200
Attributes = dict[str, Any]


@sensitive_variables("password", "attributes")
def open_student_account(account_id: UUID, *, email: str, full_name: str, password: str) -> None:
    """Create a confirmed account with this id, in the role of a student.

    Supabase checks a password's strength only when one is changed, so not here.
    """
    attributes = _student(email, full_name, password) | {"id": str(account_id)}
    opened = _id_of(_call("POST", "admin/users", attributes))
    if opened != account_id:
        # An old server chose the id itself; such an account is of no use.
        delete_account(opened)
        raise AccountRefused(Refusal.NOT_PERMITTED)


@sensitive_variables("password", "attributes")
def make_student_account(account_id: UUID, *, email: str, full_name: str, password: str) -> None:
    """Turn an existing account into a student's, with a new password and no ban."""
    attributes = _student(email, full_name, password) | {"ban_duration": "none"}
    _change(account_id, attributes)


@sensitive_variables("password", "attributes")
def change_account(
    account_id: UUID,
    *,
    email: str | None = None,
    full_name: str | None = None,
    password: str | None = None,
    banned: bool | None = None,
) -> None:
    """Change an existing account; None leaves a value as it is."""
    attributes: Attributes = {}
    if email is not None:
        attributes |= {"email": email, "email_confirm": True}
    if full_name is not None:
        attributes["user_metadata"] = {"full_name": full_name}
    if password is not None:
        attributes["password"] = password
    if banned is not None:
        attributes["ban_duration"] = _FOR_GOOD if banned else "none"
    _change(account_id, attributes)


def delete_account(account_id: UUID) -> None:
    """Delete an account, and check that it is gone. A missing account is not an error."""
    try:
        _call("DELETE", f"admin/users/{account_id}", {"should_soft_delete": False})
    except AccountRefused as refused:
        if refused.why is not Refusal.GONE:
            raise
        return
    if find(account_id) is not None:
        raise OutcomeUnclear  # A gateway agreed, and not Supabase.


def find(account_id: UUID) -> Identity | None:
    """The account with this id. Raises `OutcomeUnclear` when Supabase cannot say."""
    try:
        user = _call("GET", f"admin/users/{account_id}")
    except AccountRefused as refused:
        if refused.why is Refusal.GONE:
            return None
        raise OutcomeUnclear from refused
    _id_of(user)
    about = _mapping(user.get("user_metadata"))
    return Identity(
        user_id=account_id,
        email=str(user.get("email") or ""),
        full_name=str(about.get("full_name") or ""),
        role=role_of(Metadata.read(about, _mapping(user.get("app_metadata")))),
    )


def password_link(email: str) -> PasswordLink | None:
    """A token with which the holder of an address can set a password; None where it has no account.

    It replaces every earlier one of the account, and sends nothing. Raises `AccountRefused` or
    `OutcomeUnclear` when Supabase did not answer.
    """
    try:
        user = _call("POST", "admin/generate_link", {"type": "recovery", "email": email})
    except AccountRefused as refused:
        if refused.why in (Refusal.GONE, Refusal.INVALID):
            return None
        raise
    if user.get("deleted_at") is not None:
        return None
    banned_until = parse_datetime(str(user.get("banned_until") or ""))
    return PasswordLink(
        account_id=_id_of(user),
        email=str(user.get("email") or ""),
        token=str(user.get("hashed_token") or ""),
        is_banned=banned_until is not None and banned_until > timezone.now(),
    )


def _student(email: str, full_name: str, password: str) -> Attributes:
    return {
        "email": email,
        "password": password,
        "email_confirm": True,
        "user_metadata": {"full_name": full_name, "role": Role.STUDENT.value},
        "app_metadata": {"role": Role.STUDENT.value},
    }


@sensitive_variables("attributes")
def _change(account_id: UUID, attributes: Attributes) -> None:
    if _id_of(_call("PUT", f"admin/users/{account_id}", attributes)) != account_id:
        raise OutcomeUnclear


@sensitive_variables("body")
def _call(method: str, path: str, body: Attributes | None = None) -> Mapping[str, Any]:
    """The object in an answer of the administration of accounts."""
    key = settings.SUPABASE_SERVICE_ROLE_KEY
    headers = {
        "apikey": key,
        "Authorization": f"Bearer {key}",
        API_VERSION_HEADER_NAME: API_VERSIONS_2024_01_01_NAME,
    }
    url = f"{settings.SUPABASE_AUTH_URL}/{path}"
    try:
        answer = supabase.connections().request(method, url, headers=headers, json=body)
    except _NEVER_ARRIVED as error:
        raise AccountRefused(Refusal.UNREACHABLE) from error
    except httpx.HTTPError as error:
        raise OutcomeUnclear from error
    if not answer.is_success:
        raise _failure(answer)
    return _json(answer)


def _id_of(account: Mapping[str, Any]) -> UUID:
    """The id of an account, which tells an answer of Supabase's from any other 200."""
    try:
        return UUID(str(account.get("id") or ""))
    except ValueError as error:
        raise OutcomeUnclear from error


def _failure(answer: httpx.Response) -> AccountRefused | OutcomeUnclear:
    body, status = _json(answer), answer.status_code
    code = _code_in(body, newer=API_VERSION_HEADER_NAME in answer.headers)
    if status == 429:
        return AccountRefused(Refusal.RATE_LIMITED)
    reasons = _mapping(body.get("weak_password")).get("reasons")
    if 400 <= status < 500:
        # Servers without error codes give the reasons only.
        if code == "weak_password" or (not code and reasons):
            named = reasons if isinstance(reasons, list) else []
            passwords.learn_rules(body)
            return AccountRefused(
                Refusal.WEAK_PASSWORD, reasons=[one for one in named if isinstance(one, str)]
            )
        # Without a code of Supabase's it is a gateway's answer, which may have passed the request
        # on.
        if code or status in (401, 403):
            return AccountRefused(_REFUSALS.get(code, Refusal.NOT_PERMITTED))
    # Supabase's own 500 ends a request; a gateway's 502 or 504 may leave one running behind it.
    return OutcomeUnclear(over=status == 500, error=_own_error(body) if status == 500 else "")


def _code_in(body: Mapping[str, Any], *, newer: bool) -> str:
    """Supabase's word for a failure, in either of its two shapes."""
    code = body.get("code") if newer else None
    code = code if isinstance(code, str) else body.get("error_code")
    return code if isinstance(code, str) else ""


def _own_error(body: Mapping[str, Any]) -> str:
    """Supabase's message of an error of its own; empty where the body is not Supabase's."""
    text = body.get("message") if body.get("code") == _OWN_ERROR else body.get("msg")
    is_own = _OWN_ERROR in (body.get("code"), body.get("error_code")) or (
        body.get("code") == 500 and isinstance(text, str)
    )
    return str(text or _OWN_ERROR)[:_LONGEST_ERROR] if is_own else ""


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return _mapping(body)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

"""One-time links and codes, each of which signs in once without a password.

An account has one of each kind at a time. As in Supabase, its hash is stored with the account. A
code is six digits; a link carries the hash of the address and the code.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from onai.local.auth import accounts, sign_up, wire
from onai.local.auth.models import User
from onai.local.auth.project import project
from onai.local.auth.wire import Refusal

# The columns of a token's hash and of when it was sent.
_CONFIRMATION = ("confirmation_token", "confirmation_sent_at")
_RECOVERY = ("recovery_token", "recovery_sent_at")
_CHANGE = (
    ("email_change_token_current", "email_change_sent_at"),
    ("email_change_token_new", "email_change_sent_at"),
)
_COLUMNS = {
    "signup": (_CONFIRMATION,),
    "invite": (_CONFIRMATION,),
    "recovery": (_RECOVERY,),
    "magiclink": (_RECOVERY,),
    "email": (_CONFIRMATION, _RECOVERY),
    "email_change": _CHANGE,
}
_EMAIL_EXISTS = "A user with this email address has already been registered"


def generate(body: dict[str, Any]) -> dict[str, Any]:
    """`POST /admin/generate_link`. Sends nothing."""
    email, kind = accounts.required_email(body), body.get("type") or ""
    redirect_to = project.redirect_target(body.get("redirect_to") or "")
    account = accounts.by_email(email)
    if account is None and kind == "magiclink":
        kind, body = "signup", {**body, "password": secrets.token_urlsafe(32)}
    if kind in ("signup", "invite"):
        account = _account_to_confirm(account, email, kind, body)
    elif kind not in ("recovery", "magiclink", "email_change_current", "email_change_new"):
        raise Refusal(400, "validation_failed", f"Invalid email action link type requested: {kind}")
    elif account is None:
        raise Refusal(404, "user_not_found", "User with this email not found")
    if kind.startswith("email_change"):
        new_email = accounts.required_email({"email": body.get("new_email")})
        accounts.refuse_duplicate(new_email, besides=account)
        account.email_change = new_email
    code = _new_code()
    columns = _CHANGE[kind == "email_change_new"] if "change" in kind else _COLUMNS[kind][0]
    link_hash = _issue(account, columns, code)
    account.save()
    action = "email_change" if "change" in kind else kind
    return {
        **wire.user(account),
        "action_link": f"{settings.SUPABASE_AUTH_URL}/verify?token={link_hash}&type={action}"
        f"&redirect_to={quote(redirect_to, safe=':/')}",
        "email_otp": code,
        "hashed_token": _hash(email, code),
        "verification_type": kind,
        "redirect_to": redirect_to,
    }


def send(account: User, kind: str) -> None:
    """Issue a token for a letter of Supabase's own, within the rate limit."""
    columns = _COLUMNS[kind][0]
    _require_gap(getattr(account, columns[1]))
    _issue(account, columns, _new_code())
    account.save()


def ask_to_change_address(account: User, new_email: str) -> None:
    """The part of `PUT /user` about a new address, which takes effect once it is confirmed."""
    if account.is_anonymous and project.autoconfirm:
        account.email_change = new_email
        _change_address(account)
    else:
        _require_gap(account.email_change_sent_at)
        account.email_change = new_email
        for columns in _CHANGE:
            _issue(account, columns, _new_code())
    account.save()


def redeem_body(body: dict[str, Any]) -> User:
    """`POST /verify`: the account that a link or a code opens."""
    kind, code, token_hash = (body.get(name) or "" for name in ("type", "token", "token_hash"))
    if not kind:
        raise Refusal(400, "validation_failed", "Verify requires a verification type")
    if bool(code) == bool(token_hash):
        raise Refusal(400, "validation_failed", "Verify requires either a token or a token hash")
    email, phone = body.get("email") or "", body.get("phone") or ""
    if token_hash and (email or phone or body.get("redirect_to")):
        raise Refusal(400, "validation_failed", "Only the token_hash and type should be provided")
    if code and bool(email) == bool(phone):
        raise Refusal(
            400,
            "validation_failed",
            "Only an email address or phone number should be provided on verify",
        )
    if email:
        try:
            email = accounts.valid_email(email)
        except Refusal as refused:
            raise Refusal(422, "validation_failed", "Invalid email format") from refused
    return redeem(kind, token_hash=token_hash, email=email, code=code)


def redeem(kind: str, *, token_hash: str = "", email: str = "", code: str = "") -> User:
    """The account of a link's hash, or of an address and its code; each works once.

    It confirms the address.
    """
    if token_hash and kind not in _COLUMNS:
        raise Refusal(400, "validation_failed", "Invalid email verification type")
    link = bool(token_hash)
    said = "Email link is invalid or has expired" if link else "Token has expired or is invalid"
    expired = Refusal(403, "otp_expired", said)
    token_hash = token_hash or _hash(email, code)
    columns = _COLUMNS.get(kind, ())
    matching = Q(pk=None)
    for token, _ in columns:
        matching |= Q(**{token: token_hash})
    if not link:
        matching = Q(email=email) | Q(email_change=email)
    account = User.objects.select_for_update().filter(matching).first()
    if account is None:
        raise expired
    if accounts.is_banned(account):
        raise Refusal(403, "user_banned", "User is banned")
    found = next((pair for pair in columns if getattr(account, pair[0]) == token_hash), None)
    if found is None or _is_old(getattr(account, found[1]), project.otp_seconds):
        raise expired
    _open(account, found)
    account.save()
    account.refresh_from_db()
    return account


def _open(account: User, columns: tuple[str, str]) -> None:
    accounts.forget_tokens(account)
    if columns in _CHANGE:
        _change_address(account)
    elif columns == _CONFIRMATION:
        if account.invited_at is not None:
            account.confirmation_sent_at = None
        accounts.confirm(account)
        accounts.identify_by_email(account, verified=True)
    elif account.email_confirmed_at is None:
        accounts.confirm(account)


def _change_address(account: User) -> None:
    account.email, account.email_change = account.email_change, ""
    account.is_anonymous = False
    if account.email_confirmed_at is None:
        accounts.confirm(account)
    account.save()
    accounts.identify_by_email(account, verified=True)


def _account_to_confirm(account: User | None, email: str, kind: str, body: dict[str, Any]) -> User:
    if account is not None and account.email_confirmed_at is not None:
        raise Refusal(422, "email_exists", _EMAIL_EXISTS)
    data = body.get("data") or {}
    if account is None:
        if kind == "signup":
            sign_up.require_password(body)
        new = {"email": email, "password": body.get("password"), "user_metadata": data}
        account = accounts.create(new)
    if kind == "invite":
        account.invited_at = timezone.now()
    return account


def _issue(account: User, columns: tuple[str, str], code: str) -> str:
    """Give the account a new token of this kind, which invalidates the one before; returns the
    link's hash.
    """
    token, sent_at = columns
    to = account.email_change if token == "email_change_token_new" else account.email
    link_hash = _hash(to or "", code)
    setattr(account, token, link_hash)
    setattr(account, sent_at, timezone.now())
    return link_hash


def _new_code() -> str:
    return f"{secrets.randbelow(1_000_000):06d}"


def _hash(email: str, code: str) -> str:
    return hashlib.sha224((email + code).encode()).hexdigest()


def _is_old(sent_at: datetime | None, seconds: int) -> bool:
    return sent_at is None or timezone.now() > sent_at + timedelta(seconds=seconds)


def _require_gap(sent_at: datetime | None) -> None:
    if not _is_old(sent_at, project.mail_gap_seconds) and sent_at is not None:
        left = sent_at + timedelta(seconds=project.mail_gap_seconds) - timezone.now()
        raise Refusal(
            429,
            "over_email_send_rate_limit",
            "For security purposes, you can only request this after"
            f" {int(left.total_seconds())} seconds.",
        )

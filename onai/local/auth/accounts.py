"""The stand-in's accounts: creating, changing and finding them by Supabase Auth's rules."""

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import bcrypt
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models.functions import Lower
from django.utils import timezone

from onai.local.auth.models import Identity, Session, User
from onai.local.auth.project import MAX_PASSWORD_BYTES, require_strength
from onai.local.auth.wire import Refusal

_MAX_EMAIL = 255
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_LONGEST_BAN_SECONDS = 9_223_372_036
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
# Columns that Supabase reads into fields without NULL; accounts made by SQL may have NULL there.
_NEVER_NULL = (
    "instance_id",
    "aud",
    "role",
    "confirmation_token",
    "recovery_token",
    "email_change_token_new",
    "email_change_token_current",
    "email_change",
    "email_change_confirm_status",
    "phone_change",
    "phone_change_token",
    "reauthentication_token",
    "created_at",
    "updated_at",
)


def create(attributes: Mapping[str, Any]) -> User:
    """`POST /admin/users`."""
    if not attributes.get("email"):
        raise Refusal(
            400, "validation_failed", "Cannot create a user without either an email or phone"
        )
    email = valid_email(attributes["email"])
    refuse_duplicate(email)
    account = User(
        id=_chosen_id(attributes["id"]) if attributes.get("id") else uuid4(),
        email=email,
        role=attributes.get("role") or "authenticated",
        encrypted_password=_first_hash(attributes),
        raw_app_meta_data={"provider": "email", "providers": ["email"]},
        raw_user_meta_data={},
    )
    _apply_metadata(account, attributes)
    if attributes.get("email_confirm"):
        confirm(account)
    _apply_ban(account, attributes)
    try:
        with transaction.atomic(using="auth"):
            account.save(force_insert=True)
            identify_by_email(account, verified=False)
    except DatabaseError as error:
        raise Refusal(500, "unexpected_failure", "Database error creating new user") from error
    return account


def update(account: User, attributes: Mapping[str, Any]) -> User:
    """`PUT /admin/users/{id}`."""
    if attributes.get("email"):
        account.email = valid_email(attributes["email"])
    _apply_ban(account, attributes)
    password = attributes.get("password")
    if password is not None:
        require_strength(password)
        _set_password(account, password)
    account.role = attributes.get("role") or account.role
    _apply_metadata(account, attributes)
    if attributes.get("email_confirm"):
        confirm(account)
    try:
        with transaction.atomic(using="auth"):
            if password is not None:
                account.sessions.all().delete()
            account.save()
            if attributes.get("email"):
                identify_by_email(account, verified=bool(attributes.get("email_confirm")))
    except DatabaseError as error:
        # Also a taken address: Supabase does not check it before it writes.
        raise Refusal(500, "unexpected_failure", "Error updating user") from error
    return account


def update_own(account: User, session: Session, attributes: Mapping[str, Any]) -> str | None:
    """`PUT /user`. Returns the new address, which takes effect once it is confirmed."""
    email = valid_email(attributes["email"]) if attributes.get("email") else account.email
    new_email = email if email != account.email else None
    password = attributes.get("password")
    if password is not None:
        require_strength(password)
    if attributes.get("app_metadata"):
        raise Refusal(403, "not_admin", "Updating app_metadata requires admin privileges")
    has_factor = account.factors.filter(status="verified").exists()
    if (password or new_email) and has_factor and session.aal != "aal2":
        raise Refusal(
            401,
            "insufficient_aal",
            "AAL2 session is required to update email or password when MFA is enabled.",
        )
    if password and account.is_anonymous and not new_email:
        raise Refusal(
            422,
            "validation_failed",
            "Updating password of an anonymous user without an email or phone is not allowed",
        )
    if new_email:
        refuse_duplicate(new_email, besides=account)
    if password is not None:
        if password_matches(account, password):
            raise Refusal(
                422, "same_password", "New password should be different from the old password."
            )
        _set_password(account, password)
        account.sessions.exclude(pk=session.pk).delete()
    account.raw_user_meta_data = _merged(account.raw_user_meta_data, attributes.get("data"))
    account.save()
    return new_email


def delete(account: User) -> None:
    """`DELETE /admin/users/{id}`. A foreign key of another table may forbid it."""
    try:
        with transaction.atomic(using="auth"):
            account.delete()
    except DatabaseError as error:
        raise Refusal(500, "unexpected_failure", "Database error deleting user") from error


def soft_delete(account: User) -> None:
    """Keep the account's row, and erase what identifies its owner."""
    if account.deleted_at is not None:
        return
    account.email = _obscured(account, account.email or "")
    account.phone = account.phone_change = _obscured(account, account.phone or "")[:15]
    account.email_change = _obscured(account, account.email_change or "")
    forget_tokens(account)
    account.encrypted_password = None
    account.raw_user_meta_data = account.raw_app_meta_data = {}
    account.deleted_at = timezone.now()
    account.save()
    for identity in account.identities.all():
        identity.identity_data = {}
        identity.provider_id = _obscured(account, f"{identity.provider}:{identity.provider_id}")
        identity.save()
    account.factors.all().delete()
    account.sessions.all().delete()


def find(account_id: str) -> User:
    """The account with this id, locked for the rest of the transaction."""
    try:
        account = User.objects.select_for_update().get(pk=UUID(account_id))
    except ValueError as error:
        raise Refusal(404, "validation_failed", "user_id must be an UUID") from error
    except User.DoesNotExist as error:
        raise Refusal(404, "user_not_found", "User not found") from error
    require_readable(account, "Database error loading user")
    return account


def authenticate(email: str, password: str) -> User:
    """The account with these credentials."""
    account = by_email(email.lower())
    if account is not None:
        require_readable(account, "Database error querying schema")
    if account is None or not account.encrypted_password:
        raise _invalid_credentials()
    if is_banned(account):
        raise Refusal(400, "user_banned", "User is banned")
    if not password_matches(account, password):
        raise _invalid_credentials()
    if account.email_confirmed_at is None:
        raise Refusal(400, "email_not_confirmed", "Email not confirmed")
    return account


def require_readable(account: User, otherwise: str, *, in_list: bool = False) -> None:
    """Raise a 500 with this message where Supabase could not read the account.

    An account made by SQL may have NULL in a token, or its identity NULL in a time. A list of
    accounts reads no identities.
    """
    readable = all(getattr(account, name) is not None for name in _NEVER_NULL)
    if readable and not in_list:
        readable = all(
            one.created_at is not None and one.updated_at is not None
            for one in account.identities.all()
        )
    if not readable:
        raise Refusal(500, "unexpected_failure", otherwise)


def is_banned(account: User) -> bool:
    return account.banned_until is not None and account.banned_until > timezone.now()


def password_matches(account: User, password: str) -> bool:
    typed = password.encode()[: MAX_PASSWORD_BYTES + 1]
    if len(typed) > MAX_PASSWORD_BYTES:
        return False
    try:
        return bcrypt.checkpw(typed, (account.encrypted_password or "").encode())
    except ValueError:
        return False  # The column holds no bcrypt hash.


def hash_password(password: str) -> str:
    rounds = settings.LOCAL_BCRYPT_ROUNDS
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()


def _set_password(account: User, password: str) -> None:
    account.encrypted_password = hash_password(password)
    forget_tokens(account)
    account.confirmation_sent_at = account.recovery_sent_at = account.email_change_sent_at = None


def forget_tokens(account: User) -> None:
    """Invalidate every link and code sent so far."""
    account.confirmation_token = account.recovery_token = ""
    account.email_change_token_current = account.email_change_token_new = ""


def _first_hash(attributes: Mapping[str, Any]) -> str:
    """The hash of a new account's password; its strength is not checked here."""
    given, password = attributes.get("password_hash"), attributes.get("password")
    if given and password is not None:
        raise Refusal(
            400, "validation_failed", "Only a password or a password hash should be provided"
        )
    if given:
        return str(given)
    password = password or secrets.token_urlsafe(32)
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise Refusal(500, "unexpected_failure", "Internal Server Error")
    return hash_password(password)


def valid_email(value: str) -> str:
    """The address as it is stored. Raises `Refusal`."""
    if len(value.encode()) > _MAX_EMAIL:
        raise Refusal(400, "validation_failed", "An email address is too long")
    if not _EMAIL.fullmatch(value):
        raise Refusal(400, "validation_failed", "Unable to validate email address: invalid format")
    return value.lower()


def required_email(body: Mapping[str, Any]) -> str:
    """The address of a body in which it is mandatory."""
    if not body.get("email"):
        raise Refusal(400, "validation_failed", "An email address is required")
    return valid_email(body["email"])


def by_email(email: str) -> User | None:
    """The account that signs in with this address, given in lower case."""
    local = User.objects.filter(aud="authenticated", is_sso_user=False, instance_id=UUID(int=0))
    return local.alias(address=Lower("email")).filter(address=email).first()


def refuse_duplicate(email: str, *, besides: User | None = None) -> None:
    """Refuse an address that another account has, in any case, or that is one of its identities."""
    identities = Identity.objects.filter(email=email).select_related("user")
    owners = [identity.user for identity in identities] + [by_email(email)]
    for owner in owners:
        if owner is not None and owner != besides:
            require_readable(owner, "Database error checking email")
            raise Refusal(
                422, "email_exists", "A user with this email address has already been registered"
            )


def confirm(account: User) -> None:
    """Mark the address as confirmed."""
    account.email_confirmed_at = timezone.now()
    account.raw_user_meta_data = {**(account.raw_user_meta_data or {}), "email_verified": True}


def _obscured(account: User, value: str) -> str:
    digest = hashlib.sha256(f"{account.pk}{value}".encode()).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _invalid_credentials() -> Refusal:
    return Refusal(400, "invalid_credentials", "Invalid login credentials")


def _chosen_id(value: str) -> UUID:
    try:
        chosen = UUID(value)
    except ValueError as error:
        raise Refusal(400, "validation_failed", "ID must conform to the uuid v4 format") from error
    if chosen.int == 0:
        raise Refusal(400, "validation_failed", "ID cannot be a nil uuid")
    return chosen


def _apply_metadata(account: User, attributes: Mapping[str, Any]) -> None:
    account.raw_user_meta_data = _merged(
        account.raw_user_meta_data, attributes.get("user_metadata")
    )
    account.raw_app_meta_data = _merged(account.raw_app_meta_data, attributes.get("app_metadata"))


def _merged(kept: dict[str, Any] | None, changes: object) -> dict[str, Any]:
    """Each given key replaces the one before; null removes it."""
    if changes is None:
        return kept or {}
    if not isinstance(changes, dict):
        raise Refusal(400, "bad_json", "Could not parse request body as JSON: metadata")
    both = {**(kept or {}), **changes}
    return {key: value for key, value in both.items() if value is not None}


def _apply_ban(account: User, attributes: Mapping[str, Any]) -> None:
    duration = attributes.get("ban_duration")
    if not duration:
        return
    account.banned_until = None if duration == "none" else _ban_end(str(duration))


def _ban_end(duration: str) -> datetime:
    """The end of a ban given as a Go duration: `24h`, `1h30m`."""
    if not re.fullmatch(f"(?:{_DURATION.pattern})+", duration):
        raise Refusal(400, "validation_failed", f"invalid format for ban duration: {duration!r}")
    parts = _DURATION.findall(duration)
    seconds = sum(float(count) * _SECONDS[unit] for count, unit in parts)
    # The longest Go duration: 292 years.
    return timezone.now() + timedelta(seconds=min(seconds, _LONGEST_BAN_SECONDS))


def identify_by_email(account: User, *, verified: bool) -> None:
    """Update the account's e-mail identity from the account."""
    data = {
        "sub": str(account.id),
        "email": account.email,
        "email_verified": verified,
        "phone_verified": False,
    }
    Identity.objects.update_or_create(
        provider="email",
        provider_id=str(account.id),
        defaults={"user": account, "identity_data": data},
        create_defaults={
            "user": account,
            "identity_data": data,
            "last_sign_in_at": timezone.now(),
        },
    )

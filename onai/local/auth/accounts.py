"""The stand-in's accounts: creating, changing and finding them by Supabase Auth's rules."""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import bcrypt
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from onai.local.auth.models import Identity, User
from onai.local.auth.wire import Refusal

_MAX_EMAIL = 255
_MIN_PASSWORD = 6
_MAX_PASSWORD_BYTES = 72
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_LONGEST_BAN_SECONDS = 9_223_372_036
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}


def create(attributes: Mapping[str, Any]) -> User:
    """`POST /admin/users`."""
    email = _email(attributes.get("email"))
    account = User(
        id=_chosen_id(attributes["id"]) if attributes.get("id") else uuid4(),
        email=email,
        role=attributes.get("role") or "authenticated",
        encrypted_password=_hash_of(attributes, default=secrets.token_urlsafe(32)),
        raw_app_meta_data={"provider": "email", "providers": ["email"]},
        raw_user_meta_data={},
    )
    if attributes.get("email_confirm"):
        account.email_confirmed_at = timezone.now()
    _apply_metadata(account, attributes)
    _apply_ban(account, attributes)
    if _is_taken(email):
        raise _email_exists()
    try:
        with transaction.atomic(using="auth"):
            account.save(force_insert=True)
            identify_by_email(account)
    except IntegrityError as error:
        if _is_taken(email):  # by somebody who came in between
            raise _email_exists() from error
        raise Refusal(500, "unexpected_failure", "Database error creating new user") from error
    return account


def update(account: User, attributes: Mapping[str, Any], *, by_admin: bool) -> User:
    """`PUT /admin/users/{id}` and, for one's own account, `PUT /user`."""
    if attributes.get("email"):
        email = _email(attributes["email"])
        if email != account.email:
            if _is_taken(email):
                raise _email_exists()
            account.email = email
            account.email_confirmed_at = timezone.now()
    if attributes.get("password"):
        if not by_admin and password_matches(account, attributes["password"]):
            raise Refusal(
                422, "same_password", "New password should be different from the old password."
            )
        account.encrypted_password = _hash_of(attributes)
        if by_admin:
            account.sessions.all().delete()
    if by_admin:
        if attributes.get("role"):
            account.role = attributes["role"]
        if attributes.get("email_confirm"):
            account.email_confirmed_at = account.email_confirmed_at or timezone.now()
        _apply_ban(account, attributes)
        _apply_metadata(account, attributes)
    else:
        account.raw_user_meta_data = _merged(account.raw_user_meta_data, attributes.get("data"))
    with transaction.atomic(using="auth"):
        account.save()
        identify_by_email(account)
    return account


def find(account_id: str) -> User:
    """The account with this id, locked for the rest of the transaction."""
    try:
        return User.objects.select_for_update().get(pk=UUID(account_id))
    except ValueError as error:
        raise Refusal(404, "validation_failed", "user_id must be an UUID") from error
    except User.DoesNotExist as error:
        raise Refusal(404, "user_not_found", "User not found") from error


def authenticate(email: str, password: str) -> User:
    """The account these credentials open."""
    account = User.objects.filter(email=email.strip().lower(), deleted_at=None).first()
    if account is None or not account.encrypted_password:
        raise _invalid_credentials()
    if is_banned(account):
        raise Refusal(400, "user_banned", "User is banned")
    if not password_matches(account, password):
        raise _invalid_credentials()
    if account.email_confirmed_at is None:
        raise Refusal(400, "email_not_confirmed", "Email not confirmed")
    return account


def is_banned(account: User) -> bool:
    return account.banned_until is not None and account.banned_until > timezone.now()


def password_matches(account: User, password: str) -> bool:
    typed = password.encode()[: _MAX_PASSWORD_BYTES + 1]
    if len(typed) > _MAX_PASSWORD_BYTES:
        return False
    try:
        return bcrypt.checkpw(typed, (account.encrypted_password or "").encode())
    except ValueError:
        return False  # What is kept there is no hash.


def hash_password(password: str) -> str:
    rounds = settings.LOCAL_BCRYPT_ROUNDS
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()


def _hash_of(attributes: Mapping[str, Any], default: str = "") -> str:
    if attributes.get("password_hash"):
        return str(attributes["password_hash"])
    password = attributes.get("password") or default
    if len(password) < _MIN_PASSWORD:
        raise Refusal(
            422,
            "weak_password",
            f"Password should be at least {_MIN_PASSWORD} characters.",
            weak_password={"reasons": ["length"]},
        )
    if len(password.encode()) > _MAX_PASSWORD_BYTES:
        raise Refusal(
            422,
            "validation_failed",
            f"Password cannot be longer than {_MAX_PASSWORD_BYTES} characters",
        )
    return hash_password(password)


def _email(value: object) -> str:
    if not value:
        raise Refusal(
            400, "validation_failed", "Cannot create a user without either an email or phone"
        )
    email = str(value).strip().lower()
    try:
        validate_email(email)
        MaxLengthValidator(_MAX_EMAIL)(email)
    except ValidationError as error:
        raise Refusal(
            400, "validation_failed", "Unable to validate email address: invalid format"
        ) from error
    return email


def _is_taken(email: str) -> bool:
    return User.objects.filter(email=email, is_sso_user=False).exists()


def _email_exists() -> Refusal:
    return Refusal(
        422, "email_exists", "A user with this email address has already been registered"
    )


def _invalid_credentials() -> Refusal:
    return Refusal(400, "invalid_credentials", "Invalid login credentials")


def _chosen_id(value: object) -> UUID:
    try:
        chosen = UUID(str(value))
    except ValueError:
        chosen = UUID(int=0)
    if chosen.int == 0:
        raise Refusal(400, "validation_failed", "ID must conform to the uuid v4 format")
    return chosen


def _apply_metadata(account: User, attributes: Mapping[str, Any]) -> None:
    account.raw_user_meta_data = _merged(
        account.raw_user_meta_data, attributes.get("user_metadata")
    )
    account.raw_app_meta_data = _merged(account.raw_app_meta_data, attributes.get("app_metadata"))


def _merged(kept: dict[str, Any] | None, changes: object) -> dict[str, Any]:
    """Keys are replaced one by one; null takes a key away."""
    if changes is None:
        return kept or {}
    if not isinstance(changes, dict):
        raise Refusal(400, "validation_failed", "metadata must be an object")
    both = {**(kept or {}), **changes}
    return {key: value for key, value in both.items() if value is not None}


def _apply_ban(account: User, attributes: Mapping[str, Any]) -> None:
    duration = attributes.get("ban_duration")
    if not duration:
        return
    account.banned_until = None if duration == "none" else _ban_end(str(duration))


def _ban_end(duration: str) -> datetime:
    """The end of a ban as long as a Go duration says: `24h`, `1h30m`."""
    if not re.fullmatch(f"(?:{_DURATION.pattern})+", duration):
        raise Refusal(400, "validation_failed", f"invalid format for ban duration: {duration!r}")
    parts = _DURATION.findall(duration)
    seconds = sum(float(count) * _SECONDS[unit] for count, unit in parts)
    # As long as a Go duration can be: 292 years.
    return timezone.now() + timedelta(seconds=min(seconds, _LONGEST_BAN_SECONDS))


def identify_by_email(account: User) -> None:
    """Keep the account's e-mail identity in step with the account."""
    Identity.objects.update_or_create(
        provider="email",
        provider_id=str(account.id),
        defaults={
            "user": account,
            "identity_data": {
                "sub": str(account.id),
                "email": account.email,
                "email_verified": account.email_confirmed_at is not None,
                "phone_verified": False,
            },
        },
    )

"""Sign-up, where the project allows accounts without an administrator."""

from typing import Any

from django.utils import timezone

from onai.local.auth import accounts
from onai.local.auth.models import User
from onai.local.auth.project import project, require_strength
from onai.local.auth.wire import Refusal


def by_email(body: dict[str, Any]) -> User | None:
    """A new account, confirmed where the project says so, else to be confirmed by a letter.

    Returns None for an address that is taken, where the project keeps that secret.
    """
    _require_open()
    require_password(body)
    if body.get("phone"):
        if body.get("email"):
            raise Refusal(
                400,
                "validation_failed",
                "Only an email address or phone number should be provided on signup.",
            )
        raise Refusal(400, "phone_provider_disabled", "Phone signups are disabled")
    if not project.email_provider:
        raise Refusal(400, "email_provider_disabled", "Email signups are disabled")
    email = accounts.valid_email(body["email"])
    known = accounts.by_email(email)
    if known is not None and known.email_confirmed_at is None:
        return known
    if known is not None and project.autoconfirm:
        raise Refusal(422, "user_already_exists", "User already registered")
    if known is not None:
        return None
    return _create(email, body)


def stranger(body: dict[str, Any]) -> User:
    """The answer in place of an account that is kept secret."""
    now = timezone.now()
    shown = User(email=body["email"].lower(), raw_user_meta_data=body.get("data") or {})
    shown.raw_app_meta_data = {"provider": "email", "providers": ["email"]}
    shown.created_at = shown.updated_at = shown.confirmation_sent_at = now
    shown.confirmed_at = None
    return shown


def anonymously(body: dict[str, Any]) -> User:
    """A new anonymous account."""
    if not project.anonymous:
        raise Refusal(422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled")
    _require_open()
    return User.objects.create(
        is_anonymous=True, encrypted_password="", raw_user_meta_data=body.get("data") or {}
    )


def require_password(body: dict[str, Any]) -> None:
    """Refuse a sign-up without a password, or with a weak one."""
    if not body.get("password"):
        raise Refusal(400, "validation_failed", "Signup requires a valid password")
    require_strength(body["password"])


def _require_open() -> None:
    if not project.signup:
        raise Refusal(422, "signup_disabled", "Signups not allowed for this instance")


def _create(email: str, body: dict[str, Any]) -> User:
    new = {"email": email, "password": body["password"]}
    account = accounts.create({**new, "email_confirm": project.autoconfirm})
    [identity] = account.identities.all()
    # Both places hold what the visitor wrote and what Supabase knows.
    identity.identity_data = {**(body.get("data") or {}), **identity.identity_data}
    identity.save()
    account.raw_user_meta_data = {**identity.identity_data, **(account.raw_user_meta_data or {})}
    account.save()
    account.refresh_from_db()
    return account

"""The stand-in's sessions: access tokens, and refresh tokens that work once."""

import secrets
import time
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import jwt
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from onai.local.auth import wire
from onai.local.auth.accounts import is_banned, require_readable
from onai.local.auth.keys import Keys
from onai.local.auth.models import AmrClaim, Factor, RefreshToken, Session, User
from onai.local.auth.wire import UNEXPECTED, Refusal

ACCESS_TOKEN_SECONDS = 3_600
# Within this time a used refresh token may be used again.
_REUSE_GRACE = timedelta(seconds=10)
Row = TypeVar("Row", User, Session)
_ADMIN_ROLES = ("service_role", "supabase_admin")


def open_session(account: User, user_agent: str, *, method: str = "password") -> dict[str, Any]:
    """Sign an account in, by a method in Supabase's words: `password`, `otp`, `anonymous`."""
    now = timezone.now()
    with transaction.atomic(using="auth"):
        account.last_sign_in_at = now
        account.save(update_fields=["last_sign_in_at", "updated_at"])
        account.identities.filter(provider="email").update(last_sign_in_at=now)
        session = Session.objects.create(user=account, user_agent=user_agent)
        session.methods.create(authentication_method=method)
        token = _new_refresh_token(session)
    return _answer(account, session, token)


def refresh(token: str) -> dict[str, Any]:
    """Exchange a refresh token for a new pair."""
    if not token:
        raise Refusal(400, "validation_failed", "Refresh token is not valid")
    with transaction.atomic(using="auth"):
        used = RefreshToken.objects.select_for_update().filter(token=token).first()
        if used is None or used.session is None:
            raise Refusal(
                400,
                "refresh_token_not_found",
                "Invalid Refresh Token: Refresh Token Not Found",
            )
        session, account = used.session, used.session.user
        require_readable(account, "error finding user")
        if is_banned(account):
            raise Refusal(400, "user_banned", "Invalid Refresh Token: User Banned")
        replacement = _exchange(used, session)
        if replacement is not None:
            session.refreshed_at = timezone.now()
            session.save()
    if replacement is None:
        raise Refusal(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
    return _answer(account, session, replacement)


def _exchange(used: RefreshToken, session: Session) -> RefreshToken | None:
    """The token that replaces `used`. After misuse None, and the session's tokens are revoked.

    The parent of the active token gets the active one again, however late: its holder did not
    receive the last answer. Any other used token works for `_REUSE_GRACE`.
    """
    tokens = RefreshToken.objects.filter(session=session, revoked=False)
    now = timezone.now()
    if used.revoked:
        current = tokens.order_by("-id").first()
        if current is not None and current.parent == used.token:
            return current
        if used.updated_at is None or now - used.updated_at > _REUSE_GRACE:
            # These become used tokens, which work for another moment.
            tokens.update(revoked=True, updated_at=now)
            return None
    used.revoked = True
    used.save()
    return _new_refresh_token(session, parent=used)


def raise_assurance(session: Session, factor: Factor) -> dict[str, Any]:
    """Record that the session has passed the factor, and exchange its tokens."""
    session.methods.update_or_create(authentication_method="totp")
    session.aal, session.factor_id = "aal2", factor.pk
    session.save()
    tokens = RefreshToken.objects.filter(session=session, revoked=False)
    token = _exchange(tokens.select_for_update().latest("id"), session)
    return _answer(session.user, session, token or tokens.latest("id"))


def lower_assurance(factor: Factor) -> None:
    """Take the factor from the sessions that have passed it."""
    resting = Session.objects.filter(factor_id=factor.pk)
    AmrClaim.objects.filter(session__in=resting, authentication_method="totp").delete()
    resting.update(aal="aal1", factor_id=None)


def of_bearer(request: HttpRequest) -> tuple[User, Session]:
    """The account and the session of the request's access token."""
    claims = _claims(request)
    account = _by_key(User, claims.get("sub"))
    if account is None:
        raise Refusal(403, "user_not_found", "User from sub claim in JWT does not exist")
    require_readable(account, UNEXPECTED)
    session = _by_key(Session, claims.get("session_id"))
    if session is None or session.user_id != account.pk:
        raise Refusal(
            403, "session_not_found", "Session from session_id claim in JWT does not exist"
        )
    if is_banned(account):
        raise Refusal(403, "user_banned", "User is banned")
    return account, session


def require_admin(request: HttpRequest) -> None:
    if _claims(request).get("role") not in _ADMIN_ROLES:
        raise Refusal(403, "not_admin", "User not allowed")


def end(session: Session, scope: str) -> None:
    """Sign out: this session, all of the account's, or all others."""
    sessions = Session.objects.filter(user=session.user)
    if scope == "local":
        sessions = sessions.filter(pk=session.pk)
    elif scope == "others":
        sessions = sessions.exclude(pk=session.pk)
    elif scope != "global":
        raise Refusal(400, "validation_failed", f"Unsupported logout scope {scope!r}")
    sessions.delete()


def _by_key(model: type[Row], key: object) -> Row | None:
    try:
        return model.objects.filter(pk=UUID(str(key))).first()
    except ValueError:
        return None


def _claims(request: HttpRequest) -> dict[str, Any]:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refusal(401, "no_authorization", "This endpoint requires a valid Bearer token")
    try:
        return Keys.load(settings.LOCAL_DIR).verify(token.strip())
    except jwt.InvalidTokenError as error:
        raise Refusal(
            403,
            "bad_jwt",
            f"invalid JWT: unable to parse or verify signature, {error}",
        ) from error


def _new_refresh_token(session: Session, parent: RefreshToken | None = None) -> RefreshToken:
    return RefreshToken.objects.create(
        token=secrets.token_urlsafe(16),
        user_id=str(session.user_id),
        session=session,
        parent=parent.token if parent else None,
    )


def _answer(account: User, session: Session, refresh_token: RefreshToken) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": settings.SUPABASE_AUTH_URL,
        "sub": str(account.id),
        "aud": account.aud,
        "exp": now + ACCESS_TOKEN_SECONDS,
        "iat": now,
        "email": account.email or "",
        "phone": account.phone or "",
        "app_metadata": account.raw_app_meta_data,
        "user_metadata": account.raw_user_meta_data,
        "role": account.role,
        "aal": session.aal,
        "amr": [
            {
                "method": one.authentication_method,
                "timestamp": int(one.updated_at.timestamp()),
            }
            for one in session.methods.all()
        ],
        "session_id": str(session.id),
        "is_anonymous": account.is_anonymous,
    }
    return {
        "access_token": Keys.load(settings.LOCAL_DIR).sign(claims),
        "token_type": "bearer",
        "expires_in": ACCESS_TOKEN_SECONDS,
        "expires_at": claims["exp"],
        "refresh_token": refresh_token.token,
        "user": wire.user(account),
    }

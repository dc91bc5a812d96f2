"""Calls Supabase Auth over HTTP through its official client, with explicit timeouts.

Every failed sign-in raises a `Problem` with its own message.
"""

import logging
from dataclasses import dataclass
from uuid import uuid4

import httpx
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from pydantic import ValidationError
from supabase_auth import SyncGoTrueClient
from supabase_auth.errors import AuthApiError, AuthError, AuthRetryableError
from supabase_auth.types import Session

from onai.web.http_client import http_client
from onai.web.problems import Problem

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """The two tokens of a session. No repr, so that no log contains them."""

    access_token: str
    refresh_token: str


class WrongCredentials(Problem):
    """Also for a blocked account, because Supabase reports a block even to a wrong password."""

    status = 401
    code = "wrong_credentials"
    message = _(
        "Почта или пароль не подходят, или доступ закрыт. Проверьте раскладку и попробуйте ещё раз."
    )
    advice = _("Если пароль забыт, задайте новый по ссылке «Забыли пароль?».")


class AccountBlocked(Problem):
    status = 403
    code = "account_blocked"
    message = _("Доступ этой учётной записи закрыт.")
    advice = _("Если это ошибка, напишите менеджеру или администратору.")


class EmailNotConfirmed(Problem):
    status = 403
    code = "email_not_confirmed"
    message = _(
        "Почта ещё не подтверждена. Откройте письмо со ссылкой или напишите администратору."
    )


class TooManyAttempts(Problem):
    status = 429
    code = "too_many_attempts"
    message = _("Слишком много попыток входа. Подождите минуту и попробуйте снова.")
    advice = _("Через это время всё заработает само.")
    retry_after_seconds = 60


class AuthUnavailable(Problem):
    status = 503
    code = "auth_unavailable"
    message = _("Сервис входа сейчас недоступен. Дело не в пароле.")
    advice = _("Попробуйте ещё раз через минуту.")
    retry_after_seconds = 30


class AuthSlow(AuthUnavailable):
    code = "auth_slow"
    message = _("Сервис входа не ответил вовремя. Дело не в пароле.")


class CaptchaRequired(AuthUnavailable):
    code = "captcha_required"
    message = _("Сервис входа требует капчу, а на этом сайте её нет. Дело не в пароле.")
    advice = _("Скажите администратору: капчу выключают в настройках Supabase.")


class EmailSignInDisabled(AuthUnavailable):
    code = "email_sign_in_disabled"
    message = _("Вход по почте выключен в настройках сервиса входа. Дело не в пароле.")
    advice = _("Скажите администратору: его включают в настройках Supabase.")


class SessionEnded(Exception):
    """Supabase refuses to renew the session: signed out, token already used, or user blocked."""


_REFUSALS: dict[str, type[Problem]] = {
    "invalid_credentials": WrongCredentials,
    "user_not_found": WrongCredentials,
    "user_banned": WrongCredentials,
    "email_not_confirmed": EmailNotConfirmed,
    "captcha_failed": CaptchaRequired,
    "email_provider_disabled": EmailSignInDisabled,
}


@sensitive_variables("password")
def sign_in(email: str, password: str, *, visitor: str = "") -> Tokens:
    """Open a session for a visitor at this IP address. Raises one of the problems above.

    Supabase answers 500 for a broken account, such as one created by SQL. Such a sign-in is refused
    like one of an unknown e-mail, so that the answer does not reveal that the account exists.
    """
    try:
        answer = client(visitor).sign_in_with_password({"email": email, "password": password})
    except (AuthError, ValidationError) as error:
        if _status_of(error) == 500 and _refuses_strangers(visitor):
            logger.warning("supabase_fails_over_one_account")
            raise WrongCredentials from error
        raise _problem(error) from error
    return _tokens(answer.session)


def _refuses_strangers(visitor: str) -> bool:
    """Whether Supabase itself works, checked by a sign-in with an e-mail that cannot exist."""
    nobody = f"{uuid4()}@example.invalid"
    try:
        client(visitor).sign_in_with_password({"email": nobody, "password": nobody})
    except (AuthError, ValidationError) as error:
        return isinstance(_problem(error), WrongCredentials)
    return False


def refresh(refresh_token: str, *, visitor: str = "") -> Tokens:
    """Exchange a refresh token for a new pair; the old token becomes invalid.

    Raises SessionEnded if Supabase refuses, AuthUnavailable if it does not answer or limits the
    rate: a renewal is not a sign-in attempt, so TooManyAttempts would mislead.
    """
    try:
        answer = client(visitor).refresh_session(refresh_token)
    except AuthApiError as error:
        # A refusal by a gateway, for example of our API key, has no code and does not end sessions.
        if error.status == 400 or (error.code and error.status in (401, 403, 404, 422)):
            raise SessionEnded from error
        raise _not_now(error) from error
    except (AuthError, ValidationError) as error:
        raise _not_now(error) from error
    return _tokens(answer.session)


def sign_out(access_token: str) -> None:
    """End the session of this token at Supabase. Raises AuthUnavailable if it does not answer."""
    try:
        client().admin.sign_out(access_token, "local")
    except AuthApiError as error:
        if error.status not in (401, 403, 404):
            raise _problem(error) from error
        # The session has already ended.
    except AuthError as error:
        raise _problem(error) from error


def client(visitor: str = "") -> SyncGoTrueClient:
    """A stateless client on the shared connection pool.

    Supabase limits sign-ins and renewals by IP address, and all requests come from ours. The header
    passes the visitor's address, which Supabase uses if the project allows it.
    """
    forwarded = {"Sb-Forwarded-For": visitor} if visitor else {}
    return _client({"apikey": settings.SUPABASE_ANON_KEY, **forwarded})


def _client(headers: dict[str, str]) -> SyncGoTrueClient:
    return SyncGoTrueClient(
        url=settings.SUPABASE_AUTH_URL,
        headers=headers,
        auto_refresh_token=False,
        persist_session=False,
        http_client=connections(),
    )


def connections() -> httpx.Client:
    """The connection pool for Supabase."""
    return http_client(
        connect=settings.SUPABASE_CONNECT_TIMEOUT, read=settings.SUPABASE_READ_TIMEOUT
    )


def _tokens(session: Session | None) -> Tokens:
    if session is None:
        raise AuthUnavailable
    return Tokens(access_token=session.access_token, refresh_token=session.refresh_token)


def _not_now(error: Exception) -> Problem:
    problem = _problem(error)
    return AuthUnavailable() if isinstance(problem, TooManyAttempts) else problem


def _problem(error: Exception) -> Problem:
    status = _status_of(error)
    if status == 429:
        return TooManyAttempts()
    if isinstance(error, AuthApiError) and error.status < 500 and error.code in _REFUSALS:
        problem = _REFUSALS[error.code]()
        if isinstance(problem, AuthUnavailable):
            remember_obstacle(problem.code)
        return problem
    if isinstance(error, AuthRetryableError) and isinstance(
        error.__cause__, httpx.TimeoutException
    ):
        logger.warning("supabase_slow")
        return AuthSlow()
    logger.warning("supabase_failed", extra={"status": status, "error": type(error).__name__})
    return AuthUnavailable()


def _status_of(error: Exception) -> int | None:
    """The HTTP status that caused a client error, also if the body was not JSON."""
    if isinstance(error.__cause__, httpx.HTTPStatusError):
        return error.__cause__.response.status_code
    return None


# --- Settings that block every sign-in ----------------------------------------------------------

TOKENS_REFUSED = "tokens_refused"
_OBSTACLE = "supabase_sign_in"
_REMEMBERED_SECONDS = 300


def remember_obstacle(obstacle: str) -> None:
    """Remember which setting made the last sign-in or renewal fail; empty if none did."""
    cache.set(_OBSTACLE, obstacle, _REMEMBERED_SECONDS)


def last_obstacle() -> str | None:
    """The obstacle remembered in the last five minutes; None if nothing was."""
    found = cache.get(_OBSTACLE)
    return found if isinstance(found, str) else None

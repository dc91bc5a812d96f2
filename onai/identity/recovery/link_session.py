"""What a link is good for at Supabase Auth: one session, and in it one new password."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from supabase_auth.constants import API_VERSION_HEADER_NAME, API_VERSIONS_2024_01_01_NAME

from onai.identity import accounts, passwords, supabase
from onai.web.problems import Problem

logger = logging.getLogger(__name__)


class LinkExpired(Problem):
    status = 410
    code = "link_expired"
    message = _("Эта ссылка уже не действует: по ней входили или прошло слишком много времени.")
    advice = _("Запросите новую ссылку: она придёт письмом.")


class WeakPassword(Problem):
    status = 422
    code = "weak_password"
    message = _("Этот пароль слишком простой или есть в базах утечек. Придумайте другой.")


class SamePassword(Problem):
    status = 422
    code = "same_password"
    message = _("Этот пароль у вас уже стоит. Войдите с ним или придумайте другой.")


class SecondFactorRequired(Problem):
    status = 403
    code = "second_factor_required"
    message = _("У вас включён вход с кодом из приложения, поэтому по ссылке пароль не сменить.")
    advice = _("Попросите администратора: он сменит пароль в Supabase или снимет второй шаг.")


class PasswordNotChanged(Problem):
    status = 403
    code = "password_not_changed"
    message = _("Сервис входа не дал сменить пароль этой учётной записи.")
    advice = _("Попросите администратора или менеджера выдать вам новый пароль.")


@dataclass(frozen=True, slots=True)
class LinkSession:
    """The session that a link has opened. Its token stays out of every repr."""

    account_id: UUID
    email: str
    access_token: str = field(repr=False)


_REFUSALS: Mapping[str, type[Problem]] = {
    "otp_expired": LinkExpired,
    "validation_failed": LinkExpired,
    "user_not_found": LinkExpired,
    "session_not_found": LinkExpired,
    "session_expired": LinkExpired,
    "bad_jwt": LinkExpired,
    "user_banned": supabase.AccountBlocked,
    "same_password": SamePassword,
    "weak_password": WeakPassword,
    "insufficient_aal": SecondFactorRequired,
}
# The project asks for more than a link. It asks last, so that all else about the password is right.
_WANTS_MORE = ("current_password_required", "reauthentication_needed")


@sensitive_variables("token", "told", "body")
def open_session(token: str, *, visitor: str) -> LinkSession:
    """Use a link up. Raises a `Problem`."""
    body = {"type": "recovery", "token_hash": token}
    answer = _call("POST", "verify", body, {"Sb-Forwarded-For": visitor} if visitor else {})
    if not answer.is_success:
        raise _problem(answer)
    told = _json(answer)
    user = told.get("user")
    try:
        account = user if isinstance(user, Mapping) else {}
        account_id = UUID(str(account.get("id")))
        return LinkSession(account_id, str(account.get("email") or ""), str(told["access_token"]))
    except (KeyError, ValueError) as error:
        raise supabase.AuthUnavailable from error


@sensitive_variables("access_token", "password", "bearer", "body")
def set_password(account_id: UUID, access_token: str, password: str) -> None:
    """Set the password in the session of a link, which ends all other sessions; then end that one.

    Raises a `Problem`. `AuthUnavailable` among them means that nobody knows whether it is set.
    """
    bearer = {"Authorization": f"Bearer {access_token}"}
    answer = _call("PUT", "user", {"password": password}, bearer)
    if not answer.is_success:
        if _code(answer) not in _WANTS_MORE:
            raise _problem(answer)
        _set_as_administrator(account_id, password)
    try:
        _call("POST", "logout?scope=global", {}, bearer)
    except Problem as problem:
        # Nobody has its tokens but us, and they are forgotten.
        logger.warning("link_session_not_ended", extra={"reason": problem.code})


@sensitive_variables("password")
def _set_as_administrator(account_id: UUID, password: str) -> None:
    """For a project that wants the former password as well: whoever has the link forgot it."""
    try:
        accounts.change_account(account_id, password=password)
    except accounts.AccountRefused as refused:
        raise PasswordNotChanged from refused
    except accounts.OutcomeUnclear as unclear:
        raise supabase.AuthUnavailable from unclear


@sensitive_variables("body", "headers")
def _call(
    method: str, path: str, body: Mapping[str, str], headers: Mapping[str, str]
) -> httpx.Response:
    known = {
        "apikey": settings.SUPABASE_ANON_KEY,
        API_VERSION_HEADER_NAME: API_VERSIONS_2024_01_01_NAME,
    }
    url = f"{settings.SUPABASE_AUTH_URL}/{path}"
    try:
        return supabase.connections().request(method, url, headers={**known, **headers}, json=body)
    except httpx.HTTPError as error:
        logger.warning("supabase_failed", extra={"error": type(error).__name__})
        raise supabase.AuthUnavailable from error


def _problem(answer: httpx.Response) -> Problem:
    code = _code(answer)
    if answer.status_code == 429:
        return supabase.TooManyAttempts()
    if answer.is_client_error and code:
        if code == "weak_password":
            passwords.learn_rules(_json(answer))
        return _REFUSALS.get(code, PasswordNotChanged)()
    logger.warning("supabase_failed", extra={"status": answer.status_code})
    return supabase.AuthUnavailable()


def _code(answer: httpx.Response) -> str:
    told = _json(answer)
    code = told.get("error_code") or told.get("code")
    return code if isinstance(code, str) else ""


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, Mapping) else {}

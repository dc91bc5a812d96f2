"""Whether Supabase Auth does what this product needs of it, and what in its settings is in the way.

Beside a service that is down there is one that works and lets nobody in: a wrong API key, a
captcha, sign-in by e-mail switched off, tokens signed with other keys than ours. It is asked for
these by calls that change nothing, and what sign-ins met lately is remembered.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import jwt
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onai.identity import supabase
from onai.ops.examination import Down

_TIMEOUT_SECONDS = 1.8


@dataclass(frozen=True, slots=True)
class _Question:
    """A call that changes nothing."""

    path: str
    method: str = "GET"
    body: dict[str, int] | None = None
    as_administrator: bool = False


_QUESTIONS = (
    _Question("/health"),
    _Question("/settings"),
    # That there is no such account is told to an administrator alone.
    _Question(f"/admin/users/{UUID(int=0)}", as_administrator=True),
    # The settings do not tell of a captcha. It is looked for before anything else of a sign-up is
    # read, and this one could not be read: an address is no number.
    _Question("/signup", "POST", {"email": 0}),
    _Question("/.well-known/jwks.json"),
)


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with the settings: a stable word, what is seen, and what to do."""

    reason: str
    seen: str | Promise
    advice: str | Promise


_CAPTCHA = _Fault(
    supabase.CaptchaRequired.code,
    gettext_lazy("требует капчу, которой на этом сайте нет: войти нельзя"),
    gettext_lazy(
        "Выключите капчу в проекте Tripwire: Authentication → Attack Protection → CAPTCHA."
    ),
)
_EMAIL_DISABLED = _Fault(
    supabase.EmailSignInDisabled.code,
    gettext_lazy("вход по почте выключен в настройках проекта"),
    gettext_lazy("Включите его в проекте Tripwire: Authentication → Sign In / Providers → Email."),
)
_ANON_KEY = _Fault(
    "wrong_anon_key",
    gettext_lazy("не принимает публичный ключ: войти нельзя"),
    gettext_lazy("Сверьте TRIPWIRE_SUPABASE_ANON_KEY с проектом: Project Settings → API Keys."),
)
_SERVICE_KEY = _Fault(
    "wrong_service_key",
    gettext_lazy("не принимает секретный ключ: доступы не выдать и не изменить"),
    gettext_lazy(
        "Сверьте TRIPWIRE_SUPABASE_SERVICE_ROLE_KEY с проектом: Project Settings → API Keys."
    ),
)
_SECRET_IS_NEEDED = _Fault(
    "jwt_secret_missing",
    gettext_lazy("подписывает токены общим секретом (HS256), а он не задан: войти нельзя"),
    gettext_lazy("Задайте TRIPWIRE_SUPABASE_JWT_SECRET: Project Settings → JWT Keys."),
)
_SECRET_IS_WRONG = _Fault(
    "wrong_jwt_secret",
    gettext_lazy("подписывает токены не тем секретом, который задан: войти нельзя"),
    gettext_lazy("Сверьте TRIPWIRE_SUPABASE_JWT_SECRET с проектом: Project Settings → JWT Keys."),
)
_SECRET_IS_OUT_OF_USE = _Fault(
    "jwt_secret_out_of_use",
    gettext_lazy("подписывает токены опубликованными ключами, а задан общий секрет: войти нельзя"),
    gettext_lazy("Уберите TRIPWIRE_SUPABASE_JWT_SECRET: ключи проекта (JWKS) возьмутся сами."),
)
_TOKENS_ARE_REFUSED = _Fault(
    supabase.TOKENS_REFUSED,
    gettext_lazy("выдаёт токены, которые не проходят проверку: войти нельзя"),
    gettext_lazy(
        "Сверьте TRIPWIRE_SUPABASE_URL и TRIPWIRE_SUPABASE_JWT_SECRET с проектом и часы сервера."
        " Подробности в журнале: fresh_token_refused."
    ),
)
# What a sign-in or a renewal may have met.
_MET = {fault.reason: fault for fault in (_CAPTCHA, _EMAIL_DISABLED, _TOKENS_ARE_REFUSED)}


def check() -> str:
    """What was seen of Supabase Auth, for a probe. Raises `Down`, with what to do about it."""
    # Side by side, so that together they take as long as the slowest.
    with ThreadPoolExecutor(len(_QUESTIONS)) as pool:
        ask = partial(_ask, supabase.connections())
        health, told, nobody, signup, published = pool.map(ask, _QUESTIONS)
    _body(health, _ANON_KEY)
    if _body(told, _ANON_KEY).get("external", {}).get("email") is False:
        raise _down(_EMAIL_DISABLED)
    if nobody.status_code != httpx.codes.NOT_FOUND:
        _body(nobody, _SERVICE_KEY)
    if "captcha_failed" in signup.text:
        raise _down(_CAPTCHA)
    _require_keys(_body(published, _ANON_KEY).get("keys"))
    fault = _MET.get(supabase.last_obstacle() or "")
    if fault is not None:
        raise _down(fault)
    return _("отвечает")


def _require_keys(published: object) -> None:
    """That what signs the project's tokens is what we verify them with, as far as can be seen."""
    secret = settings.SUPABASE_JWT_SECRET
    if not secret and not published:
        raise _down(_SECRET_IS_NEEDED)
    # With a secret and keys both, whether the last tokens were good decides: keys are published
    # before they sign.
    if secret and published and supabase.last_obstacle() != "":
        raise _down(_SECRET_IS_OUT_OF_USE)
    if secret and not published and not _has_signed(secret, settings.SUPABASE_ANON_KEY):
        raise _down(_SECRET_IS_WRONG)


def _has_signed(secret: str, api_key: str) -> bool:
    """Whether the secret signed this key. Of a key that is no token nobody can say otherwise."""
    try:
        jwt.decode(api_key, secret, algorithms=["HS256"], options={"verify_exp": False})
    except jwt.InvalidSignatureError:
        return False
    except jwt.InvalidTokenError:
        return True
    return True


def _ask(client: httpx.Client, question: _Question) -> httpx.Response:
    headers = {"apikey": settings.SUPABASE_ANON_KEY}
    if question.as_administrator:
        key = settings.SUPABASE_SERVICE_ROLE_KEY
        headers = {"apikey": key, "Authorization": f"Bearer {key}"}
    try:
        return client.request(
            question.method,
            f"{settings.SUPABASE_AUTH_URL}{question.path}",
            headers=headers,
            json=question.body,
            timeout=_TIMEOUT_SECONDS,
        )
    except httpx.HTTPError as error:
        raise Down(_("не отвечает")) from error


def _body(answer: httpx.Response, key: _Fault) -> Mapping[str, Any]:
    """What it says. Raises `Down`: with the fault of the `key` where that is refused."""
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise _down(key)
    if answer.is_error:
        raise Down(_("отвечает ошибкой %(status)s") % {"status": answer.status_code})
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Down(_("отвечает, но не то: это не Supabase Auth"))
    return body


def _down(fault: _Fault) -> Down:
    return Down(str(fault.seen), advice=fault.advice, reason=fault.reason)

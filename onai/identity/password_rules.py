"""The rules of the Supabase project for passwords, which no setting reports.

Supabase checks a password's strength when one is changed, and not when an administrator opens an
account, so the rules must be known before. They are asked for by changing one's own password to an
empty one: Supabase always refuses that, and names everything that a password needs. The answer to
any other weak password is read, too.
"""

import logging
import re
import string
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import httpx
from django.conf import settings
from django.core.cache import cache

from onai.identity import supabase

logger = logging.getLogger(__name__)

_KEY = "supabase_password_rules"
_KEPT_SECONDS = 3_600
_IN_VAIN = "supabase_password_rules_asked_in_vain"
_NOT_AGAIN_FOR_SECONDS = 15
_TIMEOUT_SECONDS = 2
_LENGTH = re.compile(r"at least (\d+) characters")
_CHARACTERS = re.compile(r"one character of each: (.*?)\.(?: Password is known .*)?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """`shortest` in bytes, `required` sets of characters of which a password has one each, and
    whether leaked passwords are refused (`pwned`).
    """

    shortest: int = 0
    required: tuple[str, ...] = ()
    pwned: bool = False

    def lacking(self, password: str) -> list[str]:
        """The sets of which the password has no character."""
        return [one for one in self.required if not set(one) & set(password)]


# The strictest choice in a project's dashboard, apart from the length.
STRICTEST = PasswordRules(
    required=(string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation)
)


def known() -> PasswordRules | None:
    """The rules, if they are known."""
    match cache.get(_KEY):
        case [int(shortest), list(required), bool(pwned)] if all(
            isinstance(characters, str) for characters in required
        ):
            return PasswordRules(shortest, tuple(required), pwned)
        case _:  # Nothing, or a foreign value.
            return None


def may_refuse_leaked() -> bool:
    """Whether Supabase may refuse a password because it was leaked, which only Supabase knows."""
    rules = known()
    return rules is None or rules.pwned


def find_out(access_token: str) -> None:
    """Ask for the rules with the user's own token, unless they are known."""
    if known() is not None or cache.get(_IN_VAIN):
        return
    headers = {
        "apikey": settings.SUPABASE_ANON_KEY,
        "Authorization": f"Bearer {access_token}",
    }
    try:
        answer = supabase.connections().put(
            f"{settings.SUPABASE_AUTH_URL}/user",
            headers=headers,
            json={"password": ""},
            timeout=_TIMEOUT_SECONDS,
        )
        told = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        logger.warning("password_rules_unknown", extra={"error": type(error).__name__})
        cache.set(_IN_VAIN, True, _NOT_AGAIN_FOR_SECONDS)
        return
    if isinstance(told, dict) and "weak_password" in told:
        _keep(_rules_in(told, PasswordRules()))
    else:
        logger.warning("password_rules_unknown", extra={"status": answer.status_code})
        cache.set(_IN_VAIN, True, _NOT_AGAIN_FOR_SECONDS)


def learn(told: Any) -> None:
    """Read the rules from Supabase's answer to a weak password, which names what is missing."""
    _keep(_rules_in(told, known() or PasswordRules()))


def _rules_in(told: Any, before: PasswordRules) -> PasswordRules:
    """The rules known so far, and those in this answer."""
    message = str(told.get("message") or told.get("msg") or "")
    weak = told.get("weak_password")
    reasons = weak.get("reasons") if isinstance(weak, dict) else None
    named: Collection[Any] = reasons if isinstance(reasons, list) else ()
    length, characters = _LENGTH.search(message), _CHARACTERS.search(message)
    required = before.required
    if characters:
        required = tuple(filter(None, characters[1].split(", ")))
    elif "characters" in named:
        required = STRICTEST.required
    return PasswordRules(
        shortest=max(before.shortest, int(length[1]) if length else 0),
        required=required,
        pwned=before.pwned or "pwned" in named,
    )


def _keep(rules: PasswordRules) -> None:
    cache.set(_KEY, [rules.shortest, list(rules.required), rules.pwned], _KEPT_SECONDS)

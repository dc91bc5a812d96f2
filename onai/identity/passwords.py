"""Passwords: rules for one that somebody chooses, suggestions, and the Supabase project's rules.

No setting of Supabase's reports the project's rules, and they are checked when a password is
changed, not when an administrator opens an account. So they must be known before. They are asked
for by changing one's own password to an empty one: Supabase always refuses that, and names
everything that a password needs. The answer to any other weak password is read, too.
"""

import logging
import re
import secrets
import string
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache as memoised
from typing import Any

import httpx
from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onai.identity import supabase

logger = logging.getLogger(__name__)

SHORTEST = 8
LONGEST_BYTES = 72  # Supabase keeps bcrypt hashes, and bcrypt reads no more.
# Without characters that look alike on paper or in a chat: 0 and O, 1, l and I.
ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP_LENGTH = 4, 4
_OF_EACH = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
_DRAWS = 100
_IN_WORDS = {
    string.ascii_lowercase: gettext_lazy("строчную латинскую букву"),
    string.ascii_uppercase: gettext_lazy("заглавную латинскую букву"),
    string.ascii_letters: gettext_lazy("латинскую букву"),
    string.digits: gettext_lazy("цифру"),
}
# This many characters of a set are enough to recognise it.
_SHOWN = 6
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


# --- Choosing one ------------------------------------------------------------------------------


def in_suggestions() -> PasswordRules:
    """The sets of characters in a suggested password: ours, and those that the project demands."""
    rules = known_rules() or PasswordRules()
    return PasswordRules(rules.shortest, (*_OF_EACH, *rules.required))


def suggest() -> str:
    """A password of 16 random characters in groups, 90 bits strong, easy to dictate.

    It has small and capital letters, digits and hyphens, and is longer where the project demands
    it.
    """
    wanted = in_suggestions()
    groups = max(_GROUPS, -(-(wanted.shortest + 1) // (_GROUP_LENGTH + 1)))
    password = _draw(groups)
    for _attempt in range(_DRAWS):
        if not wanted.lacking(password):
            break
        password = _draw(groups)
    # Characters that the alphabet lacks.
    rest = "".join(secrets.choice(characters) for characters in wanted.lacking(password))
    return password + rest


def _draw(groups: int) -> str:
    return "-".join(
        "".join(secrets.choice(ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(groups)
    )


def shortest() -> int:
    """The smallest number of characters, by our own rules and the known rules of the project."""
    rules = known_rules()
    return max(SHORTEST, rules.shortest if rules else 0)


def check(password: str, *, email: str, is_checked_again: bool = False) -> None:
    """Raise `ValidationError`, with advice, unless the password is acceptable.

    `is_checked_again`: Supabase checks it too, so that unknown rules of the project may be left to
    it.
    """
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in password):
        raise ValidationError(_("В пароле есть невидимые символы. Введите его заново."))
    rules = known_rules()
    if len(password) < (fewest := shortest()):
        raise ValidationError(
            _("Пароль короткий: нужно не меньше %(shortest)s символов.") % {"shortest": fewest}
        )
    if len(password.encode()) > LONGEST_BYTES:
        raise ValidationError(
            _("Пароль длинный: поместится 72 латинских символа или 36 русских букв.")
        )
    if password != password.strip():
        raise ValidationError(_("В начале или в конце пароля стоит пробел, его не видно. Уберите."))
    if email and password.casefold() in (email.casefold(), email.partition("@")[0]):
        raise ValidationError(_("Пароль не должен совпадать с почтой. Придумайте другой."))
    try:
        _common_passwords().validate(password)
    except ValidationError as error:
        raise ValidationError(
            _("Этот пароль знают все: его подберут первым. Придумайте другой.")
        ) from error

    if rules is None and not is_checked_again and STRICTEST.lacking(password):
        raise ValidationError(
            _("Сейчас не узнать, какие пароли принимает сервис входа. Возьмите предложенный.")
        )
    if rules and (lacking := rules.lacking(password)):
        raise ValidationError(
            _("Добавьте в пароль: %(what)s.") % {"what": ", ".join(map(_described, lacking))}
        )


def _described(characters: str) -> str:
    """One of a set of characters, in words."""
    for known, words in _IN_WORDS.items():
        if set(characters) <= set(known):
            return str(words)
    return _("один из знаков %(some)s") % {"some": " ".join(characters[:_SHOWN])}


@memoised
def _common_passwords() -> CommonPasswordValidator:
    """Twenty thousand common passwords, unpacked from a file once for each process."""
    return CommonPasswordValidator()


# --- The project's rules -----------------------------------------------------------------------


def known_rules() -> PasswordRules | None:
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
    rules = known_rules()
    return rules is None or rules.pwned


def find_out_rules(access_token: str) -> None:
    """Ask for the rules with the user's own token, unless they are known."""
    if known_rules() is not None or cache.get(_IN_VAIN):
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


def learn_rules(told: Any) -> None:
    """Read the rules from Supabase's answer to a weak password, which names what is missing."""
    _keep(_rules_in(told, known_rules() or PasswordRules()))


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

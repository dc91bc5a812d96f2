"""The rules for a password that somebody chooses, and good suggestions."""

import secrets
import string
import unicodedata
from functools import cache

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onai.identity import password_rules
from onai.identity.password_rules import PasswordRules

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


def in_suggestions() -> PasswordRules:
    """The sets of characters in a suggested password: ours, and those that the project demands."""
    rules = password_rules.known() or PasswordRules()
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
    rules = password_rules.known()
    return max(SHORTEST, rules.shortest if rules else 0)


def check(password: str, *, email: str, is_checked_again: bool = False) -> None:
    """Raise `ValidationError`, with advice, unless the password is acceptable.

    `is_checked_again`: Supabase checks it too, so that unknown rules of the project may be left to
    it.
    """
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in password):
        raise ValidationError(_("В пароле есть невидимые символы. Введите его заново."))
    rules = password_rules.known()
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

    if rules is None and not is_checked_again and password_rules.STRICTEST.lacking(password):
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


@cache
def _common_passwords() -> CommonPasswordValidator:
    """Twenty thousand common passwords, unpacked from a file once for each process."""
    return CommonPasswordValidator()

"""What a student's password has to be, and a good one to begin with."""

import secrets
import unicodedata
from functools import cache

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

SHORTEST = 8
LONGEST_BYTES = 72  # Supabase keeps bcrypt hashes, and bcrypt reads no more.
# Without what looks alike on paper or in a chat: 0 and O, 1, l and I.
ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP_LENGTH = 4, 4


def suggest() -> str:
    """A password of 16 random characters in groups, 93 bits strong, easy to dictate."""
    groups = (
        "".join(secrets.choice(ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return "-".join(groups)


def check(password: str, *, email: str) -> None:
    """Raise `ValidationError`, with what to do about it, unless the password is acceptable."""
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in password):
        raise ValidationError(_("В пароле есть невидимые символы. Введите его заново."))
    if len(password) < SHORTEST:
        raise ValidationError(_("Пароль короткий: нужно не меньше 8 символов."))
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


@cache
def _common_passwords() -> CommonPasswordValidator:
    """Twenty thousand of them, which it unpacks from a file: once for a process, not for a form."""
    return CommonPasswordValidator()

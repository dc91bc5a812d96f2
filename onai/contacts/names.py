"""Names of people: any alphabet, but visible."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

SHORTEST, LONGEST = 2, 120
# The longest input, with invisible characters.
_LONGEST_TYPED = 1_000
# Characters that Unicode calls letters, and that are blank.
_BLANK = re.compile("[\u115f\u1160\u2800\u3164\uffa0\U0001d159]")
# Characters that are invisible alone and beside a letter.
_UNSEEN = frozenset("\u034f\u17b4\u17b5\ufffc")
# Ranges reserved for invisible signs, and code points that are never characters.
_RESERVED = re.compile(
    "[\u2065\ufff0-\ufff8\U000e0080-\U000e00ff\U000e01f0-\U000e0fff\ufdd0-\ufdef]"
)
# These choose how an emoji or an ideograph is drawn, and do nothing to a letter with capitals.
_VARIATIONS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_NOT_VARIED = ("Lu", "Ll", "Lt", "Lm", "Mn", "Mc", "Me", "Zs")
_JOINERS = "\u200c\u200d"
# These reverse the letters around them.
_OVERRIDES = "\u202d\u202e"
_NEVER = ("Cc", "Cs", "Co")


def clean(text: str) -> str:
    """The name in its normal form: composed (NFC), single spaces, nothing invisible. Normalising it
    again changes nothing.

    Joiners stay where they have an effect: in emoji of several parts, and in alphabets whose
    letters join. Raises `ValidationError`, with a sentence for the person who typed it, where no
    name is left.
    """
    if len(text) > _LONGEST_TYPED:
        raise _too_long()
    name = _seen(text)
    if any(unicodedata.category(letter) in _NEVER or letter in _OVERRIDES for letter in name):
        raise ValidationError(
            _("В имени есть невидимые символы. Введите его заново."), code="invisible"
        )
    if not name:
        raise ValidationError(
            _("В имени нет ничего, что можно увидеть. Введите его заново."), code="blank"
        )
    if sum(unicodedata.category(letter)[0] not in "CMZ" for letter in name) < SHORTEST:
        raise ValidationError(_("Имя слишком короткое: нужно хотя бы 2 символа."), code="too_short")
    if len(name) > LONGEST:
        raise _too_long()
    return name


def _too_long() -> ValidationError:
    return ValidationError(_("Имя слишком длинное: поместится 120 символов."), code="too_long")


def _seen(text: str) -> str:
    # Removing a character may leave a mark without its letter.
    while (seen := _without_bare_accents(_without_invisible(text))) != text:
        text = seen
    return text


def _without_invisible(text: str) -> str:
    spaced = unicodedata.normalize("NFC", " ".join(_BLANK.sub(" ", text).split()))
    return "".join(
        letter
        for place, letter in enumerate(spaced)
        if letter in _OVERRIDES or not _does_nothing(spaced, place)
    )


def _does_nothing(text: str, place: int) -> bool:
    letter = text[place]
    if letter in _JOINERS:
        return not _joins(text, place)
    if _VARIATIONS.match(letter):
        return place == 0 or unicodedata.category(text[place - 1]) in _NOT_VARIED
    invisible = unicodedata.category(letter) == "Cf" or letter in _UNSEEN
    return invisible or _is_reserved(letter)


def _is_reserved(letter: str) -> bool:
    return bool(_RESERVED.match(letter)) or ord(letter) & 0xFFFE == 0xFFFE


def _joins(text: str, place: int) -> bool:
    before, after = text[:place][-1:], text[place + 1 :][:1]
    return _is_joined(before) and _is_joined(after)


def _is_joined(letter: str) -> bool:
    """Whether this is an emoji, a part of one, or a letter of an alphabet without capitals."""
    return (
        letter not in _UNSEEN
        and bool(letter)
        and unicodedata.category(letter) in (*("So", "Sk", "Lo", "Mn", "Mc"),)
    )


def _without_bare_accents(text: str) -> str:
    """Without the marks at the beginning of a word, which stand on no letter."""
    kept: list[str] = []
    for letter in text:
        if unicodedata.category(letter)[0] == "M" and (not kept or kept[-1] == " "):
            continue
        kept.append(letter)
    return " ".join("".join(kept).split())

"""Finds leads by a part of a name, an e-mail or a phone."""

import re
import unicodedata

from django.db.models import Q, Value
from django.db.models.lookups import Exact

from onai.contacts import folding, phones

_NO_PHONE = re.compile(r"[^\d\s()+.\-–]")
_EXTENSION = re.compile(r"доб|внутр|вн|ext|x|#", re.IGNORECASE)
_LOCAL_DIGITS = 10
_LAST_DIGITS = 4
_BETWEEN = f"[^{''.join(phones.SAME_DIGITS)}]*"
_DIGIT = f"[{''.join(phones.SAME_DIGITS)}]"
_PREFIX = f"{_BETWEEN}(?:0{_BETWEEN}0{_BETWEEN})?[78]{_BETWEEN}"


def matching(text: str) -> Q:
    """Each word of `text` is in the name, in the e-mail, or in the phone in any spelling.

    Texts with the same folding (`onai.contacts.folding`) are the same. A whole number is also found
    by its key, so that a phone as shown finds its lead.
    """
    found = Q()
    for word in phones.words(_plain_digits(text)):
        found &= _has(word)
    whole = phones.key(text)
    if whole and not re.search(r"[^\W\d_]|@", _EXTENSION.sub("", text)):
        # The digits first, because the key takes several times as long.
        ending = Q(phone__regex=_spaced(whole[-_LAST_DIGITS:]))
        found |= ending & Q(Exact(phones.key_of("phone"), Value(whole)))
    return found


def _plain_digits(text: str) -> str:
    return "".join(
        str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text
    )


def _has(word: str) -> Q:
    spellings = folding.pattern(word)
    found = Q(name__regex=spellings) | Q(email__regex=spellings)
    digits = re.sub(r"\D", "", word)
    return found if _NO_PHONE.search(word) or not digits else found | _has_phone(digits)


def _has_phone(digits: str) -> Q:
    """A part of the phone as written, or its beginning with any of the country's prefixes.

    A prefix counts only before a whole local number, and is optional only where the phone is such a
    number alone; otherwise an operator's 777 would be found in every +7 7…. This is one pattern for
    everything that people write between digits, because the key of each phone takes several times
    as long.
    """
    patterns = [_spaced(digits)]
    whole = digits.removeprefix("00")
    if whole.startswith(("7", "8")) and len(whole) > 1:
        patterns.append(_whole_phone(local=whole[1:]))
    return Q(phone__regex="|".join(patterns))


def _whole_phone(*, local: str) -> str:
    """The local number begins with these digits; a whole number matches anywhere."""
    missing = _LOCAL_DIGITS - len(local)
    if missing <= 0:
        return _spaced(local)
    number = f"{_spaced(local)}(?:{_BETWEEN}{_DIGIT}){{{missing}}}"
    return f"^{_PREFIX}{number}|^{_BETWEEN}{number}{_BETWEEN}$"


def _spaced(digits: str) -> str:
    return _BETWEEN.join(f"[{phones.SAME_DIGITS[int(digit)]}]" for digit in digits)

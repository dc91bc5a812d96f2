"""Finding leads by what one remembers of them: a part of a name, an e-mail or a phone."""

import re
import unicodedata

from django.db.models import F, Q, Value
from django.db.models.functions import Lower, StrIndex
from django.db.models.lookups import GreaterThan

# A phone may be written with spaces in it, and is one word all the same.
_WORDS = re.compile(r"[+(\d][\d\s()+.\-–]*\d(?!\S)|\S+")
_NO_PHONE = re.compile(r"[^\d\s()+.\-–]")
_LOCAL_DIGITS = 10


def matching(text: str) -> Q:
    """Each word of `text` is in the name, in the e-mail, or in the phone however it is spelled.

    For leads `with_person_keys()`. Case does not matter, in any alphabet the database knows.
    """
    found = Q()
    for word in _WORDS.findall(unicodedata.normalize("NFC", text)):
        found &= _has(word)
    return found


def _has(word: str) -> Q:
    wanted = Lower(Value(word))
    found = Q(GreaterThan(StrIndex(Lower(F("name")), wanted), 0)) | Q(
        GreaterThan(StrIndex(Lower(F("email")), wanted), 0)
    )
    digits = re.sub(r"\D", "", word)
    return found if _NO_PHONE.search(word) or not digits else found | _has_phone(digits)


def _has_phone(digits: str) -> Q:
    """A part of the phone, or its beginning with any of the country's prefixes."""
    found = Q(phone_key__contains=digits)
    whole = digits.removeprefix("00")
    if whole.startswith(("7", "8")):
        found |= Q(phone_key__startswith=f"7{whole[1:]}")
        if len(whole) == _LOCAL_DIGITS + 1:
            # With an extension after it, a phone keeps the prefix it was written with.
            found |= Q(phone_key__contains=whole[1:])
    return found

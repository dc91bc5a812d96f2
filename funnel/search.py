"""Finding leads by what one remembers of them: a part of a name, an e-mail or a phone."""

import re
import unicodedata

from django.db.models import F, Func, Q, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower, StrIndex
from django.db.models.lookups import GreaterThan

# A phone may be written with spaces in it, and is one word all the same.
_WORDS = re.compile(r"[+(\d][\d\s()+.\-–]*\d(?!\S)|\S+")
_NO_PHONE = re.compile(r"[^\d\s()+.\-–]")
_KAZAKH, _TYPED = "әғқңөұүһіё", "агкноуухие"
_LOCAL_DIGITS = 10
_BETWEEN = "[^0-9]*"
_PREFIX = f"{_BETWEEN}(?:0{_BETWEEN}0{_BETWEEN})?[78]{_BETWEEN}"


def matching(text: str) -> Q:
    """Each word of `text` is in the name, in the e-mail, or in the phone however it is spelled.

    Case does not matter, in any alphabet the database knows; nor does the difference between a
    Kazakh letter and the Russian one that is typed for it.
    """
    found = Q()
    for word in _WORDS.findall(unicodedata.normalize("NFC", text)):
        found &= _has(word)
    return found


def _has(word: str) -> Q:
    # Replacing letters takes longer than all the rest, and a phone or an e-mail has none of them.
    plain = _Plain if set(word.lower()) & set(_KAZAKH + _TYPED) else Lower
    wanted = plain(Value(word))
    found = Q(GreaterThan(StrIndex(plain(F("name")), wanted), 0)) | Q(
        GreaterThan(StrIndex(plain(F("email")), wanted), 0)
    )
    digits = re.sub(r"\D", "", word)
    return found if _NO_PHONE.search(word) or not digits else found | _has_phone(digits)


class _Plain(Func):
    """In small letters, and those that a Russian keyboard lacks as one types them on it."""

    function = "translate"
    output_field = TextField()

    def __init__(self, text: Combinable) -> None:
        super().__init__(Lower(text), Value(_KAZAKH), Value(_TYPED))


def _has_phone(digits: str) -> Q:
    """A part of the phone as it is written, or its beginning with any of the country's prefixes.

    A prefix is one only before a whole local number, and is missing only where the phone is such a
    number and no more; or else an operator's 777 would be found in every +7 7….

    As one pattern for what people write between digits: normalising each phone first, as
    `with_person_keys` does, takes several times as long.
    """
    patterns = [_spaced(digits)]
    whole = digits.removeprefix("00")
    if whole.startswith(("7", "8")) and len(whole) > 1:
        patterns.append(_whole_phone(local=whole[1:]))
    return Q(phone__regex="|".join(patterns))


def _whole_phone(*, local: str) -> str:
    """The local number begins with these digits; all of them are it wherever they stand."""
    missing = _LOCAL_DIGITS - len(local)
    if missing <= 0:
        return _spaced(local)
    number = f"{_spaced(local)}(?:{_BETWEEN}[0-9]){{{missing}}}"
    return f"^{_PREFIX}{number}|^{_BETWEEN}{number}{_BETWEEN}$"


def _spaced(digits: str) -> str:
    return _BETWEEN.join(digits)

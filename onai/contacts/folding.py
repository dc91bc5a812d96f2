"""One folding for every search by name or e-mail.

Ignored are case, whether an accent is stored composed or not, the kind of space, and whether a
Kazakh letter or `ё` was typed as the Russian letter in its place on the keyboard.

`fold` gives the folded text, for an index. `pattern` finds a word in text that is not folded, which
takes PostgreSQL a fraction of the time that folding each text takes.
"""

import re
import unicodedata
from functools import cache

# A letter of the Russian keyboard, and the letters that it may stand for.
_STANDS_FOR = {
    "а": "ә",
    "г": "ғ",
    "е": "ё",
    "и": "і",
    "к": "қ",
    "н": "ң",
    "о": "ө",
    "у": "ұү",
    "х": "һ",
    " ": "\u00a0\u2007\u202f",
}
# For PostgreSQL's `translate`, after `lower` and `normalize`.
FOLDED = "".join(_STANDS_FOR.values())
FOLDED_TO = "".join(typed * len(written) for typed, written in _STANDS_FOR.items())
_FOLDING = str.maketrans(FOLDED, FOLDED_TO)


def fold(text: str) -> str:
    """The folded text: composed, lower-case letters of the Russian keyboard, plain spaces."""
    return "".join(map(_small, unicodedata.normalize("NFC", text))).translate(_FOLDING)


def pattern(text: str) -> str:
    """A regular expression, for PostgreSQL and Python, that matches every text whose folding
    contains `fold(text)`.
    """
    return "".join(map(_spellings, unicodedata.normalize("NFC", text)))


@cache
def _spellings(letter: str) -> str:
    typed = _small(letter).translate(_FOLDING)
    among = {letter, typed, *_STANDS_FOR.get(typed, "")}
    among |= {other for one in among for other in (one.upper(), one.lower()) if len(other) == 1}
    taken_apart = {unicodedata.normalize("NFD", one) for one in among} - among
    if among == {letter} and not taken_apart:
        return re.escape(letter)
    composed = f"[{''.join(sorted(among))}]"
    return f"(?:{'|'.join([composed, *sorted(taken_apart)])})" if taken_apart else composed


def _small(letter: str) -> str:
    # As PostgreSQL does: one letter stays one, and the Turkish İ becomes an i.
    small = letter.lower()
    return small if len(small) == 1 else small[0]

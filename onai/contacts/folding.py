"""What is the same to whoever searches: one folding for every search by name or e-mail.

Neither case nor the way an accent is stored (composed or not) matters, nor which space it is, nor
whether a Kazakh letter, `ё` or a Turkish `i` was typed as the plain letter in its place on the
keyboard.

`fold` is the one spelling. `pattern` finds every spelling of a word in text that nothing has
folded: PostgreSQL searches so in a fraction of the time that folding each text takes, and `pg_trgm`
has an index for it.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from functools import cache

# As one types it, and what it may stand for.
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
    "i": "ı",
    "σ": "ς",
    " ": "\u00a0\u2007\u202f",
}
_FOLDING = str.maketrans(
    {written: typed for typed, several in _STANDS_FOR.items() for written in several}
)
# What the Turkish İ becomes as a small letter, and what is meant by it.
_DOTTED, _PLAIN = "i\u0307", "i"


def fold(text: str) -> str:
    """The one spelling: composed, small letters of the plain keyboard, plain spaces."""
    small = unicodedata.normalize("NFC", text).lower().replace(_DOTTED, _PLAIN)
    return small.translate(_FOLDING)


def pattern(text: str) -> str:
    """A regular expression, for PostgreSQL or Python, that fits where `fold(text)` would be in the
    folded text."""
    return "".join(map(_any_spelling, fold(text)))


@cache
def _any_spelling(letter: str) -> str:
    among = {letter} | _letters().get(letter, set())
    taken_apart = {unicodedata.normalize("NFD", one) for one in among}
    taken_apart |= {one.lower() for one in taken_apart}
    longer = sorted(one for one in taken_apart if len(one) > 1)
    if among == {letter} and not longer:
        return re.escape(letter)
    one_of = f"[{''.join(sorted(among))}]"
    return f"(?:{'|'.join([*longer, one_of])})" if longer else one_of


@cache
def _letters() -> Mapping[str, set[str]]:
    """By the letter that is typed, all that fold to it."""
    found = defaultdict(set)
    for letter in map(chr, range(0x10000)):
        if len(folded := fold(letter)) == 1 and folded != letter:
            found[folded].add(letter)
    return found

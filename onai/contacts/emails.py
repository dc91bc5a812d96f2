"""E-mail addresses: which are valid, their normal form, and which are probably mistyped.

The normal form is lower-case ASCII. A domain in other letters becomes `xn--…` (punycode), because
Supabase Auth and Resend accept nothing else. Text pasted around an address is removed. Letters that
only look like those of the address are refused by name: a message to such an address goes to
nobody, or to somebody else.
"""

import re
import unicodedata
from itertools import pairwise
from urllib.parse import unquote

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db.models import Case, F, Func, Q, TextField, Value, When
from django.db.models.functions import Lower
from django.utils.encoding import punycode
from django.utils.translation import gettext as _

from onai.db.functions import RegexpMatch, RegexpReplace

LONGEST = 254
# The longest input, with text that was copied along.
_LONGEST_TYPED = 1_000
_LONGEST_NAME = 64
_VALIDATE = EmailValidator(allowlist=[])

_BEFORE = "<([{\"'«»„“”‘’,;:"
_BEHIND = _BEFORE + ">)]}.!?"
_WITH_NAME = re.compile(r"[^<>]*<([^<>]*)>[^<>]*")
_MAILTO = re.compile(r"mailto:(?://)?([^?]*)(?:\?.*)?", re.IGNORECASE | re.DOTALL)
_DOTS = str.maketrans("。｡．", "...")
_BLANK = "\u034f\u115f\u1160\u2800\u3164\uffa0"

# Patterns for PostgreSQL: nearly every address, every address, and text copied along with one.
_USUAL = r"^[a-z0-9][a-z0-9_.+-]*@[a-z0-9-]+\.[a-z]{2,}\Z"
_ADDRESS = r"^[!-?A-~]+@(?:[^\s@.]+\.)+[^\s@.]{2,}$"
_UNSEEN = r"\s\u00a0\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u3164\u2800"
_AROUND = rf"^[{_UNSEEN}<(\"'«„“,;:]+|[{_UNSEEN}>)\"'»”.,;:!?]+$"

# Domains reserved for one machine, one network or nobody (RFC 2606, 6761, 8375, 9476).
_NOT_OF_THE_INTERNET = frozenset(
    {"localhost", "localdomain", "local", "internal", "lan", "home", "corp", "invalid", "arpa"}
    | {"onion", "alt"}
)
# Letters that look Latin. A word of nothing else is a disguise.
_LIKE_LATIN = frozenset("аеорсухіјѕһԁԛԝӏ" + "ονραικυχ" + "օոսցհզյ")
# Alphabets in whose languages an accent is a part of the letter.
_COMPOSED = frozenset({"LATIN", "CYRILLIC", "GREEK"})
_WRITTEN_TOGETHER = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})
# Turkish i with and without a dot, phonetic letters, small capitals, and letters that the old and
# the new rules for such domains spell differently.
_ODD_LATIN = re.compile(
    "[\u0130\u0131\u0250-\u02ff\u1d00-\u1dbf\u2c60-\u2c7f\ua720-\ua7ff\uab30-\uab6fßς]"
)
_RUSSIAN = re.compile("[а-яё]", re.IGNORECASE)

_COMMON_DOMAINS = (
    *("gmail.com", "mail.ru", "yandex.ru", "yandex.kz", "icloud.com", "inbox.ru", "bk.ru"),
    *("list.ru", "outlook.com", "hotmail.com", "yahoo.com", "rambler.ru"),
)
_OF_YANDEX = (
    *("az", "by", "co.il", "com.am", "com.ge", "com.tr", "ee", "eu", "fi", "fr", "kg", "lt", "lv"),
    *("md", "pl", "tj", "tm", "ua", "uz"),
)
# Real domains that look like one of the common ones.
_REAL_DOMAINS = frozenset(
    {
        *_COMMON_DOMAINS,
        *("ya.ru", "vk.ru", "ok.ru", "email.ru", "zmail.ru", "yandex.com", "yandex.net"),
        *(f"yandex.{ending}" for ending in _OF_YANDEX),
        *("mail.com", "mail.kz", "mail.ua", "mail.by", "mail.uz", "gmx.com", "gmx.de"),
        *("email.com", "ymail.com", "fmail.com", "hotmail.ru", "hotmail.kz", "outlook.kz"),
        *("hotmail.fr", "hotmail.de", "hotmail.co.uk", "outlook.de", "outlook.fr", "yahoo.co.uk"),
        *("hotmail.ca", "hotmail.ch", "hotmail.cl", "hotmail.cz", "outlook.cl", "outlook.cz"),
        *("yahoo.ca", "yahoo.cl", "yahoo.cn", "yahoo.cz", "cloud.com", "inbox.eu", "inbox.lv"),
        *("live.com", "live.ru", "me.com", "mac.com", "internet.ru", "xmail.ru"),
        *("inbox.com", "yahoo.fr", "yahoo.de", "googlemail.com", "rambler.ua", "lenta.ru"),
    }
)
# Endings that do not exist.
_MISTYPED_ENDINGS = {
    **dict.fromkeys(("con", "cim", "cpm", "vom", "xom", "cmo", "ocm", "comm", "coom"), "com"),
    **dict.fromkeys(("ry", "tu", "rru", "ruu", "uru"), "ru"),
    **dict.fromkeys(("kzz", "kx", "lz", "kkz"), "kz"),
}
# Nobody else has these names, so another ending is a typing error.
_OF_ONE_OWNER = {"gmail": "gmail.com", "icloud": "icloud.com", "yandex": "yandex.ru"}
_SHORT_NAME = 4
_LONG_DOMAIN = 9


def clean(text: str) -> str:
    """The normal form of the address in `text`. Normalising it again changes nothing.

    Raises `ValidationError`, with a sentence for the person who typed it, where there is no
    address.
    """
    if len(text) > _LONGEST_TYPED:
        raise _too_long()
    address = _unwrapped(text)
    name, at, domain = address.rpartition("@")
    if not at or any(letter.isspace() for letter in address):
        raise _not_an_address()
    for letter in name:
        if not letter.isascii():
            raise _refusal(letter, address)
    if len(name) > _LONGEST_NAME:
        raise ValidationError(_("Перед @ слишком много символов: поместится 64."), code="too_long")
    cleaned = f"{name.lower()}@{_in_ascii(domain, address)}"
    if len(cleaned) > LONGEST:
        raise _too_long()
    try:
        _VALIDATE(cleaned)
    except ValidationError as error:
        raise _not_an_address() from error
    ending = cleaned.rpartition(".")[2]
    if ending.isdigit() or ending in _NOT_OF_THE_INTERNET:
        raise _not_an_address()  # A machine, or a private network.
    return cleaned


def _unwrapped(text: str) -> str:
    """`text` without what was copied along: `mailto:`, a name, brackets, the end of a sentence,
    invisible letters.
    """
    text = unicodedata.normalize("NFKC", text).translate(_DOTS)
    bare = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    while True:
        text = bare
        if found := _WITH_NAME.fullmatch(text):
            bare = found[1]
        if found := _MAILTO.fullmatch(bare):
            bare = unquote(found[1])
        bare = _without_blanks(bare).lstrip(_BEFORE).rstrip(_BEHIND)
        if bare == text:
            return bare


def key_of(column: str) -> Case:
    """A query expression for the normal form of the addresses in a column, null where there is no
    address.

    It agrees with `clean`, except for domains in other letters.
    """
    address: Func = Lower(F(column))
    for _round in range(2):
        address = RegexpReplace(address, Value(_AROUND), Value(""), Value("g"))
        address = RegexpReplace(address, Value(r"^(?:[^<>]*<|mailto:)"), Value(""))
    return Case(
        When(Q(**{f"{column}__regex": _USUAL}), then=F(column)),
        default=RegexpMatch(address, Value(_ADDRESS)),
        output_field=TextField(),
    )


def _without_blanks(text: str) -> str:
    first, last = 0, len(text)
    while first < last and _is_blank(text[first]):
        first += 1
    while first < last and _is_blank(text[last - 1]):
        last -= 1
    return text[first:last]


def _is_blank(letter: str) -> bool:
    return letter.isspace() or letter in _BLANK or unicodedata.category(letter) == "Cc"


def probably_meant(address: str) -> str | None:
    """The address that was probably meant by this normalised one, None where it is plausible
    itself.
    """
    name, _at, domain = address.rpartition("@")
    readable = ".".join(map(_readable, domain.split(".")))
    if domain in _REAL_DOMAINS:
        return None
    meant = _common_domain_like(readable)
    if meant is None:
        host, _dot, ending = domain.rpartition(".")
        right = _MISTYPED_ENDINGS.get(ending)
        meant = f"{host}.{right}" if right else None
    return f"{name}@{meant}" if meant else None


def _not_an_address() -> ValidationError:
    return ValidationError(_("Это не похоже на адрес почты. Пример: name@mail.kz"), code="invalid")


def _too_long() -> ValidationError:
    return ValidationError(_("Адрес слишком длинный: поместится 254 символа."), code="too_long")


def _refusal(letter: str, address: str) -> ValidationError:
    """Names the letter that cannot be meant."""
    if _RUSSIAN.match(letter):
        what = _("русская буква «%(letter)s»")
    elif letter.isalpha():
        what = _("нелатинская буква «%(letter)s»")
    else:
        what = _("символ «%(letter)s», которого в адресах не бывает")
    before, _letter, behind = address.partition(letter)
    return ValidationError(
        _("В адресе %(what)s: %(before)s[%(letter)s]%(behind)s. Наберите адрес латиницей.")
        % {"what": what % {"letter": letter}, "letter": letter, "before": before, "behind": behind},
        code="look_alike",
    )


# --- The domain ---------------------------------------------------------------------------------


def _in_ascii(domain: str, address: str) -> str:
    """Raises `ValidationError` for letters that only look like those of a domain."""
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()
    labels = [_readable(label) for label in domain.split(".")]
    readable = f"{address.rpartition('@')[0]}@{'.'.join(labels)}"
    for label in labels:
        others = [other for other in labels if other is not label]
        if odd := _odd_letter(label, among_latin=any(map(_is_latin, others))):
            raise _refusal(odd, readable)
    try:
        return ".".join(punycode(label) for label in labels).lower()
    except UnicodeError as error:
        raise _not_an_address() from error


def _readable(label: str) -> str:
    """A label in the letters that `xn--…` stands for."""
    if not label.lower().startswith("xn--"):
        return label
    try:
        readable = label.lower().encode("ascii").decode("idna")
        if punycode(readable) == label.lower():
            return readable
    except UnicodeError:
        pass
    raise _not_an_address()


def _odd_letter(label: str, *, among_latin: bool) -> str | None:
    """A letter of another alphabet among Latin letters, or instead of one."""
    if odd := _ODD_LATIN.search(label):
        return odd[0]
    for before, letter in pairwise(f"-{label}"):
        is_mark = unicodedata.category(letter)[0] == "M"
        if not (letter.isalnum() or letter == "-" or is_mark):
            return letter
        if is_mark and (before == "-" or _script(before) in _COMPOSED):
            return letter
    letters = [letter for letter in label if letter.isalpha()]
    foreign = [letter for letter in letters if _script(letter) != "LATIN"]
    mixed = len({_script(letter) for letter in letters} - _WRITTEN_TOGETHER) > 1
    disguised = among_latin and all(letter.lower() in _LIKE_LATIN for letter in foreign)
    return foreign[0] if foreign and (mixed or disguised) else None


def _is_latin(label: str) -> bool:
    return any(_script(letter) == "LATIN" for letter in label)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


# --- Mistyped domains ---------------------------------------------------------------------------


def _common_domain_like(domain: str) -> str | None:
    name, _dot, ending = domain.partition(".")
    if name in _OF_ONE_OWNER:
        return _OF_ONE_OWNER[name]
    for common in _COMMON_DOMAINS:
        common_name, _dot, common_ending = common.partition(".")
        if len(common_name) < _SHORT_NAME:
            # Nearly every two-letter name is taken, so only the ending can be wrong.
            if name == common_name and _edits(ending, common_ending) == 1:
                return common
        elif _edits(domain, common) <= (2 if len(common) >= _LONG_DOMAIN else 1):
            return common
    return None


def _edits(one: str, other: str) -> int:
    """The number of letters to add, drop, replace or swap with a neighbour to get from one text to
    the other.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        further, before, row = before, row, [i]
        for j, right in enumerate(other, 1):
            steps = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and (left, one[i - 2]) == (other[j - 2], right):
                steps = min(steps, further[j - 2] + 1)
            row.append(steps)
    return row[-1]

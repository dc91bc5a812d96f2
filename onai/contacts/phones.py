"""Phone numbers as people write them: whom they identify, how they are shown and dialled.

A plus, `00` or `8 10` leads to another country. `8`, `7` or nothing is Kazakhstan's; nothing only
before ten digits that begin with 7, as its numbers do. The key is `+77000000011`, or the bare
digits where the country is unknown.

- Of several numbers in a field the first is the key, because the second is often a relative's. An
  extension is not part of it.
- A number that is unfinished (`+7 (___) ___-__-__`), too short, or one digit repeated has no key,
  because strangers share it.

Keys are computed in the database too, so the rules are patterns that PostgreSQL and Python read
alike. `phonenumbers` has the numbering plans by which numbers are shown. The tests put one table of
cases through all three.
"""

import re
from dataclasses import dataclass

import phonenumbers
from django.core.exceptions import ValidationError
from django.db.models import Case, F, Func, Q, TextField, Value, When
from django.db.models.functions import Coalesce, Concat, Left, NullIf, Right
from django.utils.translation import gettext as _
from phonenumbers import (
    Leniency,
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberMatcher,
)

from onai.db.functions import RegexpMatch, RegexpReplace, Translate

_COUNTRY = "KZ"
_LOCAL_DIGITS = 10
_WORDS = re.compile(r"[+(\d][\d\s()+.\-–]*\d(?!\S)|\S+")
# Text beyond this length is not part of the first number.
_READ = 200
# 8 10 and the longest number that exists.
_WITH_ANY_PREFIX = 18

# Digits of other scripts and of full width, and invisible characters.
_DIGITS = "0123456789"
_OTHER_DIGITS = ("０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹")
# All forms of each digit.
SAME_DIGITS = tuple(map("".join, zip(_DIGITS, *_OTHER_DIGITS, strict=True)))
_UNSEEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_FROM = "".join(_OTHER_DIGITS) + "＋﹢"
_TO = _DIGITS * len(_OTHER_DIGITS) + "++"
_IN_ASCII = str.maketrans(_FROM, _TO)

# Characters between the digits of one number. A slash, a comma or a letter ends it.
_GAP = rf"[ \t\u00a0\u2007\u2009\u202f().~·\u2010-\u2015\u2212{_UNSEEN}-]*"
# The common spelling of a number of this country: two steps to its key instead of twelve.
_FIRST_DIGITS = "346789"
_USUAL = rf"^(?:(?:\+7|[78])[ ()-]*[{_FIRST_DIGITS}]|7)(?:[ ()-]*[0-9]){{9}}$"
_USUAL_PHONE = re.compile(_USUAL.replace("$", r"\Z"))
_USUAL_GAPS = "+ ()-"
_WITHOUT_GAPS = str.maketrans("", "", _USUAL_GAPS)
_ONE_DIGIT_REPEATED = frozenset(digit * _LOCAL_DIGITS for digit in _FIRST_DIGITS)
# +44 (0)20: the nought is for calls within the country.
_NOUGHT_IN_BRACKETS = (r"((?:^00|\+)[0-9 ]{1,4})\(0\)", r"\1")
# A number that a spreadsheet took for an amount.
_DECIMAL = (r"^(\s*\+?[0-9]{10,15})\.0+\s*$", r"\1")
_NUMBER = rf"\+?{_GAP}[0-9](?:{_GAP}[0-9]){{8,}}"
# Countries where one dials a nought first and no number begins with one.
_WITH_NOUGHT = (
    "20|27|3[123]|4[01346]|49|6[0246]|61|8[1246]|9[01248]"
    "|35[3589]|37[34]|38[0-5]|421|97[126]|99[456]"
)
_ONE_DIGIT = r"^\+?7?([0-9])\1*$"
# Applied one after another.
_REWRITTEN = (
    # Several numbers with nothing between them.
    (r"^(\+?[78][0-9]{10})(?:\+?[78][0-9]{10})+$", r"\1"),
    (r"^(7[0-9]{9})(?:7[0-9]{9})+$", r"\1"),
    # To another country. A plus before a nought means nothing.
    (r"^\+?00(?=[1-9])", "+"),
    (r"^810(?=[1-9][0-9]{9})", "+"),
    (r"^\+(?=0)", ""),
    # Of Kazakhstan and Russia: 8 or 7, both, or neither.
    (rf"^(?:[78]|\+7)([{_FIRST_DIGITS}][0-9]{{9}})$", r"+7\1"),
    (r"^(?:\+?7?8|\+?87)(7[0-9]{9})$", r"+7\1"),
    (r"^(7[0-9]{9})$", r"+7\1"),
    # Too long for a number without its country.
    (r"^([1-689][0-9]{10,14})$", r"+\1"),
    # The nought for calls within one of these countries, without brackets.
    (rf"^(\+(?:{_WITH_NOUGHT}))0(?=[1-9])", r"\1"),
)
# Of this country and Russia, of another one, or of an unknown one.
_SOMEBODYS = (
    rf"^(?:\+7[{_FIRST_DIGITS}][0-9]{{9}}|\+[1-689][0-9]{{7,14}}"
    r"|(?!8?7[0-9]{0,8}$)[0-9]{9,15})$"
)

_DIALLED_FROM_KAZAKHSTAN = re.compile(r"\+7(\d{3})(\d{3})(\d{2})(\d{2})")


def key(phone: str) -> str | None:
    """The normal form of a number, None where it identifies nobody."""
    if _USUAL_PHONE.match(phone):
        local = phone.translate(_WITHOUT_GAPS)[-_LOCAL_DIGITS:]
        return None if local in _ONE_DIGIT_REPEATED else f"+7{local}"
    text = re.sub(*_DECIMAL, phone[:_READ].translate(_IN_ASCII))
    text = re.sub(*_NOUGHT_IN_BRACKETS, text)
    found = re.search(_NUMBER, text)
    number = re.sub("[^0-9+]", "", found[0] if found else text)
    for pattern, rewritten in (*_REWRITTEN, (_ONE_DIGIT, "")):
        number = re.sub(pattern, rewritten, number)
    return number if re.search(_SOMEBODYS, number) else None


def clean(text: str) -> str | None:
    """The key of the number that somebody typed, None where they typed nothing.

    Raises `ValidationError`, with a sentence for the person, where the text has no number.
    """
    if not text.strip():
        return None
    known = key(text)
    if known is None:
        raise ValidationError(
            _("Это не похоже на номер телефона. Пример: 8 700 000 00 11"), code="invalid"
        )
    return known


def words(text: str) -> list[str]:
    """The words of a search. A phone with spaces in it is one word."""
    return _WORDS.findall(text)


@dataclass(frozen=True, slots=True)
class PhoneLinks:
    """A phone on a page: its spelling, and the addresses to call it and to write to it in WhatsApp.
    An address is empty where that cannot be done.
    """

    text: str
    call: str
    whatsapp: str


def links(phone: str) -> PhoneLinks:
    """`phone` as `spelled`, `link` and `whatsapp` have it, read once."""
    known = key(phone)
    return PhoneLinks(_spelled(phone, known), _link(known), _whatsapp(known))


def spelled(phone: str) -> str:
    """`phone` with each number as one dials it, `8 700 000 00 11` or `+82 10-0000-0011`. Other text
    stays as it was written.
    """
    return _spelled(phone, key(phone))


def link(phone: str) -> str:
    """The address to call the number, empty where it cannot be called."""
    return _link(key(phone))


def whatsapp(phone: str) -> str:
    """The address of a chat in WhatsApp, empty where the number's country is unknown."""
    return _whatsapp(key(phone))


def _spelled(phone: str, known: str | None) -> str:
    if known is None or not known.startswith("+") or len(phone) > _READ:
        return phone
    text = re.sub(f"[{_UNSEEN}]", "", re.sub(*_DECIMAL, phone.translate(_IN_ASCII))).strip()
    if _ends_with(known, text) and not any(letter.isalpha() for letter in text):
        return _dialled(known)
    spelled_to = 0
    parts: list[str] = []
    for match in PhoneNumberMatcher(text, _COUNTRY, leniency=Leniency.VALID):
        parts.append(text[spelled_to : match.start] or (", " if parts else ""))
        parts.append(_dialled(phonenumbers.format_number(match.number, PhoneNumberFormat.E164)))
        if match.number.extension:
            parts.append(f" доб. {match.number.extension}")
        spelled_to = match.end
    return "".join([*parts, text[spelled_to:]])


def _link(known: str | None) -> str:
    return f"tel:{known}" if known else ""


def _whatsapp(known: str | None) -> str:
    return f"https://wa.me/{known[1:]}" if known and known.startswith("+") else ""


def _ends_with(number: str, text: str) -> bool:
    """Whether the text is this number alone, with or without its country."""
    digits = re.sub("[^0-9]", "", text)
    return digits.endswith(number[-_LOCAL_DIGITS:]) and len(digits) <= _WITH_ANY_PREFIX


def key_of(column: str) -> Case:
    """A query expression for the `key` of the phones in a column."""
    bare = Translate(F(column), Value(_USUAL_GAPS), Value(""))
    usual: Func = Concat(Value("+7"), Right(bare, _LOCAL_DIGITS), output_field=TextField())
    for repeated in sorted(_ONE_DIGIT_REPEATED):
        usual = NullIf(usual, Value(f"+7{repeated}"))
    return Case(
        When(Q(**{f"{column}__regex": _USUAL}), then=usual),
        default=_unusual_key_of(column),
        output_field=TextField(),
    )


def _unusual_key_of(column: str) -> Func:
    text: Func = Translate(Left(F(column), _READ), Value(_FROM), Value(_TO))
    text = RegexpReplace(text, *map(Value, _DECIMAL))
    text = RegexpReplace(text, *map(Value, _NOUGHT_IN_BRACKETS), Value("g"))
    number: Func = Coalesce(RegexpMatch(text, Value(_NUMBER)), text)
    number = RegexpReplace(number, Value("[^0-9+]"), Value(""), Value("g"))
    for pattern, rewritten in (*_REWRITTEN, (_ONE_DIGIT, "")):
        number = RegexpReplace(number, Value(pattern), Value(rewritten))
    return RegexpMatch(number, Value(_SOMEBODYS))


def _dialled(number: str) -> str:
    if local := _DIALLED_FROM_KAZAKHSTAN.fullmatch(number):
        return " ".join(["8", *local.groups()])
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return number  # The country code does not exist.
    shown = phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
    return shown if key(shown) == number else number

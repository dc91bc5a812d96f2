"""The funnel counted in plain Python, row by row, to compare the database's answer with."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache
from typing import Any
from uuid import UUID

from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, format_number

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlainFunnel:
    visitors: int
    emailed: int
    purchases: int
    sources: dict[str, tuple[int, int, int]]
    phones: Counter[str]
    emails: Counter[str]

    @property
    def repeated_phones(self) -> dict[str, int]:
        return {key: times for key, times in self.phones.items() if times > 1}

    @property
    def repeated_emails(self) -> dict[str, int]:
        return {key: times for key, times in self.emails.items() if times > 1}


def count(rows: list[Row], start: datetime, end: datetime) -> PlainFunnel:
    inside = [row for row in rows if start <= row["created_at"] < end]
    sources: dict[str, list[int]] = {}
    phones: Counter[str] = Counter()
    emails: Counter[str] = Counter()
    visitors = emailed = purchases = 0
    for row in inside:
        source = row.get("source") or ""
        figures = sources.setdefault(source, [0, 0, 0])
        figures[0] += 1
        visitors += source.startswith("proftest")
        if row.get("email_sent"):
            emailed += 1
            figures[1] += 1
        if row.get("sms_clicked"):
            purchases += 1
            figures[2] += 1
            phones[one_spelling(row["phone"])] += 1
            emails[address(row.get("email"))] += 1
    del phones[""], emails[""]
    ranked = {name: (leads, sent, bought) for name, (leads, sent, bought) in sources.items()}
    return PlainFunnel(visitors, emailed, purchases, ranked, phones, emails)


@cache
def one_spelling(phone: str) -> str:
    """The first number in the text, by the numbering plans; empty without one."""
    text = re.sub(r"^00", "+", phone.strip())
    found = next(iter(PhoneNumberMatcher(text, "KZ", leniency=Leniency.VALID)), None)
    return format_number(found.number, PhoneNumberFormat.E164) if found else ""


def address(email: str | None) -> str:
    """The address in lower case; empty where there is none."""
    text = (email or "").strip().lower()
    return text if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text) else ""


def half_up(part: int, whole: int, decimals: int) -> Fraction:
    """`part` ÷ `whole` in percent, in whole numbers only."""
    if not whole:
        return Fraction(0)
    scale = 10**decimals
    return Fraction((2 * part * 100 * scale + whole) // (2 * whole), scale)


# --- Who is where ------------------------------------------------------------------------------

_PATH: tuple[tuple[str, Callable[[Row], bool]], ...] = (
    ("tested", lambda row: (row["source"] or "").startswith("proftest")),
    ("messaged", lambda row: row["email_sent"] is True or row["sms_sent"] is True),
    ("clicked", lambda row: row["email_clicked"] is True or row["sms_clicked"] is True),
    ("bought", lambda row: row["sms_clicked"] is True),
)
_REPORT: dict[str, Callable[[Row], bool]] = {
    "proftest": _PATH[0][1],
    "express": lambda row: row["email_sent"] is True,
    "payment": _PATH[3][1],
}


def is_in_step(row: Row, step: str, *, lost: bool) -> bool:
    """Whether a row is in a step; with `lost`, in the step before it and not in this one."""
    if step in _REPORT:
        names = list(_REPORT)
        before = names[names.index(step) - 1]
        here = _REPORT[step](row)
        return _REPORT[before](row) and not here if lost else here
    passed = 0
    for _, condition in _PATH:
        if not condition(row):
            break
        passed += 1
    place = [name for name, _ in _PATH].index(step)
    return passed == place if lost else passed > place


def persons(rows: list[Row]) -> list[set[UUID]]:
    """Rows joined to persons by shared phones and e-mails: those with more than one row."""
    parent: dict[object, object] = {}

    def root(one: object) -> object:
        while parent.setdefault(one, one) != one:
            one = parent[one]
        return one

    for row in rows:
        phone, email = one_spelling(row["phone"]), address(row["email"])
        for key in filter(None, (phone and ("phone", phone), email and ("email", email))):
            parent[root(key)] = root(row["id"])
    groups: dict[object, set[UUID]] = {}
    for row in rows:
        groups.setdefault(root(row["id"]), set()).add(row["id"])
    return [group for group in groups.values() if len(group) > 1]

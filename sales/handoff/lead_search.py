"""Finds the person that a manager wants to open access for.

A phone or an e-mail must match exactly, so that a manager gets no list of strangers; each person
found so is written into the activity log. A name finds open lines of the queue, which every manager
sees anyway. The search reads Landing first, so that it finds a lead of this minute; while Landing
is away, it uses what was read last.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import django.db
from django.db import transaction

from onai.contacts import folding, phones
from onai.db import postgres
from onai.identity.roles import Identity
from sales import activity
from sales.activity import LineAct
from sales.handoff import buyers, contacts, landing_reader, queue, rounds
from sales.handoff.contacts import email_key
from sales.handoff.landing_reader import Reading
from sales.handoff.queue import Line
from sales.models import ActionType, Buyer

logger = logging.getLogger(__name__)

_MOST, _READ = 5, 100
_SHORTEST_NAME = 2


@dataclass(frozen=True, slots=True)
class FoundLeads:
    """The persons found, and whether Landing could be asked."""

    lines: Sequence[Line]
    landing_answers: bool = True


def find(text: str, asker: Identity) -> FoundLeads:
    """The persons with exactly this phone or e-mail, or with this name and an open line."""
    email = email_key(text) if "@" in text else None
    phone = None if "@" in text else phones.key(text)
    if email is None and (phone is None or any(letter.isalpha() for letter in text)):
        return FoundLeads(queue.lines_of(_called(text), asker))
    answers = _read(email, phone)
    having = {"email_key": email} if email else {"phone_key": phone}
    found = Buyer.objects.filter(**{f"contacts__{name}": key for name, key in having.items()})
    lines = queue.lines_of(list(found.distinct().order_by("created_at")[:_MOST]), asker)
    for line in lines:
        _log(line.buyer, asker)
    return FoundLeads(lines, answers)


def _called(name: str) -> list[Buyer]:
    """The open lines whose name has each of these words."""
    words = folding.fold(name).split()
    if not words or min(map(len, words)) < _SHORTEST_NAME:
        return []
    waiting = Buyer.objects.filter(waiting_since__isnull=False)
    for word in words:
        waiting = waiting.filter(name__regex=folding.pattern(word))
    return list(waiting.order_by("waiting_since", "pk")[:_MOST])


def _read(email: str | None, phone: str | None) -> bool:
    """Read the leads with this key as they stand; False where Landing cannot answer."""
    try:
        rows = _rows(email, phone)
    except django.db.Error as error:
        # Without the database's message, which may quote the searched text.
        logger.warning("landing_not_searched", extra={"error": type(error).__name__})
        return False
    now = postgres.clock("tripwire")
    with transaction.atomic(using="tripwire"):
        buyers.lock_matching()
        if changed := contacts.keep(rows, now=now, unsure=landing_reader.unsure()):
            buyers.regroup(changed)
    return True


def _rows(email: str | None, phone: str | None) -> list[Reading]:
    if email is not None:
        rows = landing_reader.leads_of_email(email, size=_READ)
        return [row for row in rows if email_key(row.email) == email]
    assert phone is not None  # noqa: S101 - for the type checker
    since = postgres.clock("landing") - rounds.WINDOW
    rows = landing_reader.leads_of_phone(phone, since=since, size=_READ)
    return [row for row in rows if phones.key(row.phone) == phone]


def _log(buyer: Buyer, asker: Identity) -> None:
    activity.log(
        ActionType.STATUS_CHANGED,
        by=asker.user_id,
        account_id=None,
        email="",
        full_name=buyer.name,
        change=LineAct.FIND,
        buyer_id=str(buyer.pk),
    )

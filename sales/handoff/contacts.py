"""Stores leads and deals as last read from Landing, and detects what changed.

A signal keeps the moment at which it was first seen. If the signal or its whole row disappears from
Landing, the signal stays and is marked with the moment at which we noticed.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError

from onai.contacts import emails, phones
from sales.handoff.landing_reader import Mark, Reading
from sales.models import BuyerContact, ContactKind, SignalKind

# Signals that Landing tells; a report by hand is ours.
_OF_LANDING = (SignalKind.WON, SignalKind.CHOSE, SignalKind.CLICKED)
_WRITTEN = [
    field.name
    for field in BuyerContact._meta.concrete_fields
    if field.name not in ("id", "buyer", "by_hand_at")
]


def email_key(email: str) -> str | None:
    """The normal form of an address, None where it is none."""
    try:
        return emails.clean(email) if email.strip() else None
    except ValidationError:
        return None


def keep(
    readings: Sequence[Reading],
    *,
    now: datetime,
    unsure: Collection[SignalKind] = (),
) -> list[UUID]:
    """Keep these rows of Landing; returns the ids of those that have changed.

    `now` is the database's time. A missing signal of an `unsure` kind does not count as gone.
    """
    known = BuyerContact.objects.in_bulk([one.id for one in readings])
    changed = []
    for reading in readings:
        contact = known.get(reading.id)
        fingerprint = _fingerprint(reading)
        if contact and contact.fingerprint == fingerprint and contact.missing_at is None:
            continue
        is_new = contact is None
        contact = contact or BuyerContact(id=reading.id, created_at=reading.created_at or now)
        _fill(contact, reading)
        contact.fingerprint = fingerprint
        # A signal without a moment counts at the row's creation on a new row, and now on a known
        # row, where it has appeared since.
        otherwise = contact.created_at if is_new else now
        for kind in _OF_LANDING:
            mark = getattr(reading, kind.value)
            if mark is not None:
                _note(contact, kind, mark, otherwise)
            elif kind not in unsure:
                _note_gone(contact, kind, now)
        changed.append(contact)
    BuyerContact.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["id"], update_fields=_WRITTEN
    )
    return [one.pk for one in changed]


def keep_missing(ids: Iterable[UUID], *, now: datetime) -> list[UUID]:
    """Mark rows that Landing no longer has; returns the ids of those that have changed."""
    missing = list(BuyerContact.objects.filter(pk__in=ids, missing_at=None))
    for contact in missing:
        contact.missing_at = now
        for kind in _OF_LANDING:
            _note_gone(contact, kind, now)
    BuyerContact.objects.bulk_update(missing, ["missing_at", "gone"])
    return [one.pk for one in missing]


def _fingerprint(reading: Reading) -> str:
    return hashlib.blake2b(repr(reading).encode(), digest_size=12).hexdigest()


def _fill(contact: BuyerContact, reading: Reading) -> None:
    contact.kind = ContactKind.DEAL if reading.is_deal else ContactKind.LEAD
    contact.name, contact.phone, contact.email = reading.name, reading.phone, reading.email
    contact.source, contact.utm = reading.source, dict(reading.utm)
    contact.phone_key, contact.email_key = phones.key(reading.phone), email_key(reading.email)
    contact.deal_key = reading.deal_key
    contact.created_at = reading.created_at or contact.created_at
    contact.missing_at = None


def _note(contact: BuyerContact, kind: SignalKind, mark: Mark, otherwise: datetime) -> None:
    """Record a signal at its own moment; without one, at the moment when we first saw it."""
    known = contact.signal_at(kind)
    seen = mark.at or known or otherwise
    setattr(contact, f"{kind.value}_at", min(seen, known) if known else seen)
    contact.gone.pop(kind.value, None)
    if kind is SignalKind.CHOSE:
        contact.chose_how = mark.how
    if kind is SignalKind.WON:
        contact.won_amount = mark.amount


def _note_gone(contact: BuyerContact, kind: SignalKind, now: datetime) -> None:
    if contact.signal_at(kind) is not None:
        contact.gone.setdefault(kind.value, now.isoformat())

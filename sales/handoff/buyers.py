"""Makes buyers of contacts: one person's leads and deals, their signals, and their line.

A contact that changes may join another person or leave one, so all contacts that are connected with
it are grouped again. A person who falls into two keeps their line; the other begins a new one. The
line of a person who is joined with another goes to the one who remains.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections
from django.db.models import Q

from sales.handoff.persons import Contact, Person, persons
from sales.models import (
    Ambiguity,
    Buyer,
    BuyerContact,
    ClosingReason,
    SignalKind,
    StudentLead,
)

# A phone or an e-mail of more contacts than that identifies nobody: an office, a made-up number.
CROWDED = 50
_CONNECTING = ("phone_key", "email_key", "deal_key", "buyer_id")
_CLAIM = ("claimed_until", "claimed_by", "claimed_name")
_CLOSING = ("closed_at", "closed_by", "closed_name", "closed_reason", "closed_note")
_WRITTEN = [field.name for field in Buyer._meta.concrete_fields if field.name != "id"]


def regroup(changed: Iterable[UUID]) -> list[UUID]:
    """Regroup these contacts and all contacts connected with them; returns the ids of the buyers.

    Runs in the caller's transaction. A lock makes other transactions wait.
    """
    lock_matching()
    contacts, crowded = _connected(list(changed))
    found = persons([keys_of(one) for one in contacts], crowded=crowded)
    by_id = {one.pk: one for one in contacts}
    former = {one.pk: one.buyer_id for one in contacts if one.buyer_id}
    buyers = {one.pk: one for one in _locked(former.values())}
    taken: dict[UUID, Buyer] = {}
    moved: list[BuyerContact] = []
    # In order of the oldest contact, so that a repeated run gives the same result.
    for person in sorted(found, key=lambda one: min(_age(by_id[each]) for each in one.contacts)):
        theirs = sorted((by_id[one] for one in person.contacts), key=_age)
        buyer = _buyer_of(theirs, buyers, taken)
        taken[buyer.pk] = buyer
        for one in theirs:
            if one.buyer_id != buyer.pk:
                one.buyer_id = buyer.pk
                moved.append(one)
        _join(buyer, theirs, person)
    absorbed = {pk: buyer for pk, buyer in buyers.items() if pk not in taken}
    heirs = {
        former[one.pk]: taken[one.buyer_id] for one in contacts if one.pk in former and one.buyer_id
    }
    for pk, buyer in absorbed.items():
        _inherit(heirs[pk], buyer)
    for buyer in taken.values():
        buyer.waiting_since = line_opened_at(buyer)
    _write(list(taken.values()), moved, absorbed)
    return list(taken)


def refresh_lines(buyers: Iterable[Buyer]) -> None:
    """Open or close the lines of these buyers, for example after a change of `QUEUE_SIGNALS`."""
    changed = []
    for buyer in buyers:
        since = line_opened_at(buyer)
        if since != buyer.waiting_since:
            buyer.waiting_since = since
            changed.append(buyer)
    Buyer.objects.bulk_update(changed, ["waiting_since"], batch_size=1_000)


def lock_matching() -> None:
    """Take the lock that serialises regrouping and matching, until the transaction ends."""
    with connections["tripwire"].cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('sales.handoff'))")


def line_opened_at(buyer: Buyer) -> datetime | None:
    """Since when the line is open; None if it is closed.

    Reopens a line that was closed as unpaid if a deal was won later.
    """
    if buyer.closed_reason == ClosingReason.NOT_PAID and _paid_since(buyer):
        for name in _CLOSING:
            setattr(buyer, name, None if name in ("closed_at", "closed_by") else "")
    return None if buyer.closed_at else first_opening_signal_at(buyer)


def first_opening_signal_at(buyer: Buyer) -> datetime | None:
    """The earliest signal that opens a line (`QUEUE_SIGNALS`), even if it has since disappeared."""
    kinds = (*settings.QUEUE_SIGNALS, SignalKind.BY_HAND)
    return min((at for kind in kinds if (at := buyer.signal_at(SignalKind(kind)))), default=None)


def _paid_since(buyer: Buyer) -> bool:
    """Whether a deal was won after the line was closed as unpaid."""
    return bool(buyer.won_at and buyer.closed_at and buyer.won_at > buyer.closed_at)


# --- Which contacts belong together ------------------------------------------------------------


def _connected(changed: list[UUID]) -> tuple[list[BuyerContact], frozenset[str]]:
    """These contacts and all that share a key or a buyer with one of them, and so on; and the keys
    that are crowded.
    """
    found: dict[UUID, BuyerContact] = {}
    looked_at: set[tuple[str, object]] = set()
    crowded: set[str] = set()
    condition = Q(pk__in=changed)
    while condition:
        fresh = [one for one in BuyerContact.objects.filter(condition) if one.pk not in found]
        found |= {one.pk: one for one in fresh}
        keys = {name: _new_values(name, fresh, looked_at) for name in _CONNECTING}
        condition = Q()
        for name, values in keys.items():
            if name in ("phone_key", "email_key"):
                crowded |= (too_many := _crowded(name, values))
                condition |= _once_joined(name, too_many)
            if wanted := values - crowded:
                condition |= Q(**{f"{name}__in": wanted})
    return sorted(found.values(), key=_age), frozenset(crowded)


def _new_values(
    name: str, contacts: Iterable[BuyerContact], looked_at: set[tuple[str, object]]
) -> set[Any]:
    found = {(name, getattr(one, name)) for one in contacts} - looked_at - {(name, None)}
    looked_at |= found
    return {value for _, value in found}


def _once_joined(name: str, crowded: Iterable[str]) -> Q:
    """The contacts that one of these keys joined before it was crowded."""
    joined: list[UUID] = []
    for key in crowded:
        having = BuyerContact.objects.filter(**{name: key}, buyer__isnull=False)
        joined += having.values_list("pk", flat=True)[:CROWDED]
    return Q(pk__in=joined) if joined else Q()


def _crowded(column: str, keys: Iterable[str]) -> set[str]:
    """Those of the keys that too many contacts have."""
    if not (wanted := list(keys)):
        return set()
    with connections["tripwire"].cursor() as cursor:
        cursor.execute(
            "select key from unnest(%s::text[]) as wanted(key) where exists"  # noqa: S608
            f" (select from sales_buyer_contacts where {column} = key offset {CROWDED})",
            [wanted],
        )
        return {key for (key,) in cursor.fetchall()}


def _age(contact: BuyerContact) -> tuple[datetime, str]:
    return contact.created_at, str(contact.pk)


def keys_of(contact: BuyerContact) -> Contact:
    keys = (contact.phone_key, contact.email_key, contact.deal_key)
    return Contact(contact.pk, *keys, contact.name)


# --- Who is which buyer ------------------------------------------------------------------------


def _locked(ids: Iterable[UUID]) -> Iterable[Buyer]:
    return Buyer.objects.filter(pk__in=ids).order_by("pk").select_for_update()


def _buyer_of(
    theirs: list[BuyerContact], buyers: dict[UUID, Buyer], taken: dict[UUID, Buyer]
) -> Buyer:
    """The buyer that the oldest of these contacts had, or a new one."""
    for one in theirs:
        if one.buyer_id in buyers and one.buyer_id not in taken:
            return buyers[one.buyer_id]
    return Buyer(created_at=theirs[0].created_at)


def _inherit(heir: Buyer, absorbed: Buyer) -> None:
    """Give the heir the students of a buyer who was joined with them, and the line's state."""
    StudentLead.objects.filter(buyer_id=absorbed.pk).update(buyer_id=heir.pk)
    for names in (_CLAIM, _CLOSING):
        if getattr(heir, names[0]) is None and getattr(absorbed, names[0]) is not None:
            for name in names:
                setattr(heir, name, getattr(absorbed, name))


def _write(buyers: list[Buyer], moved: list[BuyerContact], absorbed: Iterable[UUID]) -> None:
    Buyer.objects.bulk_create(
        buyers, update_conflicts=True, unique_fields=["id"], update_fields=_WRITTEN
    )
    BuyerContact.objects.bulk_update(moved, ["buyer"], batch_size=1_000)
    Buyer.objects.filter(pk__in=absorbed).delete()


# --- What is known of a person -----------------------------------------------------------------


def _join(buyer: Buyer, theirs: list[BuyerContact], person: Person) -> None:
    """Fill in a buyer from their contacts, the oldest first."""
    there = [one for one in theirs if one.missing_at is None] or theirs
    for name in ("name", "phone", "email"):
        # As the newest says, because a returning person corrects them.
        newest = next((value for one in reversed(there) if (value := getattr(one, name))), "")
        setattr(buyer, name, newest)
    buyer.source = next((one.source for one in theirs if one.source), None)
    buyer.utm = next((one.utm for one in theirs if one.utm), {})
    buyer.created_at = theirs[0].created_at
    buyer.ambiguity = Ambiguity.SHARED_PHONE if person.shares_phone else ""
    buyer.gone = {}
    for kind in SignalKind:
        _join_signal(buyer, kind, theirs)
    won = [one.won_amount or 0 for one in theirs if one.won_at and "won" not in one.gone]
    buyer.won_amount = sum(won) or None
    buyer.chose_how = next((one.chose_how for one in theirs if one.chose_how), "")
    seen = [(at, one) for one in theirs if (at := _first_signal(one)) and one.kind == "lead"]
    buyer.lead_id = min(seen, key=lambda pair: pair[0])[1].pk if seen else _lead_of(theirs)


def _join_signal(buyer: Buyer, kind: SignalKind, theirs: list[BuyerContact]) -> None:
    """The earliest moment of a signal; gone only where it is gone from every contact."""
    having = [(at, one) for one in theirs if (at := one.signal_at(kind))]
    live = [at for at, one in having if kind.value not in one.gone]
    setattr(buyer, f"{kind.value}_at", min((at for at, _ in having), default=None))
    if having and not live:
        buyer.gone[kind.value] = max(one.gone[kind.value] for _, one in having)


def _first_signal(contact: BuyerContact) -> datetime | None:
    return min((at for kind in SignalKind if (at := contact.signal_at(kind))), default=None)


def _lead_of(theirs: list[BuyerContact]) -> UUID | None:
    return next((one.pk for one in theirs if one.kind == "lead"), None)

"""Groups leads and deals by person.

Contacts with one e-mail address, or with one deal of the CRM, belong to one person. So do contacts
with one phone, unless a family shares it: a phone is shared where its contacts have both different
e-mails and different names, and then the phone alone identifies nobody. Names alone never join two
contacts.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from onai.contacts import folding


@dataclass(frozen=True, slots=True)
class Contact:
    """What identifies the person of a lead or a deal; None where it is missing."""

    id: UUID
    phone_key: str | None
    email_key: str | None
    deal_key: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """The contacts of one person. `shares_phone`: another person has one of their phones, too."""

    contacts: tuple[UUID, ...]
    shares_phone: bool


class _Union:
    """Groups of contacts that grow together (union-find)."""

    def __init__(self, ids: Iterable[UUID]) -> None:
        self._parents = {one: one for one in ids}
        self.joins = 0

    def root(self, one: UUID) -> UUID:
        while self._parents[one] != one:
            self._parents[one] = self._parents[self._parents[one]]
            one = self._parents[one]
        return one

    def join(self, ids: Sequence[UUID]) -> None:
        for one in ids[1:]:
            mine, theirs = self.root(one), self.root(ids[0])
            self.joins += mine != theirs
            self._parents[mine] = theirs


def persons(contacts: Sequence[Contact], *, crowded: frozenset[str] = frozenset()) -> list[Person]:
    """The persons of these contacts. `crowded` are phones and e-mails of too many contacts to
    identify anybody."""
    union = _Union(one.id for one in contacts)
    for key in ("email_key", "deal_key"):
        for group in _by(contacts, key, crowded).values():
            union.join([one.id for one in group])
    groups = _by(contacts, "phone_key", crowded).values()
    families, joins = list(groups), -1
    while joins != union.joins:
        # A join on one phone may make the contacts of another phone one person, so repeat.
        joins = union.joins
        families = [group for group in families if not _join_one_phone(group, union)]
    sharing = {union.root(one.id) for group in families for one in group}
    sharing |= {union.root(one.id) for one in contacts if one.phone_key in crowded}
    found = defaultdict(list)
    for one in contacts:
        found[union.root(one.id)].append(one.id)
    return [Person(tuple(ids), root in sharing) for root, ids in found.items()]


def _by(contacts: Iterable[Contact], key: str, crowded: frozenset[str]) -> dict[str, list[Contact]]:
    found = defaultdict(list)
    for one in contacts:
        value = getattr(one, key)
        if value and value not in crowded:
            found[value].append(one)
    return found


def _join_one_phone(group: list[Contact], union: _Union) -> bool:
    """Join the contacts of one phone that are one person; returns whether all of them are."""
    names = _names_of(group, union)
    for written in names:
        # «Дана» joins «Дана Ким» if that is the only longer name that contains it.
        longer = {union.root(names[other][0]) for other in names if written < other}
        if len(longer) == 1:
            union.join([next(iter(longer)), *names[written]])
    roots = {union.root(one.id) for one in group}
    with_email = {union.root(one.id) for one in group if one.email_key}
    if len(with_email) > 1 and len({union.root(ids[0]) for ids in names.values()}) > 1:
        return False
    union.join(sorted(roots))
    return True


def _names_of(group: list[Contact], union: _Union) -> dict[frozenset[str], list[UUID]]:
    """The contacts by the words of their names; those with equal words are joined."""
    names = defaultdict(list)
    for one in group:
        if words := frozenset(folding.fold(one.name).split()):
            names[words].append(one.id)
    for ids in names.values():
        union.join(ids)
    return names

"""Persons with more than one purchase, by phone or by e-mail.

A person may leave one phone with two e-mails, and one of these e-mails with another phone.
Purchases are one person's when a chain of shared phones and e-mails connects them. For chosen
sources only their purchases count: a person with one purchase in each of two sources is listed only
when both are chosen.

Contacts are read past the cache, never kept, and in no log. Which leads are of one person is kept
like any figure, by the ids of the leads alone.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections

from funnel.landing.freshness import answer
from funnel.models import Lead
from funnel.people.listing import CONTACTS, Contacts, contacts_of, read_uncached
from onai.periods import Period

PAGE = 20
# The number of purchases that the API tells of one person; the file has all.
SHOWN_OF_ONE = 50
# The number of persons that the file reads together.
_TOGETHER = 500

# All purchases are counted; only those that share a phone or an e-mail are returned.
_SHARED = """
with purchase (id, phone_key, email_key) as materialized ({purchases}),
counted as (
  select statement_timestamp() as as_of, count(*) as purchases, count(distinct phone_key) as phones,
    count(distinct email_key) as emails, count(*) - count(phone_key) as without_phone,
    count(*) - count(email_key) as without_email
  from purchase
),
shared as (
  select id, phone_key, email_key
  from (
    select id, phone_key, email_key,
      count(phone_key) over (partition by phone_key) as by_phone,
      count(email_key) over (partition by email_key) as by_email
    from purchase
  ) as keyed
  where by_phone > 1 or by_email > 1
)
select counted.*, shared.*, created_at
from counted left join (shared join landing_leads using (id)) on true
"""


@dataclass(frozen=True, slots=True)
class DuplicateCheck:
    """Whether one person was counted as several purchases.

    Phones and e-mails are compared by the keys of `onai.contacts`. A purchase without a phone or an
    e-mail is nobody's duplicate. `repeated_phones` and `repeated_emails` are the numbers of those
    with more than one purchase.
    """

    purchases: int
    distinct_phones: int
    distinct_emails: int
    without_phone: int
    without_email: int
    repeated_phones: int
    repeated_emails: int

    @property
    def found(self) -> bool:
        return bool(self.repeated_phones or self.repeated_emails)


@dataclass(frozen=True, slots=True)
class Purchase(Contacts):
    """One purchase as its lead stands in the table. `bought_at` may be unknown."""

    bought_at: datetime | None


@dataclass(frozen=True, slots=True)
class RepeatBuyer:
    """One person. `purchases` counts all of theirs, `rows` are the newest of them.

    `same_phone` and `same_email` say whether any of the purchases share one.
    """

    place: int
    purchases: int
    same_phone: bool
    same_email: bool
    rows: tuple[Purchase, ...]

    @property
    def not_shown(self) -> int:
        return self.purchases - len(self.rows)


@dataclass(frozen=True, slots=True)
class DuplicatesPage:
    """One page of persons, those with the most purchases first.

    `persons` and `purchases` count all pages; `check` is about all purchases. Contacts are of now,
    everything else of `as_of`.
    """

    as_of: datetime
    buyers: tuple[RepeatBuyer, ...]
    persons: int
    purchases: int
    number: int
    check: DuplicateCheck

    @property
    def following(self) -> int | None:
        return self.number + 1 if self.number * PAGE < self.persons else None


def page_of_duplicates(
    period: Period,
    *,
    sources: Collection[str] = (),
    number: int = 1,
    of_one: int = SHOWN_OF_ONE,
) -> DuplicatesPage:
    """The persons of page `number`, from 1, by the purchases of `sources` or of all, with so many
    of each one's purchases, at most `SHOWN_OF_ONE`.

    Raises PeopleUnavailable when the database cannot answer.
    """
    asked = f"duplicates {period} {sorted(set(sources))} {number}"
    found = answer(
        asked, lambda: _read_page(period, sources, number), kind=_Page, only_current=True
    ).figures
    return DuplicatesPage(
        as_of=found.as_of,
        buyers=_buyers(found.groups, (number - 1) * PAGE + 1, of_one),
        persons=found.persons,
        purchases=found.purchases,
        number=number,
        check=found.check,
    )


def all_duplicates(period: Period, *, sources: Collection[str] = ()) -> Iterator[RepeatBuyer]:
    """Every person with every purchase.

    The persons are read at once, their rows while they are consumed; raises as
    `page_of_duplicates`, then or later.
    """
    _, _, persons = _persons(period, sources)
    return _all(persons)


def _all(persons: Sequence["_Person"]) -> Iterator[RepeatBuyer]:
    for first in range(0, len(persons), _TOGETHER):
        groups = [_group(person, None) for person in persons[first : first + _TOGETHER]]
        yield from _buyers(groups, first + 1, None)


@dataclass(frozen=True, slots=True)
class _Shared:
    """A purchase that shares its phone or its e-mail with another."""

    id: UUID
    phone_key: str | None
    email_key: str | None
    created_at: datetime


# One person's purchases, newest first.
_Person = list[_Shared]


@dataclass(frozen=True, slots=True)
class _Group:
    """One person's purchases, without contacts: their number, and the ids of the newest."""

    purchases: int
    same_phone: bool
    same_email: bool
    newest: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class _Page:
    """What is kept of a page of persons."""

    as_of: datetime
    check: DuplicateCheck
    persons: int
    purchases: int
    groups: tuple[_Group, ...]


def _read_page(period: Period, sources: Collection[str], number: int) -> _Page:
    as_of, check, persons = _persons(period, sources)
    shown = persons[(number - 1) * PAGE : number * PAGE]
    return _Page(
        as_of=as_of,
        check=check,
        persons=len(persons),
        purchases=sum(map(len, persons)),
        groups=tuple(_group(person, SHOWN_OF_ONE) for person in shown),
    )


def _group(person: _Person, most: int | None) -> _Group:
    return _Group(
        purchases=len(person),
        same_phone=_share(one.phone_key for one in person),
        same_email=_share(one.email_key for one in person),
        newest=tuple(one.id for one in person[:most]),
    )


def _persons(
    period: Period, sources: Collection[str]
) -> tuple[datetime, DuplicateCheck, list[_Person]]:
    """The moment and the check of all purchases, and the persons, those with the most first."""
    keys = Lead.objects.created_in(period).of_sources(sources).purchases().person_keys()
    statement, parameters = keys.query.get_compiler("landing").as_sql()

    def ask() -> list[tuple[Any, ...]]:
        with connections["landing"].cursor() as cursor:
            cursor.execute(_SHARED.format(purchases=statement), parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    rows = read_uncached(ask)
    shared = [_Shared(*row[6:]) for row in rows if row[6] is not None]
    persons = _joined(shared)
    for person in persons:
        person.sort(key=lambda one: one.id)
        person.sort(key=lambda one: one.created_at, reverse=True)
    persons.sort(key=lambda person: min(str(one.id) for one in person))
    persons.sort(key=lambda person: (len(person), person[0].created_at), reverse=True)
    as_of, purchases, distinct_phones, distinct_emails, without_phone, without_email = rows[0][:6]
    repeated_phones, repeated_emails = _repeated(shared)
    check = DuplicateCheck(
        purchases=purchases,
        distinct_phones=distinct_phones,
        distinct_emails=distinct_emails,
        without_phone=without_phone,
        without_email=without_email,
        repeated_phones=repeated_phones,
        repeated_emails=repeated_emails,
    )
    return as_of, check, persons


def _joined(shared: Sequence[_Shared]) -> list[_Person]:
    """The purchases by person: a union-find over their phones and e-mails."""
    parents = list(range(len(shared)))
    first_with: dict[tuple[str, str], int] = {}

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    for place, one in enumerate(shared):
        for kind, key in (("phone", one.phone_key), ("email", one.email_key)):
            if key is not None:
                parents[root(place)] = root(first_with.setdefault((kind, key), place))
    persons: dict[int, _Person] = {}
    for place, one in enumerate(shared):
        persons.setdefault(root(place), []).append(one)
    return list(persons.values())


def _repeated(shared: Sequence[_Shared]) -> tuple[int, int]:
    """How many phones and how many e-mails have more than one purchase."""
    by_phone = Counter(one.phone_key for one in shared if one.phone_key is not None)
    by_email = Counter(one.email_key for one in shared if one.email_key is not None)
    return sum(n > 1 for n in by_phone.values()), sum(n > 1 for n in by_email.values())


def _buyers(groups: Sequence[_Group], place: int, of_one: int | None) -> tuple[RepeatBuyer, ...]:
    """The persons from this place on, with at most so many of their purchases."""
    ids = [one for group in groups for one in group.newest[:of_one]]
    leads = read_uncached(lambda: Lead.objects.only(*CONTACTS, "sms_clicked_at").in_bulk(ids))
    return tuple(
        RepeatBuyer(
            place=place + number,
            purchases=group.purchases,
            same_phone=group.same_phone,
            same_email=group.same_email,
            # A purchase deleted meanwhile has no row any more.
            rows=tuple(
                Purchase(*contacts_of(lead), bought_at=lead.sms_clicked_at)
                for one in group.newest[:of_one]
                if (lead := leads.get(one))
            ),
        )
        for number, group in enumerate(groups)
    )


def _share(keys: Iterable[str | None]) -> bool:
    known = [key for key in keys if key is not None]
    return len(set(known)) < len(known)

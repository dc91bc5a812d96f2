"""The persons behind repeated purchases: who bought more than once, by phone or by e-mail.

One person may have left one phone with two e-mails, and one of these e-mails with another phone:
purchases are one person's when a chain of shared phones and e-mails connects them. Of chosen
sources only their purchases count, as in the funnel's check: who bought once of each of two is
nobody here for one of them, and one person for both.
These are personal data: they are read past the cache, never kept, and are in no log.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import connections

from funnel.models import Lead
from funnel.people.listing import asked_past_the_cache, email_link
from onai.contacts import phones
from onai.periods import Period

PAGE = 20
# What a page shows of one person; the file has all.
SHOWN_OF_ONE = 50
_ALL = 2**31 - 1

# Each purchase that shares a phone or an e-mail begins as a person of its own, by a number without
# meaning. In each round it joins the lowest person that its phone, its e-mail or its person's other
# purchases know of, until nobody moves any more. Numbers in random order halve the persons left to
# join from round to round, so that also a long chain takes few rounds.
_PERSONS = """
with recursive purchase (id, phone_key, email_key) as materialized ({purchases}),
shared as (
  select id, phone_key, email_key, row_number() over (order by md5(id::text)) as person
  from (
    select id, phone_key, email_key,
      count(phone_key) over (partition by phone_key) as by_phone,
      count(email_key) over (partition by email_key) as by_email
    from purchase
  ) as counted
  where by_phone > 1 or by_email > 1
),
joined (round, id, phone_key, email_key, person, moving) as (
  select 0, id, phone_key, email_key, person, true from shared
  union all
  select round + 1, id, phone_key, email_key, lowest, bool_or(lowest < person) over ()
  from (
    select *, min(by_email) over (partition by person) as lowest
    from (
      select *, min(by_phone) over
        (partition by email_key, case when email_key is null then id end) as by_email
      from (
        select *, min(person) over
          (partition by phone_key, case when phone_key is null then id end) as by_phone
        from joined where moving
      ) as phones
    ) as emails
  ) as both_of_them
),
settled as (
  select joined.*, lead.created_at
  from joined join landing_leads as lead using (id)
  where round = (select max(round) from joined)
),
persons as (
  select person, count(*) as purchases,
    count(phone_key) > count(distinct phone_key) as same_phone,
    count(email_key) > count(distinct email_key) as same_email,
    row_number() over (order by count(*) desc, max(created_at) desc, min(id::text)) as place,
    count(*) over () as in_all,
    sum(count(*)) over () as purchases_in_all
  from settled group by person
),
numbered as (
  select *, row_number() over (partition by person order by created_at desc, id) as nth
  from settled
)
select place, purchases, same_phone, same_email, in_all, purchases_in_all::bigint,
  lead.name, lead.phone, lead.email, lead.source, lead.created_at, lead.sms_clicked_at
from persons
join numbered using (person)
join landing_leads as lead using (id)
where place > %s and place <= %s and nth <= %s
order by place, nth
"""


@dataclass(frozen=True, slots=True)
class Purchase:
    """One purchase as its lead stands in the table. `bought_at` may be unknown."""

    name: str
    phone: str
    phone_link: str
    phone_to_dial: str
    email: str
    email_link: str
    source: str
    created_at: datetime
    bought_at: datetime | None


@dataclass(frozen=True, slots=True)
class RepeatBuyer:
    """One person. `purchases` counts all of theirs, `rows` are the newest of them.

    `same_phone` and `same_email` tell whether any of the purchases share one.
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

    `persons` and `purchases` count those of all pages.
    """

    buyers: tuple[RepeatBuyer, ...]
    persons: int
    purchases: int
    number: int

    @property
    def following(self) -> int | None:
        return self.number + 1 if self.number * PAGE < self.persons else None


def page_of_duplicates(
    period: Period, *, sources: Collection[str] = (), number: int = 1
) -> DuplicatesPage:
    """The persons of page `number`, from 1, by the purchases of `sources` or of all. One statement.

    Raises PeopleUnavailable when the database cannot answer.
    """
    rows = _ask(period, sources, (number - 1) * PAGE, number * PAGE, SHOWN_OF_ONE)
    persons, purchases = rows[0][4:6] if rows else (0, 0)
    return DuplicatesPage(tuple(_buyers(rows)), persons, purchases, number)


def all_duplicates(period: Period, *, sources: Collection[str] = ()) -> Iterator[RepeatBuyer]:
    """Every person with every purchase, asked for at once; raises as `page_of_duplicates`."""
    return _buyers(_ask(period, sources, 0, _ALL, _ALL))


def _ask(
    period: Period, sources: Collection[str], first: int, last: int, of_one: int
) -> list[tuple[Any, ...]]:
    keys = Lead.objects.created_in(period).of_sources(sources).purchases().person_keys()
    statement, parameters = keys.query.get_compiler("landing").as_sql()

    def ask() -> list[tuple[Any, ...]]:
        with connections["landing"].cursor() as cursor:
            cursor.execute(_PERSONS.format(purchases=statement), [*parameters, first, last, of_one])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    return asked_past_the_cache(ask)


def _buyers(rows: Sequence[tuple[Any, ...]]) -> Iterator[RepeatBuyer]:
    for (place, purchases, same_phone, same_email), theirs in groupby(rows, lambda row: row[:4]):
        bought = tuple(_purchase(*row[6:]) for row in theirs)
        yield RepeatBuyer(place, purchases, same_phone, same_email, bought)


def _purchase(
    name: str,
    phone: str,
    email: str | None,
    source: str | None,
    *moments: datetime,
) -> Purchase:
    created_at, bought_at = moments
    return Purchase(
        name=name,
        phone=phone,
        phone_link=phones.link(phone),
        phone_to_dial=phones.spelled(phone),
        email=email or "",
        email_link=email_link(email),
        source=source or "",
        created_at=created_at,
        bought_at=bought_at,
    )

"""Who is in a step and who was lost at it: leads with their contacts, newest first.

These are personal data. They are read past the cache, never kept, and are in no log. A page is
found by the key of the row before it (`onai.web.paging`).
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

import django.db
from cachalot.api import cachalot_disabled
from django.core.cache import cache
from django.db.models import F, Min
from django.utils.translation import gettext_lazy as _

from funnel.landing.freshness import answer
from funnel.landing.statement import FiguresUnavailable, LeadsUnreadable, ask
from funnel.models import Lead, LeadQuerySet, source_name
from funnel.people.search import matching
from funnel.stages import StageId, is_at, is_lost_at
from onai.contacts import phones
from onai.db import outage
from onai.periods import Period, business_day
from onai.web import paging
from onai.web.paging import ListOrder, ListPage

logger = logging.getLogger(__name__)
Found = TypeVar("Found")

PAGE = 25
_BATCH = 2_000
_SOURCES_AT_MOST = 50
_OPENINGS_KEY, _A_DAY = "funnel:openings_are_written", 24 * 60 * 60
CONTACTS = ("name", "phone", "email", "source", "created_at")
_EVENTS = (
    "email_sent",
    "email_sent_at",
    "email_opened_at",
    "email_clicked",
    "email_clicked_at",
    "sms_sent",
    "sms_sent_at",
    "sms_clicked",
    "sms_clicked_at",
)
_NEWEST = ListOrder(F("created_at"))


class PeopleUnavailable(FiguresUnavailable):
    message = _("Список сейчас недоступен: база лидов не отвечает.")
    advice = _(
        "Этот список мы нигде больше не храним, поэтому покажем его, как только база ответит."
        " Попробуйте через минуту."
    )


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Which leads, of those created in `period`: in `step`, or lost at it.

    `sources` are as the landing pages wrote them, empty where they wrote none; none at all means
    any. Each word of `text` is in the name, the e-mail or the phone.
    """

    period: Period
    step: StageId
    lost: bool = False
    sources: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something on a lead's way. `at` may be unknown also where it happened."""

    happened: bool
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Contacts:
    """A lead's contacts as the landing page wrote them; `email` and `source` are empty where it
    wrote none. `email_link` is empty for what cannot be written to.
    """

    name: str
    phone: str
    email: str
    source: str
    created_at: datetime

    @property
    def phone_to_dial(self) -> str:
        """In one spelling."""
        return phones.spelled(self.phone)

    @property
    def email_link(self) -> str:
        address = self.email.strip()
        name, at, host = address.rpartition("@")
        good = at and name and "." in host and not any(letter.isspace() for letter in address)
        return f"mailto:{quote(address, safe='@')}" if good else ""


def contacts_of(lead: Lead) -> tuple[str, str, str, str, datetime]:
    """The values of a lead's `Contacts`."""
    return lead.name, lead.phone, lead.email or "", lead.source or "", lead.created_at


@dataclass(frozen=True, slots=True)
class Person(Contacts):
    """A lead, and how far they have come."""

    id: UUID
    emailed: Event
    opened: Event
    clicked: Event
    texted: Event
    bought: Event


def page_of_people(wanted: PeopleFilter, *, after: str = "") -> ListPage[Person]:
    """The page after the one whose `following` is `after`; nonsense leads to the first.

    Raises PeopleUnavailable when the database cannot answer.
    """
    page = read_uncached(
        lambda: paging.page_of(_matching(wanted), _NEWEST, after=after, size=PAGE, counted=True)
    )
    return page.showing(list(map(_person, page.rows)))


def everybody(wanted: PeopleFilter) -> Iterator[Person]:
    """All of them, read in batches while they are taken. The first is read at once.

    Raises PeopleUnavailable when the database cannot answer, then or later.
    """
    batches = paging.batches_of(_matching(wanted), _NEWEST, size=_BATCH)
    return _following(_next(batches), batches)


@dataclass(frozen=True, slots=True)
class SourceNames:
    """The sources of a period's leads, those with the most first, at `as_of`."""

    as_of: datetime
    names: tuple[str, ...]


_SOURCES = """
select statement_timestamp() as as_of, array(
  select coalesce(source, '') from landing_leads
  where created_at >= %(since)s and created_at < %(until)s
  group by 1 order by count(*) desc, 1 limit %(most)s
) as names
"""


def sources_of(period: Period) -> tuple[str, ...]:
    """The sources of a period's leads, those with the most first. Nothing personal, so kept."""
    told = {"since": period.start, "until": period.end, "most": _SOURCES_AT_MOST}

    def read() -> SourceNames:
        found = ask(_SOURCES, told)
        return SourceNames(found["as_of"], tuple(found["names"]))

    try:
        return answer(f"sources {period}", read, kind=SourceNames).figures.names
    except FiguresUnavailable as problem:
        # In the words of the list, which cannot be read either.
        raise PeopleUnavailable if type(problem) is FiguresUnavailable else problem from problem


def openings_are_written() -> bool:
    """Whether something has ever written when an e-mail was opened. Asked once a day.

    No index helps to find that out, so a database that is too busy for it counts as a no.
    """
    known = cache.get(_OPENINGS_KEY)
    if not isinstance(known, bool):
        try:
            known = Lead.objects.filter(email_opened_at__isnull=False).exists()
        except django.db.Error as error:
            logger.warning("openings_not_asked", extra={"error": type(error).__name__})
            known = False
        cache.set(_OPENINGS_KEY, known, _A_DAY)
    return known


def first_day() -> date | None:
    """The business day of the first lead, None without any."""
    created = _asked(lambda: Lead.objects.aggregate(first=Min("created_at")))["first"]
    return business_day(created) if created else None


def read_uncached(ask: Callable[[], Found]) -> Found:
    """What the database answers about persons, which nothing may keep."""
    with _past_the_cache():
        return _asked(ask)


@contextmanager
def _past_the_cache() -> Iterator[None]:
    """`cachalot_disabled`, which an exception would leave disabled for good."""
    disabled = cachalot_disabled()
    disabled.__enter__()
    try:
        yield
    finally:
        disabled.__exit__(None, None, None)


def _asked(ask: Callable[[], Found]) -> Found:
    try:
        return ask()
    except django.db.DataError:
        raise  # The database did answer: a value does not suit it.
    except django.db.Error as error:
        # Without what the database said: it may quote the statement, and so what was searched.
        logger.error("people_unavailable", extra={"error": type(error).__name__})
        raise PeopleUnavailable if outage.reason(error) else LeadsUnreadable from None


def _matching(wanted: PeopleFilter) -> LeadQuerySet:
    condition = is_lost_at(wanted.step) if wanted.lost else is_at(wanted.step)
    leads = Lead.objects.created_in(wanted.period).filter(condition).only(*CONTACTS, *_EVENTS)
    if wanted.sources:
        leads = leads.annotate(source_name=source_name()).filter(source_name__in=wanted.sources)
    if wanted.text:
        leads = leads.filter(matching(wanted.text))
    return leads


def _next(batches: Iterator[list[Lead]]) -> list[Lead]:
    return read_uncached(lambda: next(batches, []))


def _following(batch: list[Lead], batches: Iterator[list[Lead]]) -> Iterator[Person]:
    while batch:
        yield from map(_person, batch)
        batch = _next(batches)


def _person(lead: Lead) -> Person:
    clicked = bool(lead.email_clicked)
    opened = clicked or lead.email_opened_at is not None
    return Person(
        *contacts_of(lead),
        id=lead.pk,
        emailed=_event(bool(lead.email_sent), lead.email_sent_at),
        opened=_event(opened, lead.email_opened_at),
        clicked=_event(clicked, lead.email_clicked_at),
        texted=_event(bool(lead.sms_sent), lead.sms_sent_at),
        bought=_event(bool(lead.sms_clicked), lead.sms_clicked_at),
    )


def _event(happened: bool, at: datetime | None) -> Event:
    return Event(happened, at if happened else None)

"""The rows of the pages of persons as ready texts and links, so that their templates only draw.

Moments are of the business's time zone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils import dateformat
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from funnel.people.duplicates import Purchase
from funnel.people.listing import Contacts, Person
from funnel.report.sources import readable


@dataclass(frozen=True, slots=True)
class ContactsRow:
    """A lead's contacts; each is empty where there is none, but not the name."""

    name: str
    source: str
    created_at: str
    phone: str
    phone_link: str
    email: str
    email_link: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that happened on a lead's way. `kind` is its class on the page."""

    text: str
    at: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PersonRow(ContactsRow):
    """A lead with what happened on its way, in order."""

    events: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True)
class PurchaseRow(ContactsRow):
    """One of the purchases of a person."""

    bought_at: str


def of_people(people: Iterable[Person]) -> list[PersonRow]:
    return [PersonRow(*_contacts(one), events=tuple(_events(one))) for one in people]


def of_purchases(purchases: Iterable[Purchase]) -> list[PurchaseRow]:
    return [PurchaseRow(*_contacts(one), bought_at=_moment(one.bought_at)) for one in purchases]


def _contacts(one: Contacts) -> tuple[str, str, str, str, str, str, str]:
    """The values of a `ContactsRow`."""
    return (
        one.name or _("без имени"),
        readable(one.source),
        _moment(one.created_at),
        one.phone_to_dial,
        one.phone_link,
        one.email,
        one.email_link,
    )


def _events(person: Person) -> Iterator[EventRow]:
    events = (
        (person.emailed, _("письмо отправлено"), ""),
        (person.opened, _("открыто"), ""),
        (person.clicked, _("переход из письма"), ""),
        (person.texted, _("SMS отправлена"), ""),
        (person.bought, _("покупка"), "bought"),
    )
    for event, text, kind in events:
        if event.happened:
            yield EventRow(text, _moment(event.at), kind)


def _moment(at: datetime | None) -> str:
    return dateformat.format(localtime(at), "j E, H:i") if at else _("время неизвестно")

"""The rows of the pages of persons as ready texts and links, so that their templates only draw.

Moments are of the business's time zone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from django.utils.dateformat import format as format_date
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

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


@dataclass(frozen=True, slots=True)
class _Moments:
    """Moments in words. The rows of a page share a few days, so each day is put in words once."""

    zone: tzinfo = field(default_factory=get_current_timezone)
    days: dict[date, str] = field(default_factory=dict)

    def text(self, at: datetime | None) -> str:
        if at is None:
            return _("время неизвестно")
        local = at.astimezone(self.zone)
        day = self.days.get(local.date())
        if day is None:
            day = self.days[local.date()] = format_date(local, "j E")
        return f"{day}, {local:%H:%M}"


# Told only where it was written, which usually nothing does.
_OPENED = "opened"
# An event of a `Person`, its text and its class on the page.
_EVENTS = (
    ("emailed", _lazy("письмо отправлено"), ""),
    (_OPENED, _lazy("письмо открыто (записала рассылка)"), ""),
    ("clicked", _lazy("переход из письма"), ""),
    ("texted", _lazy("SMS отправлена"), ""),
    ("bought", _lazy("покупка"), "bought"),
)


def of_people(people: Iterable[Person]) -> list[PersonRow]:
    moments = _Moments()
    events = [(name, str(text), kind) for name, text, kind in _EVENTS]
    return [
        PersonRow(
            *_contacts(one, moments),
            events=tuple(
                EventRow(text, moments.text(event.at), kind)
                for name, text, kind in events
                if (event := getattr(one, name)).happened and (name != _OPENED or event.at)
            ),
        )
        for one in people
    ]


def of_purchases(purchases: Iterable[Purchase]) -> list[PurchaseRow]:
    moments = _Moments()
    return [
        PurchaseRow(*_contacts(one, moments), bought_at=moments.text(one.bought_at))
        for one in purchases
    ]


def _contacts(one: Contacts, moments: _Moments) -> tuple[str, str, str, str, str, str, str]:
    """The values of a `ContactsRow`."""
    return (
        one.name or _("без имени"),
        readable(one.source),
        moments.text(one.created_at),
        one.phone_to_dial,
        one.phone_link,
        one.email,
        one.email_link,
    )

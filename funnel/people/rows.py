"""The rows of the pages of persons as ready texts and links, so that their templates only draw.

Moments are of the business's time zone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.formats import date_format
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _

from funnel.people.duplicates import Purchase, RepeatBuyer
from funnel.people.listing import Contacts, Event, Person
from funnel.report.sources import readable
from onai.contacts import phones
from onai.periods import Period
from onai.templatetags.russian import plural


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened on a lead's way. `kind` is its icon on the page."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A lead: contacts, each empty where there is none but for the name, and what happened, in the
    order of the way. A mark names its day where it is another than that of the mark before it.
    """

    name: str
    source: str
    phone: phones.PhoneLinks
    email: str
    email_link: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class BuyerCard:
    """A person with several purchases. `not_shown` says how many of them have no row here."""

    name: str
    counted: str
    shared: str
    purchases: tuple[PersonRow, ...]
    not_shown: str


def of_people(people: Iterable[Person], period: Period) -> list[PersonRow]:
    days = _Days(period)
    return [_row(one, _events(one), days) for one in people]


def of_buyers(buyers: Iterable[RepeatBuyer], period: Period) -> list[BuyerCard]:
    days = _Days(period)
    return [_card(buyer, days) for buyer in buyers]


def _card(buyer: RepeatBuyer, days: "_Days") -> BuyerCard:
    purchases = tuple(_row(one, [_bought(one)], days) for one in buyer.rows)
    rest = _("Здесь не все: ещё %(rest)s — в файле CSV.") % {"rest": buyer.not_shown}
    return BuyerCard(
        name=purchases[0].name if purchases else _("без имени"),
        counted=f"{buyer.purchases} {plural(buyer.purchases, 'покупка,покупки,покупок')}",
        shared=_shared(buyer),
        purchases=purchases,
        not_shown=rest if buyer.not_shown else "",
    )


def _shared(buyer: RepeatBuyer) -> str:
    if buyer.same_phone and buyer.same_email:
        return _("Повторяются и телефон, и почта.")
    return _("Повторяется телефон.") if buyer.same_phone else _("Повторяется почта.")


class _Days:
    """The days of a page in words; with the year where it is not that of the last day asked for.

    The rows share a few days, so each is put in words once.
    """

    def __init__(self, period: Period) -> None:
        self._texts: dict[date, str] = {}
        self._usual_year = period.last_day.year
        self.zone = get_current_timezone()

    def text(self, day: date) -> str:
        if day not in self._texts:
            written = "MONTH_DAY_FORMAT" if day.year == self._usual_year else "DATE_FORMAT"
            self._texts[day] = date_format(day, written).replace(" ", "\N{NO-BREAK SPACE}")
        return self._texts[day]


_Happened = tuple[str, str, datetime | None]


def _row(one: Contacts, events: Iterable[_Happened], days: _Days) -> PersonRow:
    return PersonRow(
        name=one.name.strip() or _("без имени"),
        source=readable(one.source),
        phone=phones.links(one.phone),
        email=one.email,
        email_link=one.email_link,
        marks=tuple(_marks([(_("заявка"), "lead", one.created_at), *events], days)),
    )


def _marks(events: Iterable[_Happened], days: _Days) -> Iterator[Mark]:
    before: date | None = None
    for text, kind, at in events:
        if at is None:
            yield Mark(_("%(event)s, время неизвестно") % {"event": text}, kind)
            continue
        local = at.astimezone(days.zone)
        day, time = local.date(), f"{local:%H:%M}"
        yield Mark(f"{text} {time if day == before else f'{days.text(day)}, {time}'}", kind)
        before = day


def _events(person: Person) -> Iterator[_Happened]:
    events: tuple[tuple[Event, str, str], ...] = (
        (person.emailed, _("письмо"), "mail"),
        # Told only where it was written, which usually nothing does.
        (_written(person.opened), _("письмо открыто (записала рассылка)"), "opened"),
        (person.clicked, _("переход из письма"), "clicked"),
        (person.texted, _("SMS"), "sms"),
        (person.bought, _("покупка"), "bought"),
    )
    return ((text, kind, event.at) for event, text, kind in events if event.happened)


def _written(event: Event) -> Event:
    return Event(event.happened and event.at is not None, event.at)


def _bought(purchase: Purchase) -> _Happened:
    return _("покупка"), "bought", purchase.bought_at

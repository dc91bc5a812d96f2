"""The people of the funnel as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from funnel.people.duplicates import DuplicatesPage, Purchase, RepeatBuyer
from funnel.people.listing import Event, PeopleFilter, PeoplePage, Person
from onai.periods import Period
from onai.web.timestamps import utc_timestamp


def people(wanted: PeopleFilter, page: PeoplePage, *, as_of: datetime) -> dict[str, Any]:
    """`next` is what `after` has to be for the next page, null on the last."""
    return {
        "success": True,
        "step": wanted.step.value,
        "lost": wanted.lost,
        "sources": list(wanted.sources),
        "period": _period(wanted.period),
        "count": page.count,
        "thereAreMore": page.there_are_more,
        "people": [_person(one) for one in page.people],
        "next": page.following,
        "timestamp": utc_timestamp(as_of),
    }


def duplicates(
    period: Period, sources: Sequence[str], page: DuplicatesPage, *, as_of: datetime
) -> dict[str, Any]:
    """`next` is what `page` has to be for the next page, null on the last."""
    return {
        "success": True,
        "sources": list(sources),
        "period": _period(period),
        "persons": page.persons,
        "purchases": page.purchases,
        "buyers": [_buyer(one) for one in page.buyers],
        "next": page.following,
        "timestamp": utc_timestamp(as_of),
    }


def _person(person: Person) -> dict[str, Any]:
    return {
        "id": str(person.id),
        "name": person.name,
        "phone": person.phone,
        "email": person.email or None,
        "source": person.source or None,
        "createdAt": utc_timestamp(person.created_at),
        "emailed": _event(person.emailed),
        "opened": _event(person.opened),
        "clicked": _event(person.clicked),
        "sms": _event(person.texted),
        "bought": _event(person.bought),
    }


def _event(event: Event) -> dict[str, Any]:
    return {"happened": event.happened, "at": utc_timestamp(event.at)}


def _buyer(buyer: RepeatBuyer) -> dict[str, Any]:
    return {
        "purchases": buyer.purchases,
        "samePhone": buyer.same_phone,
        "sameEmail": buyer.same_email,
        "rows": [_purchase(one) for one in buyer.rows],
    }


def _purchase(purchase: Purchase) -> dict[str, Any]:
    return {
        "name": purchase.name,
        "phone": purchase.phone,
        "email": purchase.email or None,
        "source": purchase.source or None,
        "createdAt": utc_timestamp(purchase.created_at),
        "boughtAt": utc_timestamp(purchase.bought_at),
    }


def _period(period: Period) -> dict[str, str]:
    return {"from": period.first_day.isoformat(), "to": period.last_day.isoformat()}

"""Reads Landing page by page: leads and deals, with the signals of a purchase that each has.

It uses the indexes that production has: `created_at` of the leads, `deal_id` of the deals, and
the keys of the other tables. A table that is missing or closed to us adds nothing. Moments are of
Landing's clock. Nothing is cached, and nothing is written.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from django.db import connections
from django.utils.translation import gettext as _

from funnel.landing.optional_tables import (
    COURSE_SALES,
    JOURNEY_STAGES,
    SHORT_LINK_CLICKS,
    SHORT_LINKS,
)
from funnel.signals.short_links import PREVIEWS
from sales.models import SignalKind

# The beginning of a sweep through the leads.
NOWHERE = UUID(int=0)
_LAST_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Mark:
    """A signal on a row. `at` is None where Landing does not know when; `how` is its detail."""

    at: datetime | None
    how: str = ""
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A lead or a deal as it stands in Landing. `deal_key` is the CRM's id of the deal.

    Only a deal may lack `created_at`.
    """

    id: UUID
    is_deal: bool
    name: str
    phone: str
    email: str
    source: str | None
    utm: Mapping[str, str]
    deal_key: str | None
    created_at: datetime | None
    won: Mark | None = None
    chose: Mark | None = None
    clicked: Mark | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The lead after which a page begins."""

    created_at: datetime
    id: UUID = NOWHERE


_UTM = """
(select jsonb_object_agg(key, value) from jsonb_each(
  case when jsonb_typeof(metadata -> 'utmParams') = 'object' then metadata -> 'utmParams'
    else '{}' end
  || case when jsonb_typeof(metadata) = 'object' then metadata else '{}' end
) where key like 'utm\\_%%' and jsonb_typeof(value) in ('string', 'number'))::text
"""
_LEADS = f"""
select id, name, phone, email, source, amocrm_lead_id, created_at, sms_clicked, sms_clicked_at,
  metadata ->> 'paymentMethod', {_UTM}
from landing_leads lead
"""  # noqa: S608
_AFTER = """
created_at >= %(after)s and (created_at > %(after)s or id > %(after_id)s)
  and created_at < %(before)s
"""
_IN_ORDER = "order by created_at, id limit %(size)s"
_PAYMENTS = """
select distinct on (lead_id) lead_id, created_at, substr(stage, 9)
from journey_stages
where lead_id = any(%s) and stage like 'payment\\_%%'
order by lead_id, created_at
"""
# A click of nobody opens no line: neither a preview nor one without a user agent.
_CLICKS = """
select link.lead_id, min(clicked_at)
from short_links link join short_link_clicks click on click.short_link_id = link.id
where link.lead_id = any(%s) and click.user_agent <> '' and lower(click.user_agent) !~ %s
group by link.lead_id
"""
_DEALS = """
select deal_id, phone, amount, sale_date, to_jsonb(sale)::text from express_course_sales sale
"""
_NEWEST_DEAL = "select deal_id from express_course_sales order by deal_id desc offset %s limit 1"


def leads_after(place: Place, *, before: datetime, size: int) -> list[Reading]:
    """The leads after a place in the order of `created_at`, all created before `before`."""
    return _leads(f"where {_AFTER} {_IN_ORDER}", _asked(place, before, size))


def marked_leads_after(place: Place, *, before: datetime, size: int) -> list[Reading]:
    """As `leads_after`, of the leads with a signal only."""
    marked = ["sms_clicked", "metadata ->> 'paymentMethod' is not null"]
    if JOURNEY_STAGES.readable():
        marked.append(
            "exists (select from journey_stages stage where stage.lead_id = lead.id"
            " and stage.stage like 'payment\\_%%')"
        )
    if SHORT_LINKS.readable() and SHORT_LINK_CLICKS.readable():
        marked.append("id::text in (select lead_id from short_links where clicks_count > 0)")
    condition = f"where {_AFTER} and ({' or '.join(marked)}) {_IN_ORDER}"
    return _leads(condition, _asked(place, before, size))


def leads_with(ids: Iterable[UUID]) -> list[Reading]:
    """These leads, as far as they are still there."""
    return _leads("where id = any(%(ids)s)", {"ids": list(ids)})


def leads_of_email(email: str, *, size: int) -> list[Reading]:
    """The leads with this address as written, with a capital letter or a space, by the index on
    `email`.
    """
    local, _at, domain = email.partition("@")
    spellings = [email, f"{local.capitalize()}@{domain}", f"{email} ", f" {email}"]
    condition = "where email = any(%(emails)s) order by created_at desc limit %(size)s"
    return _leads(condition, {"emails": spellings, "size": size})


def leads_of_phone(key: str, *, since: datetime, size: int) -> list[Reading]:
    """The leads since then whose phone ends with the last digits of this key."""
    ending = "[^0-9]*".join(key[-_LAST_DIGITS:])
    condition = (
        "where created_at >= %(since)s and phone ~ %(ending)s"
        " order by created_at desc limit %(size)s"
    )
    return _leads(condition, {"since": since, "ending": ending, "size": size})


def deals_after(deal_id: int, *, size: int) -> list[Reading]:
    """The won deals after this one in the order of their ids; none where the table is closed."""
    if not COURSE_SALES.readable():
        return []
    condition = "where deal_id > %s order by deal_id limit %s"
    return [_deal(*row) for row in _rows(_DEALS + condition, [deal_id, size])]


def deals_with(numbers: Iterable[int]) -> list[Reading] | None:
    """These won deals, as far as they are still there; None where the table is closed."""
    if not COURSE_SALES.readable():
        return None
    return [_deal(*row) for row in _rows(f"{_DEALS} where deal_id = any(%s)", [list(numbers)])]


def newest_deals(size: int) -> list[Reading]:
    """The won deals with the highest ids."""
    if not COURSE_SALES.readable():
        return []
    first = _rows(_NEWEST_DEAL, [size])
    return deals_after(first[0][0] if first else -1, size=size)


def unsure() -> frozenset[SignalKind]:
    """The signals whose absence means nothing, because a table that tells them is closed to us."""
    unknown = set()
    if not JOURNEY_STAGES.readable():
        unknown.add(SignalKind.CHOSE)
    if not (SHORT_LINKS.readable() and SHORT_LINK_CLICKS.readable()):
        unknown.add(SignalKind.CLICKED)
    return frozenset(unknown)


def unknown_signals() -> list[str]:
    """Which signals cannot be known, because a table that tells them is closed to us; a sentence
    each. Raises Django's database errors.
    """
    sentences = []
    if not COURSE_SALES.readable():
        sentences.append(
            _("Сделок CRM сайт не видит: о ком известно только из CRM, того здесь нет.")
        )
    if not JOURNEY_STAGES.readable():
        sentences.append(
            _(
                "Этапы заявок сайт не видит: кто выбрал способ оплаты, известно только по самой"
                " заявке, а когда — нет."
            )
        )
    if not (SHORT_LINKS.readable() and SHORT_LINK_CLICKS.readable()):
        sentences.append(
            _(
                "Переходов по коротким ссылкам сайт не видит: кто только открыл ссылку из SMS, тот"
                " может сюда не попасть."
            )
        )
    return sentences


def _asked(place: Place, before: datetime, size: int) -> dict[str, Any]:
    return {"after": place.created_at, "after_id": place.id, "before": before, "size": size}


def _leads(condition: str, parameters: dict[str, Any]) -> list[Reading]:
    rows = _rows(_LEADS + condition, parameters)
    ids = [row[0] for row in rows]
    payments, clicks = _payments(ids), _clicks(ids)
    return [_lead(row, payments.get(row[0]), clicks.get(str(row[0]))) for row in rows]


def _lead(row: tuple[Any, ...], payment: Mark | None, link: datetime | None) -> Reading:
    lead_id, name, phone, email, source, deal, created_at, is_clicked, clicked_at, how, utm = row
    moments = [at for at in (link, clicked_at if is_clicked else None) if at is not None]
    clicked = Mark(min(moments, default=None)) if is_clicked or link else None
    return Reading(
        id=lead_id,
        is_deal=False,
        name=name or "",
        phone=phone or "",
        email=email or "",
        source=source,
        utm=_texts(utm),
        deal_key=(deal or "").strip() or None,
        created_at=created_at,
        chose=payment or (Mark(None, how) if how else None),
        clicked=clicked,
    )


def _texts(utm: str | None) -> dict[str, str]:
    return {name: str(value) for name, value in json.loads(utm or "{}").items()}


def _payments(ids: list[UUID]) -> dict[UUID, Mark]:
    if not ids or not JOURNEY_STAGES.readable():
        return {}
    return {lead: Mark(at, how) for lead, at, how in _rows(_PAYMENTS, [ids])}


def _clicks(ids: list[UUID]) -> dict[str, datetime]:
    if not ids or not (SHORT_LINKS.readable() and SHORT_LINK_CLICKS.readable()):
        return {}
    return dict(_rows(_CLICKS, [list(map(str, ids)), PREVIEWS]))


def _deal(
    deal_id: int, phone: str | None, amount: int | None, sale_date: datetime | None, whole: str
) -> Reading:
    row = json.loads(whole)
    received = row.get("webhook_received_at")
    at = sale_date or (datetime.fromisoformat(received) if received else None)
    # The original marks count first: they are of the advertisement that brought the person.
    marks = {
        name.removeprefix(before): str(row[name])
        for before in ("", "original_")
        for name in row
        if name.startswith(f"{before}utm_") and row[name]
    }
    return Reading(
        id=id_of_deal(deal_id),
        is_deal=True,
        name="",
        phone=phone or "",
        email="",
        source=None,
        utm=marks,
        deal_key=str(deal_id),
        created_at=at,
        won=Mark(at, amount=None if amount is None else int(amount)),
    )


def id_of_deal(deal_id: int) -> UUID:
    """The id under which a deal is kept beside the leads."""
    return uuid5(NAMESPACE_OID, f"deal {deal_id}")


def _rows(statement: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connections["landing"].cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows

"""Events of Resend's webhook about letters: stored at once, applied by the worker.

Resend delivers an event at least once and in no order. Each is stored once, by the id of its
delivery; of several, the newest by Resend's clock decides. The table of events holds what is still
to be applied, and a job only reminds of it.
"""

import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.dateparse import parse_datetime
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from onai.db import postgres
from sales.letters import contents, outbox
from sales.models import Delivery, LetterEvent, LetterState, WelcomeLetter

logger = logging.getLogger(__name__)

APPLY_JOB = "sales.apply_letter_event"
# Resend repeats a delivery for 28 hours.
_KEPT = timedelta(days=30)
_FORGOTTEN_AFTER = timedelta(minutes=1)
_APPLIED_AT_ONCE = 500
_LONGEST_REASON = 100
_WORD = re.compile(r"[A-Za-z_]{1,40}")

# Events that say nothing of an arrival (`email.opened`, `contact.created`, …) are not among them.
DELIVERIES = {
    "email.sent": Delivery.ACCEPTED,
    "email.delivery_delayed": Delivery.DELAYED,
    "email.delivered": Delivery.DELIVERED,
    "email.bounced": Delivery.UNDELIVERED,
    "email.failed": Delivery.UNDELIVERED,
    "email.suppressed": Delivery.SUPPRESSED,
    "email.complained": Delivery.COMPLAINED,
}


def receive(svix_id: str, event: Mapping[str, Any]) -> None:
    """Store a verified event with its job, unless it was stored before or says nothing of an
    arrival.
    """
    known = _read(svix_id, event)
    if known is None:
        logger.info("letter_event_ignored", extra={"event": str(event.get("type"))[:60]})
        return
    with transaction.atomic(using="tripwire"):
        new = not LetterEvent.objects.filter(pk=svix_id).exists()
        LetterEvent.objects.bulk_create([known], ignore_conflicts=True)
        if new:
            _remind(svix_id)


def _read(svix_id: str, event: Mapping[str, Any]) -> LetterEvent | None:
    """The part of an event that is kept: no names, addresses, subjects or texts."""
    data = event.get("data")
    delivery = DELIVERIES.get(str(event.get("type")))
    occurred_at = _moment(event.get("created_at"))
    if delivery is None or occurred_at is None or not isinstance(data, Mapping):
        return None
    reason = _reason(data)
    if delivery is Delivery.UNDELIVERED and "Suppress" in reason:
        delivery = Delivery.SUPPRESSED
    return LetterEvent(
        svix_id=svix_id,
        letter_id=_tagged_id(data.get("tags")),
        resend_id=_uuid_text(data.get("email_id")),
        delivery=delivery,
        reason=reason,
        occurred_at=occurred_at,
    )


def _moment(text: object) -> datetime | None:
    try:
        moment = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _tagged_id(tags: object) -> UUID | None:
    """Our id of the letter. Tags come as an object, or as a list of names and values."""
    if isinstance(tags, list):
        tags = {one.get("name"): one.get("value") for one in tags if isinstance(one, Mapping)}
    text = tags.get(contents.TAG) if isinstance(tags, Mapping) else None
    return UUID(_uuid_text(text)) if _uuid_text(text) else None


def _uuid_text(text: object) -> str:
    try:
        return str(UUID(text)) if isinstance(text, str) else ""
    except ValueError:
        return ""


def _reason(data: Mapping[str, Any]) -> str:
    """Why it did not arrive, in single words: `Permanent NoEmail`, `reached_daily_quota`.

    Sentences are left out, because they quote addresses.
    """
    about = [data.get(name) for name in ("bounce", "failed", "suppressed")]
    told = [
        one.get(name)
        for one in about
        if isinstance(one, Mapping)
        for name in ("type", "subType", "reason")
    ]
    words = [word for word in told if isinstance(word, str) and _WORD.fullmatch(word)]
    return " ".join(words)[:_LONGEST_REASON]


def _remind(svix_id: str) -> None:
    try:
        app.configure_task(APPLY_JOB).defer(svix_id=svix_id)
    except ConnectorException as error:
        raise OperationalError from error


# --- Applying them -----------------------------------------------------------------------------


def apply(svix_id: str) -> None:
    """Record what an event says of its letter. Repeated, it does nothing.

    An event whose letter is not known yet stays, and is applied once it is.
    """
    with transaction.atomic(using="tripwire"):
        waiting = LetterEvent.objects.select_for_update().filter(pk=svix_id, applied_at=None)
        event = waiting.first()
        letter = _letter_of(event) if event else None
        if event is None or letter is None:
            return
        if letter.state != LetterState.SENT:
            # The event proves that Resend accepted it, even if its response never reached us.
            outbox.record_sent(letter, event.resend_id)
        outbox.record_delivery(
            letter.pk,
            Delivery(event.delivery),
            event.reason,
            event.occurred_at,
            resend_id=event.resend_id,
        )
        LetterEvent.objects.filter(pk=svix_id).update(applied_at=Now())


def _letter_of(event: LetterEvent) -> WelcomeLetter | None:
    letters = WelcomeLetter.objects.filter(pk__in=[event.letter_id] if event.letter_id else [])
    tagged = letters.first()
    if tagged is not None or not event.resend_id:
        return tagged
    return WelcomeLetter.objects.filter(resend_id=event.resend_id).first()


def apply_forgotten() -> int:
    """Apply events whose job was lost, or whose letter was not known then; returns how many."""
    tagged = WelcomeLetter.objects.filter(pk=OuterRef("letter_id"))
    by_resend_id = WelcomeLetter.objects.filter(resend_id=OuterRef("resend_id"))
    forgotten = LetterEvent.objects.filter(
        Exists(tagged) | (~Q(resend_id="") & Exists(by_resend_id)),
        applied_at=None,
        received_at__lt=postgres.clock("tripwire") - _FORGOTTEN_AFTER,
    )
    ids = list(forgotten.order_by("received_at").values_list("pk", flat=True)[:_APPLIED_AT_ONCE])
    for svix_id in ids:
        apply(svix_id)
    return len(ids)


def forget_old() -> None:
    """Delete events of more than thirty days ago; also those of letters that are not ours."""
    long_ago = postgres.clock("tripwire") - _KEPT
    LetterEvent.objects.filter(received_at__lt=long_ago).delete()

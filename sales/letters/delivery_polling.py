"""Asks Resend what became of letters, where it does not tell by a webhook.

Only a key with full access may ask. Letters of the last day are asked about, each at most every ten
minutes, a few a minute: the limit of Resend's requests is shared with whatever else the academy
sends.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import F, Q
from django.db.models.functions import Now

from onai import mail
from onai.db import postgres
from sales.letters import outbox
from sales.models import Delivery, LetterState, WelcomeLetter

logger = logging.getLogger(__name__)

ASKED_AT_ONCE = 10
_ASKED_FOR = timedelta(days=1)
_ASKED_EVERY = timedelta(minutes=10)
_FORBIDDEN, _FORBIDDEN_FOR = "resend_key_may_not_read_letters", timedelta(hours=1)
_OPEN = (Delivery.ACCEPTED, Delivery.DELAYED)
_BY_LAST_EVENT = {
    "delivered": Delivery.DELIVERED,
    # Only what has arrived is opened.
    "opened": Delivery.DELIVERED,
    "clicked": Delivery.DELIVERED,
    "delivery_delayed": Delivery.DELAYED,
    "bounced": Delivery.UNDELIVERED,
    "failed": Delivery.UNDELIVERED,
    "suppressed": Delivery.SUPPRESSED,
    "complained": Delivery.COMPLAINED,
}


def poll_deliveries() -> int:
    """Ask about letters of which nothing final is known; returns how many were asked about."""
    if settings.RESEND_WEBHOOK_SECRET or cache.get(_FORBIDDEN):
        return 0
    now = postgres.clock("tripwire")
    waiting = (
        WelcomeLetter.objects.filter(
            Q(asked_at=None) | Q(asked_at__lt=now - _ASKED_EVERY),
            state=LetterState.SENT,
            created_at__gt=now - _ASKED_FOR,
            delivery__in=_OPEN,
        )
        .exclude(resend_id="")
        .order_by(F("asked_at").asc(nulls_first=True))
    )
    asked = 0
    for letter in waiting[:ASKED_AT_ONCE]:
        WelcomeLetter.objects.filter(pk=letter.pk).update(asked_at=Now())
        try:
            last_event = mail.last_event(letter.resend_id)
        except mail.NotTold as refusal:
            logger.warning("letter_not_told", extra={"reason": str(refusal)})
            if refusal.forbidden:
                cache.set(_FORBIDDEN, True, _FORBIDDEN_FOR.total_seconds())
            break  # The next one would be refused, too, or only adds to the load.
        asked += 1
        if last_event in _BY_LAST_EVENT:
            # The time of the event is not told.
            outbox.record_delivery(letter.pk, _BY_LAST_EVENT[last_event], "", now)
    return asked

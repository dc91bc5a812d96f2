"""Asks Resend for the delivery state of letters, where no webhook is set up.

This needs an API key with full access. It asks about letters of the last 24 hours, each at most
every ten minutes and `ASKED_AT_ONCE` a run, because other mail of the academy shares Resend's rate
limit.
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
    """Ask about letters without a final state; returns how many were asked about.

    A key that may only send is not tried again for an hour."""
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
            break  # The next request would be refused as well, or add to the load.
        asked += 1
        if last_event in _BY_LAST_EVENT:
            # Resend does not report the time of the event.
            outbox.record_delivery(letter.pk, _BY_LAST_EVENT[last_event], "", now)
    return asked

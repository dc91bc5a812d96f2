"""Notifies a student's former e-mail address that the login has changed, without naming the new
one.

The row of the correction is the outbox: `former_address_due` marks a notice that is not sent yet,
and `leased_until` is the time of the next attempt. Attempts share an idempotency key, so two at
once do no harm.
"""

import logging
from datetime import timedelta

from django.db.models.functions import Now
from django.template.loader import render_to_string

from onai import mail
from sales.letters import contents, wording
from sales.models import StudentRequest

logger = logging.getLogger(__name__)

_AGAIN_AFTER = timedelta(minutes=5)
# Resend knows the key for a day.
_GIVEN_UP_AFTER = timedelta(hours=23)
_TOLD_AT_ONCE = 20


def notify_former_addresses() -> None:
    """Send the notices that are due. The worker calls it every ten seconds."""
    due = StudentRequest.objects.filter(former_address_due=True, leased_until__lte=Now())
    for change in due.order_by("leased_until")[:_TOLD_AT_ONCE]:
        if due.filter(pk=change.pk).update(leased_until=Now() + _AGAIN_AFTER):
            _tell(change)


def _tell(change: StudentRequest) -> None:
    mine = StudentRequest.objects.filter(pk=change.pk)
    try:
        if mine.filter(closed_at__gt=Now() - _GIVEN_UP_AFTER).exists():
            mail.send(_letter(change), idempotency_key=f"former-address/{change.pk}")
    except mail.NotSentYet as delay:
        logger.warning("former_address_not_told_yet", extra={"reason": delay.reason})
        return
    except mail.LetterRefused as refusal:
        # The former address was often mistyped, which is why it was corrected.
        logger.warning("former_address_refused", extra={"reason": refusal.reason})
    except mail.AlreadyTaken:
        logger.info("former_address_told_before")
    mine.update(former_address_due=False)


def _letter(change: StudentRequest) -> mail.Letter:
    student = change.students().first()
    language = contents.language_of(student) if student else ""
    words = wording.words_in(language)
    about = words.former_address
    values = {"language": language or "ru", "title": about.title, "text": about.text}
    return mail.Letter(
        to=change.email,
        subject=about.subject,
        html=render_to_string("sales/former_address.html", values),
        text=render_to_string("sales/former_address.txt", values),
        reply_to=contents.manager_email(student) if student else "",
    )

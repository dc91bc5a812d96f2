"""What the worker does: reminders, each of which finds out for itself what is left to do."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from procrastinate.contrib.django import app

from onai.db import postgres
from sales import letters
from sales.cabinet import statistics
from sales.models import Change, Intention, IntentionState
from sales.provisioning import changes, creation

_CLOSED_INTENTIONS_KEPT = timedelta(days=30)


@app.task(name=letters.DELIVERY_JOB)
def deliver_letter(letter_id: str) -> None:
    """Send one letter, or come back when it is worth another try."""
    again_at = letters.deliver(UUID(letter_id))
    if again_at is not None:
        letters.remind(UUID(letter_id), again_at)


# The sixth field is the seconds.
@app.periodic(cron="* * * * * */10")
@app.task(name="sales.mend", queueing_lock="sales.mend")
def mend(timestamp: int) -> None:
    """Every ten seconds: finish or undo what was left open, and remind of forgotten letters."""
    letters.remind_of_overdue()
    creation.finish_open_intentions()
    changes.finish_open_changes()


@app.periodic(cron="*/10 * * * *")
@app.task(name="sales.compact_totals", queueing_lock="sales.compact_totals")
def compact_totals(timestamp: int) -> None:
    """Every ten minutes, put together what many sales have added to the daily totals."""
    statistics.compact()


@app.periodic(cron="37 22 * * *")
@app.task(name="sales.forget_closed_intentions", queueing_lock="sales.forget_closed_intentions")
def forget_closed_intentions(timestamp: int) -> None:
    """Each night, forget what was closed more than 30 days ago, and its idempotency keys."""
    old = Q(closed_at__lt=postgres.clock("tripwire") - _CLOSED_INTENTIONS_KEPT)
    Intention.objects.filter(old).exclude(state=IntentionState.OPEN).delete()
    Change.objects.filter(old).exclude(state=IntentionState.OPEN).delete()

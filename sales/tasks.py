"""The worker's jobs. Each finds out from the database what is left to do."""

from datetime import timedelta
from uuid import UUID

from procrastinate.contrib.django import app

from onai.db import postgres
from sales import letters
from sales.cabinet import week_figures
from sales.handoff import rounds
from sales.letters import delivery_polling, events
from sales.models import RequestState, StudentRequest
from sales.provisioning import open_requests

_CLOSED_REQUESTS_KEPT = timedelta(days=30)


@app.task(name=letters.DELIVERY_JOB)
def deliver_letter(letter_id: str) -> None:
    """Send one letter, or schedule the next attempt."""
    again_at = letters.deliver(UUID(letter_id))
    if again_at is not None:
        letters.remind(UUID(letter_id), again_at)


@app.task(name=events.APPLY_JOB)
def apply_letter_event(svix_id: str) -> None:
    """Record what an event of Resend's says of its letter."""
    events.apply(svix_id)


# The sixth field is the seconds.
@app.periodic(cron="* * * * * */10")
@app.task(name="sales.mend", queueing_lock="sales.mend")
def mend(timestamp: int) -> None:
    """Every ten seconds: finish or undo open requests, take up forgotten letters and events."""
    letters.remind_of_overdue()
    events.apply_forgotten()
    letters.notify_former_addresses()
    open_requests.finish_open_requests()


@app.periodic(cron="* * * * *")
@app.task(name="sales.join_buyers", queueing_lock="sales.join_buyers", lock="sales.join_buyers")
def join_buyers(timestamp: int) -> None:
    """Each minute, join what is new in Landing with the students."""
    rounds.run_round()


@app.periodic(cron="7 22 * * *")
@app.task(name="sales.join_everything", lock="sales.join_buyers")
def join_everything(timestamp: int) -> None:
    """Each night, begin to join everything once."""
    rounds.begin_full_pass()


@app.periodic(cron="* * * * *")
@app.task(name="sales.poll_deliveries", queueing_lock="sales.poll_deliveries")
def poll_deliveries(timestamp: int) -> None:
    """Every minute: without a webhook, ask Resend what became of letters."""
    delivery_polling.poll_deliveries()


@app.periodic(cron="*/10 * * * *")
@app.task(name="sales.forget_passwords", queueing_lock="sales.forget_passwords")
def forget_passwords(timestamp: int) -> None:
    """Every ten minutes: erase the passwords of letters that nobody can send again any more."""
    letters.forget_passwords()


@app.periodic(cron="41 22 * * *")
@app.task(name="sales.forget_letter_events", queueing_lock="sales.forget_letter_events")
def forget_letter_events(timestamp: int) -> None:
    """Each night, delete events of more than thirty days ago."""
    events.forget_old()


@app.periodic(cron="13 4 * * 1")
@app.task(name="sales.log_week_figures", queueing_lock="sales.log_week_figures")
def log_week_figures(timestamp: int) -> None:
    """On Monday morning: the figures of the last week to the log."""
    week_figures.log_week_figures()


@app.periodic(cron="37 22 * * *")
@app.task(name="sales.forget_closed_requests", queueing_lock="sales.forget_closed_requests")
def forget_closed_requests(timestamp: int) -> None:
    """Each night, delete requests closed more than 30 days ago, with their idempotency keys."""
    long_ago = postgres.clock("tripwire") - _CLOSED_REQUESTS_KEPT
    closed = StudentRequest.objects.exclude(state=RequestState.OPEN)
    closed.filter(closed_at__lt=long_ago).delete()

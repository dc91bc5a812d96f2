"""What the worker does about identity."""

from uuid import UUID

from procrastinate.contrib.django import app

from onai.identity.recovery import requests
from onai.identity.staff import register


@app.periodic(cron="*/10 * * * *")
@app.task(name="identity.refresh_staff", queueing_lock="identity.refresh_staff")
def refresh_staff(timestamp: int) -> None:
    """Every ten minutes, copy who is staff and who claims to be from Supabase Auth."""
    register.refresh()


@app.task(name=requests.SEND_JOB)
def send_password_reset(reset_id: str) -> None:
    """Send the letter that answers a request for a new password, if there is an account."""
    requests.deliver(UUID(reset_id))


# The sixth field is the seconds.
@app.periodic(cron="* * * * * */30")
@app.task(name="identity.mend_password_resets", queueing_lock="identity.mend_password_resets")
def mend_password_resets(timestamp: int) -> None:
    """Every half minute: send the letters that are waiting, end link sessions that are over."""
    requests.mend()

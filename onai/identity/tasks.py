"""What the worker does about identity."""

from procrastinate.contrib.django import app

from onai.identity.staff import register


@app.periodic(cron="*/10 * * * *")
@app.task(name="identity.refresh_staff", queueing_lock="identity.refresh_staff")
def refresh_staff(timestamp: int) -> None:
    """Every ten minutes, copy who is staff and who claims to be from Supabase Auth."""
    register.refresh()

"""Weeks of leads that come evenly up to now, mailed and clicked as production does it."""

from datetime import timedelta
from typing import Any

from django.test import Client

from tests.conftest import LandingPages

SIGNALS = "/api/traffic-dashboard/signals"
WEEKS = timedelta(days=42)

_WRITE = """
insert into landing_leads (name, phone, source, created_at, email_sent, email_sent_at, sms_sent,
  sms_sent_at, sms_clicked, sms_clicked_at, metadata)
select 'Кто-то', '+7 700 000 00 00', %(source)s, came,
  mailed, case when mailed and %(timed)s then came + '10 minutes'::interval end,
  mailed, case when mailed and %(timed)s then came + '10 minutes'::interval end,
  clicked, case when clicked and %(timed)s then came + '15 minutes'::interval end, '{}'
from (
  select came, %(mailed)s and came < now() - '10 minutes'::interval as mailed,
    n %% %(each)s = 0 and came + '15 minutes'::interval < now() - %(clicked_until)s as clicked
  from (
    select n, now() - %(until)s - (n + 0.5) * %(every)s as came
    from generate_series(0, %(leads)s - 1) n
  ) as leads
) as leads
"""


def write_weeks(
    landing: LandingPages,
    *,
    source: str | None = "proftest_kenesary",
    a_day: int = 60,
    each: int = 3,
    over: timedelta = WEEKS,
    until: timedelta = timedelta(),
    clicked_until: timedelta = timedelta(),
    mailed: bool = True,
    timed: bool = True,
) -> None:
    """Leads of `over`, which end `until` ago.

    Each is mailed after ten minutes where they are `mailed`, and every `each`th is clicked after
    fifteen, until `clicked_until` ago. `timed` is whether marks have their moments.
    """
    every = timedelta(days=1) / a_day
    landing.connection.execute(
        _WRITE,
        {
            "source": source,
            "every": every,
            "leads": int(over / every),
            "each": each,
            "until": until,
            "clicked_until": clicked_until,
            "mailed": mailed,
            "timed": timed,
        },
    )


def signals(admin: Client) -> dict[str, Any]:
    answer = admin.get(SIGNALS)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def signal(admin: Client, mark: str) -> dict[str, Any]:
    """One mark of the answer."""
    (one,) = (one for one in signals(admin)["signals"] if one["id"] == mark)
    return dict(one)

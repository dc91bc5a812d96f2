"""Leads spread evenly over days, and what was known of them at a moment."""

from datetime import date, datetime, timedelta

from tests.conftest import LandingPages
from tests.support.funnel_requests import ALMATY

_SPREAD = """
insert into landing_leads (name, phone, source, created_at, email_sent, sms_clicked, sms_clicked_at)
select 'Кто-то', '', 'proftest_a', came, true, bought, case when bought then came + %(after)s end
from (
  select %(first)s::timestamptz + (n + 0.5) / %(leads)s * %(days)s * interval '1 day' as came,
         n %% %(each)s < %(buyers)s as bought
  from generate_series(0, %(leads)s - 1) n
) as leads
"""


def write_evenly(
    landing: LandingPages,
    first: date,
    days: int,
    leads: int,
    *,
    buyers: int = 0,
    each: int = 1,
    after: timedelta = timedelta(hours=1),
) -> None:
    """Write so many leads evenly over the days, of which some in every `each` buy so much later."""
    start = datetime.combine(first, datetime.min.time(), ALMATY)
    told = {"first": start, "days": days, "leads": leads, "buyers": buyers, "each": each}
    landing.connection.execute(_SPREAD, {**told, "after": after})


def forget_after(landing: LandingPages, moment: datetime) -> None:
    """Delete what came later, and purchases made later."""
    landing.connection.execute("delete from landing_leads where created_at >= %s", [moment])
    landing.connection.execute(
        "update landing_leads set sms_clicked = null, sms_clicked_at = null"
        " where sms_clicked_at >= %s",
        [moment],
    )

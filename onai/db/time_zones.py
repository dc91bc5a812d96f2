"""Whether a database agrees with this process about the time zone of the business day.

A server with old time zone data has Kazakhstan an hour further east after March 2024, so every
business day that it computes begins an hour early.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from onai.db import postgres

# The middle of each month of these years; Kazakhstan's time changed last on 1 March 2024.
_YEARS = range(2024, 2031)
_MOMENTS = [datetime(year, month, 15, 12, tzinfo=UTC) for year in _YEARS for month in range(1, 13)]


def first_difference(alias: str) -> datetime | None:
    """The first moment (UTC) whose local time in `TIME_ZONE` differs between the database `alias`
    and this process; None where they agree. Raises Django's database errors.
    """
    zone = ZoneInfo(settings.TIME_ZONE)
    moment: datetime
    for moment, local in postgres.rows(
        alias,
        "select moment, timezone(%s, moment) from unnest(%s::timestamptz[]) as moment"
        " order by moment",
        [settings.TIME_ZONE, _MOMENTS],
    ):
        if moment.astimezone(zone).replace(tzinfo=None) != local:
            return moment.astimezone(UTC)
    return None

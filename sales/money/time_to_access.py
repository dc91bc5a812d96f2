"""How long people wait for access after their purchase, with those who still wait counted in.

The purchase is the signal that opened their line in the queue (`QUEUE_SIGNALS`). Who still waits
has waited at least so long, so the times are estimated as by E. L. Kaplan and P. Meier (Journal of
the American Statistical Association 53 (1958), 457–481): a quantile is the shortest time after
which no larger share is left without access. It is unknown while too many wait.

Whoever had access before the signal did not wait, and whoever was closed in the queue without
access waits no longer: both are counted and left out. Times are whole minutes, rounded down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections

from onai.periods import Period
from sales.models import SignalKind
from sales.money.statements import OF_STAFF, Narrowing

# The shares that still wait after the typical time and after that of the slow quarter.
_HALF, _QUARTER = 0.5, 0.25
# Products of fractions miss these shares by less.
_ROUNDING = 1e-9


class Split(StrEnum):
    """What the times are shown by. Hour and weekday are of the purchase, in business time."""

    SOURCE = "source"
    MANAGER = "manager"
    HOUR = "hour"
    WEEKDAY = "weekday"


@dataclass(frozen=True, slots=True)
class Waits:
    """The waits of some persons. `people` are those with access (`opened`) and those who wait.

    `typical` is the median and `slow` the upper quartile, None while too many wait to tell;
    `worst` is the longest wait of all, `worst_waits` whether it still goes on. `before` had access
    before their purchase, and `closed` were closed without one.
    """

    people: int
    opened: int
    typical: timedelta | None
    slow: timedelta | None
    worst: timedelta | None
    worst_waits: bool
    before: int
    closed: int

    @property
    def waiting(self) -> int:
        return self.people - self.opened


NOBODY_WAITED = Waits(0, 0, None, None, None, False, 0, 0)


@dataclass(frozen=True, slots=True)
class WaitsOf:
    """The waits of a source, a manager, an hour (0 to 23) or a weekday (1 is Monday)."""

    key: str | UUID | int | None
    waits: Waits


@dataclass(frozen=True, slots=True)
class TimeToAccess:
    """The waits of everybody, and of each part: most people first, hours and weekdays in order."""

    all: Waits
    parts: tuple[WaitsOf, ...]


def time_to_access(period: Period, sources: tuple[str, ...], by: Split) -> TimeToAccess:
    """The waits after the purchases of a period, of these sources or all, in one statement.

    Raises Django's database errors.
    """
    whose = Narrowing(sources)
    midnights = [day.start.astimezone(UTC) for day in period.each_day]
    parameters = {
        **whose.parameters(period.start, period.end),
        "midnights": midnights,
        "first_weekday": period.first_day.isoweekday(),
    }
    with connections["tripwire"].cursor() as cursor:
        cursor.execute(_statement(whose, by), parameters)
        rows = cursor.fetchall()
    found = [(is_total, WaitsOf(key, _waits(values))) for is_total, key, *values in rows]
    parts = [one for is_total, one in found if not is_total]
    in_order = by in (Split.HOUR, Split.WEEKDAY)
    parts.sort(key=lambda one: (0 if in_order else -one.waits.people, f"{one.key!s:>2}"))
    everybody = next((one.waits for is_total, one in found if is_total), NOBODY_WAITED)
    return TimeToAccess(everybody, tuple(parts))


def _waits(values: Sequence[Any]) -> Waits:
    people, opened, typical, slow, worst, worst_waits, before, closed = values
    return Waits(
        people=int(people),
        opened=int(opened),
        typical=_time(typical),
        slow=_time(slow),
        worst=_time(worst),
        worst_waits=bool(worst_waits),
        before=before,
        closed=closed,
    )


def _time(minutes: int | None) -> timedelta | None:
    return None if minutes is None else timedelta(minutes=minutes)


_DAY = "width_bucket(since, %(midnights)s::timestamptz[])"
_HOURS = f"extract(epoch from since - (%(midnights)s::timestamptz[])[{_DAY}]) / 3600"
_KEYS = {
    Split.SOURCE: "source",
    Split.MANAGER: "manager",
    Split.HOUR: f"floor({_HOURS})::int",
    Split.WEEKDAY: f"(%(first_weekday)s + {_DAY} - 2) %% 7 + 1",
}


def _statement(whose: Narrowing, by: Split) -> str:
    signals = [f"buyer.{kind}_at" for kind in (*settings.QUEUE_SIGNALS, SignalKind.BY_HAND.value)]
    in_period = " or ".join(f"({at} >= %(start)s and {at} < %(end)s)" for at in signals)
    return f"""
with purchases as (
  select coalesce(buyer.source, '') as source, least({", ".join(signals)}) as since,
    buyer.closed_at is not null as is_closed, min(student.created_at) as opened_at,
    coalesce(min(student.granted_by::text)::uuid, buyer.closed_by) as manager
  from sales_buyers buyer
  left join sales_student_leads match
    on match.buyer_id = buyer.id and match.how = any(%(matches)s)
  left join tripwire_users student on student.id = match.student_id and not {OF_STAFF}
  where {in_period}
  group by buyer.id
), kinds as (
  select {_KEYS[by]} as key, opened_at is not null as is_open,
    coalesce(opened_at < since, false) as is_before,
    opened_at is null and is_closed as is_closed,
    floor(extract(epoch from greatest(coalesce(opened_at, now()) - since, '0')) / 60)::int
      as minutes
  from purchases where since >= %(start)s and since < %(end)s and {whose.condition}
), by_minute as (
  select grouping(key) as is_total, key, minutes, count(*) as people,
    count(*) filter (where is_open) as opened
  from kinds where not is_before and not is_closed
  group by grouping sets ((key, minutes), (minutes))
), at_risk as (
  select *, sum(people) over (partition by is_total, key order by minutes desc) as left_before
  from by_minute
), alive as (
  select *, exp(
    sum(case when opened = left_before then '-infinity'
      else ln(1 - opened::float8 / left_before::float8) end)
    over (partition by is_total, key order by minutes)
  ) as still_waiting
  from at_risk
), quantiles as (
  select is_total, key, sum(people) as people, sum(opened) as opened,
    min(minutes) filter (where still_waiting <= {_HALF + _ROUNDING}) as typical,
    min(minutes) filter (where still_waiting <= {_QUARTER + _ROUNDING}) as slow,
    max(minutes) as worst,
    max(minutes) filter (where opened < people) = max(minutes) as worst_waits
  from alive group by is_total, key
), left_out as (
  select grouping(key) as is_total, key, count(*) filter (where is_before) as before,
    count(*) filter (where is_closed) as closed
  from kinds group by grouping sets ((key), ())
)
select left_out.is_total, left_out.key, coalesce(people, 0), coalesce(opened, 0), typical, slow,
  worst, worst_waits, before, closed
from left_out left join quantiles
  on quantiles.is_total = left_out.is_total and quantiles.key is not distinct from left_out.key
"""  # noqa: S608

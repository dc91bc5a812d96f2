"""What was sold, when and by whom, counted in the database from its daily and monthly totals.

Days are business days. A sale is a student, counted on the day their access was opened; revenue is
the sum of their prices, in tenge. Students whose account is a staff member's are not counted.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections

from onai.periods import Period, business_day

NOBODY = UUID(int=0)
_DAYS_AS_DAYS, _DAYS_AS_WEEKS = 62, 366

# The totals of a span without the few students that are staff: of its whole months by the month,
# which is what `day` then begins, of the days before and after them by the day.
_SOLD = """
{name} as (
  select month as day, manager_id, status, sales, revenue from sales_totals_monthly
  where month >= %({name}_months)s and month < %({name}_days)s
  union all
  select day, manager_id, status, sales, revenue from sales_totals
  where day >= %({name}_first)s and day < %({name}_months)s
  union all
  select day, manager_id, status, sales, revenue from sales_totals
  where day >= %({name}_days)s and day <= %({name}_last)s
  union all
  select (created_at at time zone %(zone)s)::date, coalesce(granted_by, %(nobody)s),
         coalesce(status, ''), -1, -coalesce(price, 0)::bigint
  from tripwire_users where user_id in (select user_id from sales_staff where role <> '')
    and created_at >= %({name}_start)s and created_at < %({name}_end)s
)
"""
_IS_STUDENT = "user_id not in (select user_id from sales_staff where role <> '')"
_FIGURES = """
  coalesce(sum(sales), 0), coalesce(sum(revenue), 0),
  coalesce(sum(sales) filter (where status = 'active'), 0),
  coalesce(sum(sales) filter (where status = 'completed'), 0)
"""
_COMPACT = """
with taken as (
  delete from {table}
  -- As an array of keys, since a join could be planned as a nested loop over all.
  where id = any (array(
    select id from (
      select id, count(*) over (partition by {time}, manager_id, status) as alike from {table}
    ) as counted where alike > 1
  ))
  returning *
), put as (
  insert into {table} ({time}, manager_id, status, sales, revenue)
  select {time}, manager_id, status, sum(sales), sum(revenue) from taken
  group by {time}, manager_id, status
  having sum(sales) <> 0 or sum(revenue) <> 0
  returning 1
)
select (select count(*) from taken) - (select count(*) from put)
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was sold: students, tenge, and how many of the students are active or have finished."""

    sales: int
    revenue: int
    active: int
    finished: int


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Point:
    """The sales of some days, both included: of a week or month, what of it is in the period."""

    first_day: date
    last_day: date
    sales: int
    revenue: int


@dataclass(frozen=True, slots=True)
class Series:
    """Sales over time, by day, or by week or month where the period is long. No day is left out."""

    unit: Unit
    points: list[Point]


@dataclass(frozen=True, slots=True)
class Standing:
    """A manager's place among all. Whoever sold the same has the same place.

    `email` is that of a staff member, empty for whoever is one no more.
    """

    place: int
    user_id: UUID
    name: str
    email: str
    figures: Figures
    sales_this_month: int
    is_staff: bool


def first_day_of_all() -> date | None:
    """The day of the first sale there is."""
    first = first_sale()
    return business_day(first) if first else None


def first_sale(manager_id: UUID | None = None) -> datetime | None:
    """When the first sale there is was made, by one manager or by any."""
    whose = "true"
    if manager_id is not None:
        whose = "granted_by is null" if manager_id == NOBODY else "granted_by = %(manager)s"
    found = _rows(
        f"""
        select created_at from tripwire_users
        where created_at is not null and {_IS_STUDENT}
          and {whose}
        order by coalesce(created_at, timestamptz '1900-01-01 00:00+00'), id limit 1
        """,  # noqa: S608
        manager=manager_id,
    )
    return found[0][0] if found else None


def figures(period: Period, *, manager_id: UUID | None) -> Figures:
    """The figures of one manager, or of all."""
    (found,) = _rows(
        f"with {_SOLD.format(name='sold')} select {_FIGURES} from sold"  # noqa: S608
        " where %(manager)s::uuid is null or manager_id = %(manager)s",
        **_span("sold", period),
        manager=manager_id,
    )
    return Figures(*found)


def figures_until(period: Period, moment: datetime, *, manager_id: UUID | None) -> Figures:
    """The figures of what was sold in the period before a moment of it."""
    day = business_day(moment)
    if moment <= period.start:
        return Figures(0, 0, 0, 0)
    if moment >= period.end:
        return figures(period, manager_id=manager_id)
    whole = Figures(0, 0, 0, 0)
    if day > period.first_day:
        before_it = Period(period.first_day, day - timedelta(days=1))
        whole = figures(before_it, manager_id=manager_id)
    (found,) = _rows(
        f"""
        with sold as (
          select 1 as sales, coalesce(price, 0)::bigint as revenue, status from tripwire_users
          where created_at >= %(start)s and created_at < %(end)s
            and {_IS_STUDENT}
            and (%(manager)s::uuid is null or coalesce(granted_by, %(nobody)s) = %(manager)s)
        )
        select {_FIGURES} from sold
        """,  # noqa: S608
        start=Period.day(day).start,
        end=moment,
        manager=manager_id,
    )
    part = Figures(*found)
    return Figures(
        whole.sales + part.sales,
        whole.revenue + part.revenue,
        whole.active + part.active,
        whole.finished + part.finished,
    )


def sales_over_time(period: Period, *, manager_id: UUID | None) -> Series:
    """The sales of one manager, or of all, over the days of the period."""
    unit = _unit(period)
    found = _rows(
        f"""
        with {_SOLD.format(name="sold")},
        daily as (
          select day, sum(sales) as sales, sum(revenue) as revenue from sold
          where %(manager)s::uuid is null or manager_id = %(manager)s group by day
        ),
        counted as (
          select date_trunc(%(unit)s, day::timestamp) as bucket,
                 sum(sales) as sales, sum(revenue) as revenue
          from daily group by bucket
        )
        select greatest(bucket::date, %(sold_first)s::date),
               least((bucket + %(step)s::interval - interval '1 day')::date, %(sold_last)s::date),
               coalesce(sales, 0), coalesce(revenue, 0)
        from generate_series(date_trunc(%(unit)s, %(sold_first)s::timestamp),
                             %(sold_last)s::timestamp, %(step)s::interval) as bucket
        left join counted using (bucket)
        order by bucket
        """,  # noqa: S608
        **_span("sold", period, by_month=unit is Unit.MONTH),
        manager=manager_id,
        unit=unit.value,
        step=f"1 {unit.value}",
    )
    return Series(unit, [Point(*row) for row in found])


def leaderboard(period: Period) -> list[Standing]:
    """Every staff member, and whoever else sold something in the period, best first."""
    found = _rows(
        f"""
        with {_SOLD.format(name="sold")}, {_SOLD.format(name="sold_lately")},
        figures (manager_id, sales, revenue, active, finished) as (
          select manager_id, {_FIGURES} from sold group by manager_id
        ),
        this_month as (
          select manager_id, sum(sales) as sales from sold_lately group by manager_id
        )
        select rank() over (order by coalesce(figures.sales, 0) desc),
               coalesce(figures.manager_id, staff.user_id),
               coalesce(nullif(staff.full_name, ''), staff.email, former.manager_name, ''),
               coalesce(staff.email, ''),
               coalesce(figures.sales, 0), coalesce(figures.revenue, 0),
               coalesce(figures.active, 0), coalesce(figures.finished, 0),
               coalesce(this_month.sales, 0), staff.user_id is not null
        from figures
        full join (select * from sales_staff where role <> '') staff
          on staff.user_id = figures.manager_id
        left join this_month
          on this_month.manager_id = coalesce(figures.manager_id, staff.user_id)
        left join lateral (
          select manager_name from tripwire_users
          where granted_by = figures.manager_id
            and staff.user_id is null and figures.manager_id <> %(nobody)s
          order by coalesce(created_at, '1900-01-01 00:00+00') desc, id desc limit 1
        ) former on true
        where staff.user_id is not null or figures.sales <> 0
        order by 1, figures.revenue desc nulls last, 3
        """,  # noqa: S608
        **_span("sold", period),
        **_span("sold_lately", Period.month_of(business_day())),
    )
    return [
        Standing(place, user_id, name, email, Figures(*sold), this_month, is_staff)
        for place, user_id, name, email, *sold, this_month, is_staff in found
    ]


def compact() -> int:
    """Put totals of the same time, manager and status together; answers how many rows that saved.

    Whoever counts meanwhile sees the rows before or after, and what is written meanwhile stays.
    """
    saved = 0
    with connections["tripwire"].cursor() as cursor:
        for table, time in (("sales_totals", "day"), ("sales_totals_monthly", "month")):
            cursor.execute(_COMPACT.format(table=table, time=time))
            saved += cursor.fetchone()[0]
    return saved


def _unit(period: Period) -> Unit:
    if period.days <= _DAYS_AS_DAYS:
        return Unit.DAY
    return Unit.WEEK if period.days <= _DAYS_AS_WEEKS else Unit.MONTH


def _span(name: str, period: Period, *, by_month: bool = True) -> dict[str, Any]:
    """The parameters of the `_SOLD` of this name; by the day throughout, if so wanted."""
    months, days = _whole_months(period) if by_month else (period.first_day, period.first_day)
    return {
        f"{name}_first": period.first_day,
        f"{name}_months": months,
        f"{name}_days": days,
        f"{name}_last": period.last_day,
        f"{name}_start": period.start,
        f"{name}_end": period.end,
    }


def _whole_months(period: Period) -> tuple[date, date]:
    """The first day of the first whole month in a period, and the one after the last; both are the
    period's first day where there is no whole month."""
    first = period.first_day
    if first.day > 1:
        first = Period.month_of(first).last_day + timedelta(days=1)
    following = (period.last_day + timedelta(days=1)).replace(day=1)
    return (first, following) if first < following else (period.first_day, period.first_day)


def _rows(statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connections["tripwire"].cursor() as cursor:
        everywhere: dict[str, Any] = {"zone": settings.TIME_ZONE, "nobody": NOBODY}
        cursor.execute(statement, {**everywhere, **parameters})
        return [
            tuple(int(value) if isinstance(value, Decimal) else value for value in row)
            for row in cursor.fetchall()
        ]

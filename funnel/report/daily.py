"""How figures spread from day to day: counted on the days at hand, for the tests of all figures.

The days are whole ones whose leads have reached the age that figures are compared at: the last
month's worth of the period and of the compared one, and where these are few, the four weeks before
the period. Leads of a day are parted by source, since each campaign has days of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Func, IntegerField, Q

from funnel.landing.statement import Found, JsonArray, Part
from funnel.models import PURCHASED, Lead, source_name, within
from funnel.report.buckets import number
from funnel.report.counting import WAYS
from funnel.report.question import FunnelQuestion
from funnel.stages import purchased
from funnel.stats.comparison import Noise
from funnel.stats.overdispersion import inflation_of, spread_of
from onai.periods import Period, business_day

_MOST_DAYS = 31
_ENOUGH_DAYS = 28
# Anybody can put anything into a source: they are parted into so many groups at most.
_GROUPS = 64
_DAY = timedelta(days=1)
# Where the columns of a row stand: day, group, leads, purchases by the age; purchases whose moment
# is known, and of these by the age; then the steps by the age.
_LEADS, _BOUGHT, _TIMED, _TIMED_BY_AGE, _STEPS = 2, 3, 4, 5, 6


# By the day's number: what was counted on it.
_Table = dict[int, list[int]]


@dataclass(frozen=True, slots=True)
class Daily:
    """The noise of figures of all leads, and of rows of a table; and what part of the purchases,
    0 to 1, comes by the age, None where that is unknown."""

    of_all: Noise
    of_rows: Noise
    come_by_age: float | None


class _Group(Func):
    template = f"(hashtext(%(expressions)s) & {_GROUPS - 1})"
    output_field = IntegerField()


def daily_part(question: FunnelQuestion) -> Part:
    """A row for each day and group of sources with a lead."""
    runs = _runs(question)
    way, age = WAYS[question.counting], question.cuts().age
    inside = Q()
    for run in runs:
        inside |= within(Period(run[0], run[-1]))
    steps = way.steps(age).values()
    timed = PURCHASED & Q(sms_clicked_at__isnull=False)
    days = [Period.day(day) for run in runs for day in run]
    rows = (
        Lead.objects.filter(inside)
        .of_sources(question.sources)
        .filter(way.everyone)
        .annotate(day=number(days), group=_Group(source_name()))
        .values("day", "group")
        .annotate(
            row=JsonArray(
                "day",
                "group",
                Count("pk"),
                Count("pk", filter=purchased(age)),
                Count("pk", filter=timed),
                Count("pk", filter=timed & purchased(age)),
                *(Count("pk", filter=step) for step in steps),
            )
        )
        .values("row")
    )
    return Part(lists={"days": rows})


def _runs(question: FunnelQuestion) -> list[list[date]]:
    """Runs of days, each with a mean of its own, in the order of the calendar."""
    at = question.cuts()
    now = _whole_days(question.period, at.aged_now)
    before = _whole_days(question.compared, at.aged_before)
    if len(now) + len(before) < _ENOUGH_DAYS or question.spans.overlap:
        last = min(question.period.first_day, business_day(at.aged_now)) - _DAY
        before = [last - _DAY * ago for ago in range(_ENOUGH_DAYS - 1, -1, -1)]
    return sorted(run[-_MOST_DAYS:] for run in (before, now) if run)


def _whole_days(period: Period, cut: datetime) -> list[date]:
    last = min(period.last_day, business_day(cut) - _DAY)
    return [period.first_day + _DAY * n for n in range((last - period.first_day).days + 1)]


def read_daily(question: FunnelQuestion, found: Found) -> Daily:
    everybody: dict[int, list[int]] = {}
    by_group: dict[int, _Table] = {}
    for day, group, *counts in found.lists["days"]:
        by_group.setdefault(group, {})[day] = counts
        total = everybody.setdefault(day, [0] * len(counts))
        everybody[day] = [one + other for one, other in zip(total, counts, strict=True)]
    runs, first = [], 1
    for run in _runs(question):
        runs.append(range(first, first + len(run)))
        first += len(run)
    # Days before anybody came tell nothing of how they spread.
    runs[0] = range(min(everybody, default=runs[0].stop), runs[0].stop)
    timed, by_age = (
        sum(counts[place - 2] for counts in everybody.values()) for place in (_TIMED, _TIMED_BY_AGE)
    )
    steps = len(question.steps)
    return Daily(
        of_all=_noise([everybody], everybody, runs, steps),
        of_rows=_noise(list(by_group.values()), everybody, runs, steps),
        come_by_age=by_age / timed if timed else None,
    )


def _noise(
    tables: Sequence[_Table], everybody: _Table, runs: Sequence[Sequence[int]], steps: int
) -> Noise:
    def column(place: int, table: _Table, run: Sequence[int]) -> list[int]:
        return [table[day][place - 2] if day in table else 0 for day in run]

    def spread(place: int) -> float:
        return spread_of([column(place, table, run) for table in tables for run in runs])

    def inflation(part: int, whole: int, among: _Table | None = None) -> float:
        return inflation_of(
            [
                list(
                    zip(
                        column(part, table, run),
                        column(whole, table if among is None else among, run),
                        strict=True,
                    )
                )
                for table in tables
                for run in runs
            ]
        )

    places = [_STEPS + number for number in range(steps)]
    return Noise(
        leads=spread(_LEADS),
        purchases=spread(_BOUGHT),
        reached=tuple(map(spread, places)),
        conversions=(1.0, *(inflation(place, place - 1) for place in places[1:])),
        conversion=inflation(_BOUGHT, _LEADS),
        overall=inflation(_BOUGHT, places[0]),
        share_of_leads=inflation(_LEADS, _LEADS, everybody),
        share_of_purchases=inflation(_BOUGHT, _BOUGHT, everybody),
    )

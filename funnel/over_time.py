"""The funnel over time: leads, purchases and every conversion by day, week or month.

Days are business days and weeks begin on Monday. A lead counts on the day it came, whenever it
was e-mailed or bought. Days without a lead are there, with zeros.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from django.db.models import DateField, Value
from django.db.models.functions import Cast, Trunc
from django.utils import timezone

from funnel.counting import WAYS, Tally, read_tally, tally
from funnel.models import within
from funnel.question import FunnelQuestion, Unit
from funnel.report import share
from funnel.statement import Found, JsonObject, Part, ask
from onai.periods import Period, business_day


@dataclass(frozen=True, slots=True)
class Bucket:
    """A day, week or month: what of it is in the period, both days included.

    `is_cut`: the period holds only a part of it. `is_running`: it is not over yet.
    """

    first_day: date
    last_day: date
    is_cut: bool
    is_running: bool


@dataclass(frozen=True, slots=True)
class StepOfPoint:
    """`conversion` is from the step before, in percent; the first step has none."""

    id: StrEnum
    reached: int
    conversion: Decimal | None


@dataclass(frozen=True, slots=True)
class Point:
    """A bucket and its leads. `conversion` is purchases ÷ leads, in percent."""

    bucket: Bucket
    leads: int
    steps: tuple[StepOfPoint, ...]
    purchases: int
    conversion: Decimal


@dataclass(frozen=True, slots=True)
class OverTime:
    unit: Unit
    points: tuple[Point, ...]


def funnel_over_time(question: FunnelQuestion) -> OverTime:
    """The period of the question, bucket by bucket. Raises FiguresUnavailable."""
    parts = {"time": over_time_part(question)}
    return read_over_time(question, ask(question.leads_of_both_periods(), parts)["time"])


def over_time_part(question: FunnelQuestion) -> Part:
    leads = question.leads().filter(WAYS[question.counting].everyone)
    return Part(
        lists={
            "points": leads.annotate(bucket=bucket_of_lead(question.unit))
            .values("bucket")
            .annotate(
                row=JsonObject(
                    Value("bucket"),
                    "bucket",
                    Value("tally"),
                    tally(question.counting, within(question.period)),
                )
            )
            .values("row")
        }
    )


def read_over_time(question: FunnelQuestion, found: Found) -> OverTime:
    counted = {
        date.fromisoformat(row["bucket"]): read_tally(question.counting, row["tally"])
        for row in found.lists["points"]
    }
    nobody = Tally(0, (0,) * len(WAYS[question.counting].steps), 0)
    points = [
        _point(question, bucket, counted.get(start, nobody))
        for start, bucket in buckets(question.period, question.unit)
    ]
    return OverTime(question.unit, tuple(points))


def bucket_of_lead(unit: Unit) -> Cast:
    """The first day of the bucket that a lead came in."""
    zone = timezone.get_default_timezone()
    return Cast(Trunc("created_at", unit.value, tzinfo=zone), DateField())


def buckets(period: Period, unit: Unit) -> list[tuple[date, Bucket]]:
    """All of the period, each with the day by which the database knows it."""
    today, found = business_day(), []
    start = _start(period.first_day, unit)
    while start <= period.last_day:
        following = _following(start, unit)
        last = following - timedelta(days=1)
        bucket = Bucket(
            first_day=max(start, period.first_day),
            last_day=min(last, period.last_day),
            is_cut=start < period.first_day or last > period.last_day,
            is_running=last >= today,
        )
        found.append((start, bucket))
        start = following
    return found


def _start(day: date, unit: Unit) -> date:
    match unit:
        case Unit.DAY:
            return day
        case Unit.WEEK:
            return day - timedelta(days=day.weekday())
        case Unit.MONTH:
            return day.replace(day=1)


def _following(start: date, unit: Unit) -> date:
    match unit:
        case Unit.DAY:
            return start + timedelta(days=1)
        case Unit.WEEK:
            return start + timedelta(days=7)
        case Unit.MONTH:
            return (start + timedelta(days=31)).replace(day=1)


def _point(question: FunnelQuestion, bucket: Bucket, counts: Tally) -> Point:
    before = (None, *counts.reached)
    decimals = WAYS[question.counting].decimals
    return Point(
        bucket=bucket,
        leads=counts.leads,
        steps=tuple(
            StepOfPoint(step, here, None if last is None else share(here, last, decimals=decimals))
            for step, here, last in zip(question.steps, counts.reached, before, strict=False)
        ),
        purchases=counts.purchases,
        conversion=share(counts.purchases, counts.leads, decimals=1),
    )

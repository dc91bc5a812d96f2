"""A span of whole business days, which every figure of the product is counted over."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Self

from django.utils import timezone


def business_day(moment: datetime | None = None) -> date:
    """The day in the business time zone (`TIME_ZONE`) that `moment` falls on; by default, today."""
    return timezone.localdate(moment, timezone=timezone.get_default_timezone())


# Up to so many days a period is shown by the day, and then by the week.
_DAYS_AS_DAYS, _DAYS_AS_WEEKS = 62, 366


class Unit(StrEnum):
    """What a period is divided into over time. Weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """The business days from `first_day` to `last_day`, both included.

    As moments it is `[start, end)`: from midnight to midnight in the business time zone, taken
    from the time zone database. The same days are the same moments, and so the same SQL, all day.
    """

    first_day: date
    last_day: date

    def __post_init__(self) -> None:
        if self.last_day < self.first_day:
            raise ValueError("a period ends on or after the day it begins")

    @classmethod
    def last_days(cls, count: int) -> Self:
        """Today and the `count - 1` days before it."""
        today = business_day()
        return cls(first_day=today - timedelta(days=count - 1), last_day=today)

    @classmethod
    def day(cls, day: date) -> Self:
        """One day."""
        return cls(first_day=day, last_day=day)

    @classmethod
    def month_of(cls, day: date) -> Self:
        """The whole month that a day is in."""
        first = day.replace(day=1)
        return cls(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1

    @property
    def fitting_unit(self) -> Unit:
        """The unit in which the period makes neither too many rows nor too few."""
        if self.days <= _DAYS_AS_DAYS:
            return Unit.DAY
        return Unit.WEEK if self.days <= _DAYS_AS_WEEKS else Unit.MONTH

    def whole_units(self, unit: Unit) -> "list[Period]":
        """The days, weeks or months that the period reaches into, each as a whole, in order."""
        following, units = self.first_day, []
        while following <= self.last_day:
            whole = _unit_of(following, unit)
            units.append(whole)
            following = whole.last_day + timedelta(days=1)
        return units

    def cut_to(self, other: "Period") -> "Period":
        """What of it is in another period, which it reaches into."""
        return Period(max(self.first_day, other.first_day), min(self.last_day, other.last_day))

    def last(self, count: int) -> "Period":
        """Its last days, at most so many."""
        return Period(max(self.first_day, self.last_day - timedelta(days=count - 1)), self.last_day)

    @property
    def each_day(self) -> "list[Period]":
        return self.whole_units(Unit.DAY)

    @property
    def is_to_come(self) -> bool:
        """Whether none of its days has begun."""
        return self.first_day > business_day()

    @property
    def is_under_way(self) -> bool:
        """Whether today is one of its days."""
        return self.first_day <= business_day() <= self.last_day

    @property
    def start(self) -> datetime:
        return _midnight(self.first_day)

    @property
    def end(self) -> datetime:
        """The first moment that is no longer in the period."""
        return _midnight(self.last_day + timedelta(days=1))


def _unit_of(day: date, unit: Unit) -> Period:
    match unit:
        case Unit.DAY:
            return Period.day(day)
        case Unit.WEEK:
            monday = day - timedelta(days=day.weekday())
            return Period(monday, monday + timedelta(days=6))
        case Unit.MONTH:
            return Period.month_of(day)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())

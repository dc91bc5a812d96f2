"""A span of whole business days, which every figure of the product is counted over."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self

from django.utils import timezone


def business_day(moment: datetime | None = None) -> date:
    """The day in the business time zone (`TIME_ZONE`) that `moment` falls on; by default, today."""
    return timezone.localdate(moment, timezone=timezone.get_default_timezone())


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


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())

"""The days, weeks or months of a period, each beside the days it is compared with.

Days are business days and weeks begin on Monday. The compared days of a bucket lie at the same
place of the compared period: as many days from its beginning, or the same days of last month or
year. Together they are the whole compared period, and no day belongs to two buckets.
"""

from dataclasses import dataclass
from datetime import date

from funnel.question import FunnelQuestion
from funnel.stats.spans import Spans, held_against
from onai.periods import Period, business_day


@dataclass(frozen=True, slots=True)
class Bucket:
    """A day, week or month: its days within the period, both included.

    `is_cut`: the period holds only a part of it. `is_running`: it has begun and is not over.
    `is_to_come`: it has not begun. `compared` are the days it is compared with; None where there
    are none, as for the 31st beside a month of 30 days.
    """

    first_day: date
    last_day: date
    is_cut: bool
    is_running: bool
    is_to_come: bool
    compared: Period | None

    @property
    def is_partial(self) -> bool:
        """Whether its figures are not (yet) those of a whole day, week or month."""
        return self.is_cut or self.is_running or self.is_to_come

    @property
    def period(self) -> Period:
        """Its days within the period, both included."""
        return Period(self.first_day, self.last_day)


def buckets(question: FunnelQuestion) -> tuple[Bucket, ...]:
    """All buckets of the period, in order."""
    today = business_day(question.moment)
    wholes = question.period.whole_units(question.unit)
    parts = [whole.cut_to(question.period) for whole in wholes]
    compared = held_against(question.period, question.compare, [part.first_day for part in parts])
    return tuple(
        Bucket(
            first_day=part.first_day,
            last_day=part.last_day,
            is_cut=part != whole,
            is_running=part.first_day <= today <= whole.last_day,
            is_to_come=part.first_day > today,
            compared=held,
        )
        for whole, part, held in zip(wholes, parts, compared, strict=True)
    )


def spans(question: FunnelQuestion, bucket: Bucket, *, level: float) -> Spans:
    """A bucket's days and the compared ones, cut as the periods are."""
    return Spans(bucket.period, bucket.compared, question.cuts(), question.data_since, level)

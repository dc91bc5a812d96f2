"""A question to the funnel: which days, compared with which, of which sources, counted how.

It is one value, which every answer takes. It knows no address and no page.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from funnel.stages import Counting, StageId, steps_of
from funnel.stats.spans import AGE, Compare, Cuts, Spans, compared_with, cuts
from onai.periods import Period, Unit

_MOMENT = "funnel:moment"


def shared_moment() -> datetime:
    """The moment (UTC) up to which an unfinished span is compared with the same part of another.

    It is a part of the statement, and answers are kept by their question: so all questions share
    one of the last `FUNNEL_CACHE_SECONDS`. The figures shown are of now.
    """
    now, seconds = timezone.now().timestamp(), settings.FUNNEL_CACHE_SECONDS
    kept = cache.get(_MOMENT) if seconds else None
    if not isinstance(kept, int | float) or not kept <= now < kept + seconds:
        kept = now
        if seconds:
            cache.set(_MOMENT, kept, seconds)
    return datetime.fromtimestamp(kept, UTC)


@dataclass(frozen=True, slots=True)
class FunnelQuestion:
    """The question. Without `sources` it is about all; "" stands for leads without one.

    An unfinished period is compared up to `moment`.
    """

    period: Period
    compare: Compare = Compare.PREVIOUS
    sources: tuple[str, ...] = ()
    counting: Counting = Counting.REPORTED
    unit: Unit = Unit.DAY
    # The moment of the first lead, once known: earlier days are not compared.
    data_since: datetime | None = None
    moment: datetime = field(default_factory=shared_moment)

    @property
    def compared(self) -> Period:
        return compared_with(self.period, self.compare)

    def cuts(self, youngest: timedelta = AGE) -> Cuts:
        """Where the comparison cuts the two spans, of leads no younger than this age."""
        return cuts(self.period, self.compared, self.compare, self.moment, youngest=youngest)

    @property
    def spans(self) -> Spans:
        return Spans(self.period, self.compared, self.cuts(), self.data_since)

    @property
    def steps(self) -> tuple[StageId, ...]:
        """The steps of the way of counting, in order."""
        return steps_of(self.counting)

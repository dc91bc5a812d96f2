"""How long a lead takes to buy: median and quartiles from coming to the purchase.

Only purchases with a written moment can be timed. The others are counted and reported, and so are
those with a moment before the lead itself.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from funnel.models import TESTS
from funnel.question import FunnelQuestion
from funnel.report.buckets import Bucket, spans
from funnel.report.counts.count_leads import CountedLeads, Plan
from funnel.report.counts.statement import EVERY, Range, Statement
from funnel.report.sources import LISTED_AT_MOST, readable
from funnel.stages import Counting
from funnel.stats import chance
from funnel.stats.comparison import Section, Verdict, level_of, no_verdict_reason, verdict_of
from funnel.stats.spans import AGE, Cuts, Spans
from onai.periods import Period

# The classes of times for the test, in seconds: from a minute to a year, each a quarter longer than
# the one before. Within a class times count as equal.
CLASSES = tuple(round(60 * 1.25**n) for n in range(60))
_FEWEST_QUARTERED = 4
# The age of the leads whose times are compared, where the period is long enough.
_LONGEST_WAIT = timedelta(days=7)
# The values of `grouping(source, bucket)`.
_ALL, _SOURCE, _BUCKET = 3, 1, 2
# The kind of a group, its side, and its key.
_Key = tuple[int, int, str | int | None]


@dataclass(frozen=True, slots=True)
class Quartiles:
    """The times to buy of some purchases: a quarter of them took no longer than `lower`, a half no
    longer than `median`, three quarters no longer than `upper`; None where none could be timed."""

    purchases: int
    timed: int
    without_moment: int
    before_lead: int
    lower: timedelta | None
    median: timedelta | None
    upper: timedelta | None

    @property
    def has_quarters(self) -> bool:
        """Whether a quarter of them is at least one purchase."""
        return self.timed >= _FEWEST_QUARTERED


_NOBODY = Quartiles(0, 0, 0, 0, None, None, None)


@dataclass(frozen=True, slots=True)
class Times:
    """The times to buy of the period's leads, and those of the compared period's; None where there
    is nothing to compare with.

    What is compared are the purchases of leads that have reached the age, made by that age.
    `verdict` is of `funnel.stats.chance.rank_sum`: whether buying takes longer or less long as a
    whole.
    `is_longer` and `shift` are of the same ranks, and so may differ from what the medians do: of
    all pairs of a purchase now and one before, half differ by more than `shift` (J. L. Hodges,
    E. L. Lehmann, Annals of Mathematical Statistics 34 (1963), 598–611).
    """

    now: Quartiles
    before: Quartiles | None
    verdict: Verdict
    p_value: float | None
    is_longer: bool | None
    shift: timedelta | None

    @property
    def has_purchases(self) -> bool:
        """Whether anybody bought, now or before."""
        return bool(self.now.purchases or (self.before and self.before.purchases))


@dataclass(frozen=True, slots=True)
class OfSource:
    """The times of the leads of one source."""

    source: str
    times: Times

    @property
    def name(self) -> str:
        """The source's name for a reader."""
        return readable(self.source)


@dataclass(frozen=True, slots=True)
class OfBucket:
    """The times of the leads that came in a day, week or month, however later they bought."""

    bucket: Bucket
    times: Times


@dataclass(frozen=True, slots=True)
class TimeToBuy:
    """Times to buy of all leads of the question, of each source that sold, and of each bucket."""

    all: Times
    by_source: tuple[OfSource, ...]
    over_time: tuple[OfBucket, ...]

    @property
    def with_purchases(self) -> tuple[OfBucket, ...]:
        """The buckets in which anybody bought, now or before; the last one first."""
        return tuple(one for one in reversed(self.over_time) if one.times.has_purchases)


NO_TIMES = TimeToBuy(Times(_NOBODY, None, Verdict.NO_DATA, None, None, None), (), ())


def add_times(made: Statement, plan: Plan, *, every_source: bool = False) -> None:
    """Have the times to buy counted: of all purchases, and by source and bucket.

    A purchase has a row of `sold` for each side that shows it: 1 is the period.
    """
    question, at = plan.question, _cuts(plan.question)
    inside = made.inside("bought", plan.shown, question.sources)
    if question.counting is Counting.COHORT:
        inside += f" and starts_with(source, '{TESTS}')"
    made.parameters |= {
        "age_of_times": at.age,
        "classes": list(CLASSES),
        "most_timed_sources": EVERY if every_source else LISTED_AT_MOST,
    }
    made.table(
        "bought",
        "select created_at, coalesce(source, '') as source,"
        " extract(epoch from sms_clicked_at - created_at)::float8 as seconds,"
        " sms_clicked_at <= created_at + %(age_of_times)s as by_age"
        f" from landing_leads where sms_clicked and {inside}",
    )
    compared = [row.compared for row in plan.buckets if row.compared]
    rows = (
        _sold(made, 0, plan.shown[1], at.aged_before, compared),
        _sold(made, 1, plan.shown[0], at.aged_now, [row.period for row in plan.buckets]),
    )
    made.table("sold", " union all ".join(rows))
    made.table(
        "best_selling",
        "select source from sold group by source"
        " order by count(*) filter (where side = 1) desc, source limit %(most_timed_sources)s",
    )
    listed = f"where kind <> {_SOURCE} or source in (select source from best_selling)"
    kind = "grouping(source, bucket) as kind, side, source, bucket"
    made.rows(
        "quartiles",
        ("kind", "side", "source", "bucket", "purchases", "untimed", "earlier", "quartiles"),
        f"from (select {kind}, count(*) as purchases, count(*) - count(seconds) as untimed,"
        " count(*) filter (where seconds < 0) as earlier,"
        " percentile_cont(array[0.25, 0.5, 0.75]) within group (order by seconds)"
        " filter (where seconds >= 0) as quartiles"
        " from sold group by grouping sets ((side), (side, source), (side, bucket))) as grouped"
        f" {listed}",
    )
    made.rows(
        "classes",
        ("kind", "side", "source", "bucket", "class", "n", "seconds"),
        f"from (select {kind}, class, count(*) as n, avg(seconds) as seconds"
        " from sold where is_compared group by"
        " grouping sets ((side, class), (side, source, class), (side, bucket, class)))"
        " as grouped"
        f" {listed}",
    )


def _sold(made: Statement, side: int, shown: Range, aged: datetime, rows: Sequence[Period]) -> str:
    """The purchases of a side, each with its bucket and its class of times."""
    made.parameters |= {
        f"sold_since_{side}": shown.since,
        f"sold_until_{side}": shown.until,
        f"aged_{side}": aged,
        f"buckets_{side}": [days.start for days in rows],
    }
    return (
        f"select {side} as side, source, seconds,"
        f" width_bucket(created_at, %(buckets_{side})s::timestamptz[]) as bucket,"
        " width_bucket(seconds, %(classes)s::float8[]) as class,"
        f" seconds >= 0 and by_age and created_at < %(aged_{side})s as is_compared from bought"
        f" where created_at >= %(sold_since_{side})s and created_at < %(sold_until_{side})s"
    )


def _cuts(question: FunnelQuestion) -> Cuts:
    """Where the comparison cuts: a longer period can wait longer for slow buyers."""
    longest = timedelta(days=min(_LONGEST_WAIT.days, question.period.days // 4))
    return question.cuts(max(AGE, longest))


def read_time_to_buy(found: CountedLeads) -> TimeToBuy:
    """The times of all, of the sources and of the buckets."""
    question, rows = found.plan.question, found.plan.buckets
    quartiles = {_key(row): row for row in found.rows["quartiles"]}
    classes: dict[_Key, list[Any]] = defaultdict(list)
    for row in found.rows["classes"]:
        classes[_key(row)].append(row)

    def times(days: Spans, now: _Key, before: _Key) -> Times:
        return _times(
            days,
            _read(quartiles.get(now)),
            _read(quartiles.get(before)),
            _sample(classes[now]),
            _sample(classes[before]),
        )

    names = {source for kind, _, source in quartiles if kind == _SOURCE}
    level, at = level_of(Section.TIME_TO_BUY, 1 + len(names) + len(rows)), _cuts(question)
    whole = replace(question.spans, cuts=at, level=level)
    of_sources = [
        OfSource(str(name), times(whole, (_SOURCE, 1, name), (_SOURCE, 0, name))) for name in names
    ]
    of_sources.sort(key=lambda one: (-one.times.now.purchases, one.source))
    of_buckets, compared = [], 0
    for place, row in enumerate(rows, start=1):
        compared += row.compared is not None
        before = (_BUCKET, 0, compared if row.compared else 0)
        days = replace(spans(question, row, level=level), cuts=at)
        of_buckets.append(OfBucket(row, times(days, (_BUCKET, 1, place), before)))
    return TimeToBuy(
        all=times(whole, (_ALL, 1, None), (_ALL, 0, None)),
        by_source=tuple(of_sources),
        over_time=tuple(of_buckets),
    )


def _key(row: Sequence[Any]) -> _Key:
    kind, side, source, bucket = row[:4]
    return kind, side, {_SOURCE: source, _BUCKET: bucket}.get(kind)


def _read(row: Sequence[Any] | None) -> Quartiles:
    if row is None:
        return _NOBODY
    purchases, untimed, earlier, quartiles = row[4:]
    lower, median, upper = (
        None if value is None else timedelta(seconds=round(value))
        for value in quartiles or (None, None, None)
    )
    timed = purchases - untimed - earlier
    return Quartiles(purchases, timed, untimed, earlier, lower, median, upper)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Times to buy by class: how many, and their sum in seconds."""

    counts: tuple[int, ...]
    seconds: tuple[float, ...]


def _sample(rows: Sequence[Sequence[Any]]) -> _Sample:
    counts, seconds = [0] * (len(CLASSES) + 1), [0.0] * (len(CLASSES) + 1)
    for *_, number, count, mean in rows:
        counts[number], seconds[number] = count, count * mean
    return _Sample(tuple(counts), tuple(seconds))


def _times(
    days: Spans, now: Quartiles, before: Quartiles, sample: _Sample, sample_before: _Sample
) -> Times:
    if days.before_data:
        return Times(now, None, Verdict.NO_DATA, None, None, None)
    if (unsaid := no_verdict_reason(days, aged=True)) is not None:
        return Times(now, before, unsaid, None, None, None)
    if not before.timed:
        return Times(now, before, Verdict.NO_DATA, None, None, None)
    p_value = chance.rank_sum(sample.counts, sample_before.counts)
    verdict = Verdict.TOO_FEW if p_value is None else verdict_of(days, p_value)
    above = chance.above(sample.counts, sample_before.counts)
    # Times of one class are equal, for the shift as for the test, so that both agree in direction.
    times = [
        (now_all + before_all) / max(1, count + count_before)
        for now_all, before_all, count, count_before in zip(
            sample.seconds, sample_before.seconds, sample.counts, sample_before.counts, strict=True
        )
    ]
    shift = chance.shift(
        list(zip(times, sample.counts, strict=True)),
        list(zip(times, sample_before.counts, strict=True)),
    )
    return Times(
        now,
        before,
        verdict,
        p_value,
        is_longer=None if above is None or above == 0.5 else above > 0.5,
        shift=None if shift is None else timedelta(seconds=round(shift)),
    )

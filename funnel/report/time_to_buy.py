"""How long a lead takes to buy: median and quartiles from coming to the purchase.

Only purchases whose moment was written down can be timed; the others are counted and told, and so
are those that were written down as earlier than the lead itself, which is nobody's time to buy.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Aggregate,
    Avg,
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    Q,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Concat

from funnel.landing.statement import Found, JsonObject, Part, ask
from funnel.models import PURCHASED, source_name, within
from funnel.report.buckets import Bucket, WidthBucket, buckets, number, spans
from funnel.report.question import FunnelQuestion
from funnel.report.sources import LISTED_AT_MOST, readable
from funnel.stages import purchased
from funnel.stats import chance
from funnel.stats.comparison import Section, Verdict, level_of, unsaid_of, verdict_of
from funnel.stats.spans import AGE, Cuts, Spans
from onai.periods import Period

_TIMED = PURCHASED & Q(sms_clicked_at__gte=F("created_at"))
_UNTIMED = PURCHASED & Q(sms_clicked_at=None)
_EARLIER = PURCHASED & Q(sms_clicked_at__lt=F("created_at"))
_TOOK = ExpressionWrapper(F("sms_clicked_at") - F("created_at"), output_field=DurationField())
# For the test, times are told apart by these seconds: from a minute to a year, each a quarter
# longer than the one before. Within a class they count as equal.
CLASSES = tuple(round(60 * 1.25**n) for n in range(60))
_FEWEST_QUARTERED = 4
# Times are compared of leads of this age where the period is long enough.
_LONGEST_WAIT = timedelta(days=7)
# The keys of the groups a purchase is in.
_ALL, _SOURCE, _NOW, _BEFORE = "all", "source ", "now ", "before "


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
        """Whether there are enough for a quarter of them to be a purchase at least."""
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


@dataclass(frozen=True, slots=True)
class OfSource:
    source: str
    times: Times

    @property
    def name(self) -> str:
        return readable(self.source)


@dataclass(frozen=True, slots=True)
class OfBucket:
    """Of the leads that came in a day, week or month, however later they bought."""

    bucket: Bucket
    times: Times


@dataclass(frozen=True, slots=True)
class TimeToBuy:
    """Of all leads asked about; of each source that sold, now or before; of each bucket."""

    all: Times
    by_source: tuple[OfSource, ...]
    over_time: tuple[OfBucket, ...]


def time_to_buy(question: FunnelQuestion) -> TimeToBuy:
    """Raises FiguresUnavailable."""
    parts = {"buying": time_to_buy_part(question)}
    return read_time_to_buy(question, ask(question.leads_of_both_periods(), parts)["buying"])


def time_to_buy_part(question: FunnelQuestion) -> Part:
    """Every purchase is counted in each group it is in, so that one reading does for all."""
    bought = question.counted_leads_of_both_periods().purchases()
    grouped = bought.annotate(key=_Unnested(_keys(question)))
    now, before = within(question.period), question.sides()[1].shown
    at = _cuts(question)
    came = Q(created_at__gte=question.period.start, created_at__lt=at.aged_now)
    came_before = Q(created_at__gte=question.compared.start, created_at__lt=at.aged_before)
    return Part(
        lists={
            "quartiles": grouped.values("key")
            .annotate(
                row=JsonObject(
                    *(Value("key"), "key"),
                    *(Value("now"), _quartiles(now)),
                    *(Value("before"), _quartiles(before)),
                )
            )
            .values("row"),
            "classes": grouped.filter(_TIMED & (came | came_before) & purchased(at.age))
            .annotate(class_number=_class_number())
            .values("key", "class_number")
            .annotate(
                row=JsonObject(
                    *(Value("key"), "key"),
                    *(Value("class"), "class_number"),
                    *(Value("now"), Count("pk", filter=came)),
                    *(Value("before"), Count("pk", filter=came_before)),
                    *(Value("seconds"), Avg(_Seconds(_TOOK), filter=came)),
                    *(Value("seconds_before"), Avg(_Seconds(_TOOK), filter=came_before)),
                )
            )
            .values("row"),
        },
    )


def _cuts(question: FunnelQuestion) -> Cuts:
    """Where the comparison cuts: a longer period can wait longer for those who take their time."""
    longest = timedelta(days=min(_LONGEST_WAIT.days, question.period.days // 4))
    return question.cuts(max(AGE, longest))


def _keys(question: FunnelQuestion) -> Func:
    """The groups of a purchase: all, its source, and what it came in of the period and of the
    compared one; null where it did not."""
    rows = buckets(question)
    compared = [row.compared for row in rows if row.compared]
    return _TextArray(
        Value(_ALL),
        Concat(Value(_SOURCE), source_name(), output_field=TextField()),
        _numbered(_NOW, question.period, [row.period for row in rows]),
        _numbered(_BEFORE, question.compared, compared),
    )


def read_time_to_buy(
    question: FunnelQuestion, found: Found, *, every_source: bool = False
) -> TimeToBuy:
    """The times of all and of the sources that sell most, or with `every_source` of all of them."""
    quartiles = {row["key"]: row for row in found.lists["quartiles"]}
    classes: dict[str, list[Any]] = defaultdict(list)
    for row in found.lists["classes"]:
        classes[row["key"]].append(row)

    def times(days: Spans, key: str, key_before: str) -> Times:
        return _times(
            days,
            _read(quartiles, key, "now"),
            _read(quartiles, key_before, "before"),
            _sample(classes[key], "now", "seconds"),
            _sample(classes[key_before], "before", "seconds_before"),
        )

    names = sorted(
        (key for key in quartiles if key and key.startswith(_SOURCE)),
        key=lambda key: (-quartiles[key]["now"]["purchases"], key),
    )
    if not every_source:
        names = names[:LISTED_AT_MOST]
    rows, of_buckets, compared = buckets(question), [], 0
    level = level_of(Section.TIME_TO_BUY, 1 + len(names) + len(rows))
    at = _cuts(question)
    whole = replace(question.spans, cuts=at, level=level)
    of_sources = [OfSource(key.removeprefix(_SOURCE), times(whole, key, key)) for key in names]
    of_sources.sort(key=lambda one: (-one.times.now.purchases, one.source))
    for place, row in enumerate(rows, start=1):
        compared += row.compared is not None
        before = f"{_BEFORE}{compared if row.compared else 0}"
        days = replace(spans(question, row, level=level), cuts=at)
        of_buckets.append(OfBucket(row, times(days, f"{_NOW}{place}", before)))
    return TimeToBuy(
        all=times(whole, _ALL, _ALL),
        by_source=tuple(of_sources),
        over_time=tuple(of_buckets),
    )


class _TextArray(Func):
    template = "array[%(expressions)s]"
    output_field = ArrayField(TextField())


class _Unnested(Func):
    function = "unnest"
    output_field = TextField()
    set_returning = True


class _Percentiles(Aggregate):
    """The quartiles as PostgreSQL interpolates them between two values; null without a value."""

    template = "percentile_cont(array[0.25, 0.5, 0.75]) within group (order by %(expressions)s)"
    output_field = ArrayField(FloatField())


class _Seconds(Func):
    template = "extract(epoch from %(expressions)s)"
    output_field = FloatField()


def _numbered(prefix: str, period: Period, periods: Sequence[Period]) -> Case:
    named = Concat(Value(prefix), Cast(number(periods), TextField()), output_field=TextField())
    return Case(When(within(period), then=named), output_field=TextField())


def _class_number() -> Func:
    bounds = Value(f"{{{','.join(map(str, CLASSES))}}}")
    seconds = Cast(_Seconds(_TOOK), FloatField())
    return WidthBucket(seconds, Cast(bounds, ArrayField(FloatField())))


def _quartiles(inside: Q) -> JsonObject:
    return JsonObject(
        Value("purchases"),
        Count("pk", filter=inside),
        Value("timed"),
        Count("pk", filter=inside & _TIMED),
        Value("without_moment"),
        Count("pk", filter=inside & _UNTIMED),
        Value("before_lead"),
        Count("pk", filter=inside & _EARLIER),
        Value("quartiles"),
        _Percentiles(_Seconds(_TOOK), filter=inside & _TIMED),
    )


def _read(rows: Mapping[str, Any], key: str, when: str) -> Quartiles:
    if key not in rows:
        return _NOBODY
    row = rows[key][when]
    lower, median, upper = (
        None if value is None else timedelta(seconds=round(value))
        for value in row["quartiles"] or (None, None, None)
    )
    return Quartiles(
        purchases=row["purchases"],
        timed=row["timed"],
        without_moment=row["without_moment"],
        before_lead=row["before_lead"],
        lower=lower,
        median=median,
        upper=upper,
    )


@dataclass(frozen=True, slots=True)
class _Sample:
    """Times to buy by class: how many, and their sum in seconds."""

    counts: tuple[int, ...]
    seconds: tuple[float, ...]


def _sample(rows: Sequence[Mapping[str, Any]], count: str, mean: str) -> _Sample:
    counts, seconds = [0] * (len(CLASSES) + 1), [0.0] * (len(CLASSES) + 1)
    for row in rows:
        counts[row["class"]] = row[count]
        seconds[row["class"]] = row[count] * float(row[mean] or 0)
    return _Sample(tuple(counts), tuple(seconds))


def _times(
    days: Spans, now: Quartiles, before: Quartiles, sample: _Sample, sample_before: _Sample
) -> Times:
    if days.before_data:
        return Times(now, None, Verdict.NO_DATA, None, None, None)
    if (unsaid := unsaid_of(days, aged=True)) is not None:
        return Times(now, before, unsaid, None, None, None)
    if not before.timed:
        return Times(now, before, Verdict.NO_DATA, None, None, None)
    p_value = chance.rank_sum(sample.counts, sample_before.counts)
    verdict = Verdict.TOO_FEW if p_value is None else verdict_of(days, p_value)
    above = chance.above(sample.counts, sample_before.counts)
    # Times of one class are equal, for the shift as for the test, so that it goes the same way.
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

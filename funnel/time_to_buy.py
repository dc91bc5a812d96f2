"""How long a lead takes to buy: median and quartiles from coming to the purchase.

Only purchases whose moment was written down can be timed; the others are counted and told, and so
are those that were written down as earlier than the lead itself, which is nobody's time to buy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    Q,
    Value,
)

from funnel.counting import WAYS
from funnel.models import PURCHASED, source_name, within
from funnel.over_time import Bucket, bucket_of_lead, buckets
from funnel.question import FunnelQuestion
from funnel.sources import readable
from funnel.statement import Found, JsonObject, Part, ask

_TIMED = PURCHASED & Q(sms_clicked_at__gte=F("created_at"))
_UNTIMED = PURCHASED & Q(sms_clicked_at=None)
_EARLIER = PURCHASED & Q(sms_clicked_at__lt=F("created_at"))


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


@dataclass(frozen=True, slots=True)
class OfSource:
    source: str
    quartiles: Quartiles

    @property
    def name(self) -> str:
        return readable(self.source)


@dataclass(frozen=True, slots=True)
class OfBucket:
    """Of the leads that came in a day, week or month, however later they bought."""

    bucket: Bucket
    quartiles: Quartiles


@dataclass(frozen=True, slots=True)
class TimeToBuy:
    """Of all leads asked about, now and in the compared period; of each source that sold; of each
    bucket of the period."""

    all: Quartiles
    before: Quartiles
    by_source: tuple[OfSource, ...]
    over_time: tuple[OfBucket, ...]


def time_to_buy(question: FunnelQuestion) -> TimeToBuy:
    """Raises FiguresUnavailable."""
    parts = {"buying": time_to_buy_part(question)}
    return read_time_to_buy(question, ask(question.leads_of_both_periods(), parts)["buying"])


def time_to_buy_part(question: FunnelQuestion) -> Part:
    everyone = WAYS[question.counting].everyone
    buyers = question.leads().filter(everyone).purchases()
    inside = within(question.period)
    return Part(
        figures={
            "now": _quartiles(inside & everyone),
            "before": _quartiles(within(question.compared) & everyone),
        },
        lists={
            "by_source": buyers.annotate(source_name=source_name())
            .values("source_name")
            .annotate(row=JsonObject(Value("key"), "source_name", Value("of"), _quartiles(inside)))
            .values("row"),
            "over_time": buyers.annotate(bucket=bucket_of_lead(question.unit))
            .values("bucket")
            .annotate(row=JsonObject(Value("key"), "bucket", Value("of"), _quartiles(inside)))
            .values("row"),
        },
    )


def read_time_to_buy(question: FunnelQuestion, found: Found) -> TimeToBuy:
    of_sources = [OfSource(row["key"], _read(row["of"])) for row in found.lists["by_source"]]
    of_sources.sort(key=lambda one: (-one.quartiles.purchases, one.source))
    known = {date.fromisoformat(row["key"]): _read(row["of"]) for row in found.lists["over_time"]}
    nobody = Quartiles(0, 0, 0, 0, None, None, None)
    of_buckets = [
        OfBucket(bucket, known.get(start, nobody))
        for start, bucket in buckets(question.period, question.unit)
    ]
    return TimeToBuy(
        all=_read(found.figures["now"]),
        before=_read(found.figures["before"]),
        by_source=tuple(of_sources),
        over_time=tuple(of_buckets),
    )


class _Percentiles(Aggregate):
    """The quartiles as PostgreSQL interpolates them between two values; null without a value."""

    template = "percentile_cont(array[0.25, 0.5, 0.75]) within group (order by %(expressions)s)"
    output_field = ArrayField(FloatField())


class _Seconds(Func):
    template = "extract(epoch from %(expressions)s)"
    output_field = FloatField()


def _quartiles(inside: Q) -> JsonObject:
    took = ExpressionWrapper(F("sms_clicked_at") - F("created_at"), output_field=DurationField())
    return JsonObject(
        Value("purchases"),
        Count("pk", filter=inside & PURCHASED),
        Value("timed"),
        Count("pk", filter=inside & _TIMED),
        Value("without_moment"),
        Count("pk", filter=inside & _UNTIMED),
        Value("before_lead"),
        Count("pk", filter=inside & _EARLIER),
        Value("quartiles"),
        _Percentiles(_Seconds(took), filter=inside & _TIMED),
    )


def _read(row: Mapping[str, Any]) -> Quartiles:
    seconds = row["quartiles"] or (None, None, None)
    lower, median, upper = (
        None if value is None else timedelta(seconds=round(value)) for value in seconds
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

"""Which campaigns, media and contents sell: the funnel of every UTM mark in the leads' metadata.

The landing pages write the marks at the top level of `metadata` or under `utmParams`. Where both
are written, the top level counts. A mark is a text or a number; anything else there is none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.db.models import Case, Count, F, Func, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce, NullIf, Sign, Trim
from django.db.models.lookups import In

from funnel.landing.statement import Found, JsonObject, Part, ask
from funnel.models import PURCHASED
from funnel.report.counting import WAYS, read_side, tally
from funnel.report.daily import Daily, daily_part, read_daily
from funnel.report.question import FunnelQuestion
from funnel.report.steps import Funnel, funnel_of
from funnel.stages import purchased
from funnel.stats.comparison import AgainstOthers, Noise, Section, against_others, level_of
from funnel.stats.spans import Spans

# Anybody can put anything into an address, so the list of values is not ours to bound.
MOST_VALUES = 200


class Mark(StrEnum):
    CAMPAIGN = "campaign"
    MEDIUM = "medium"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Marked:
    """The leads that carry one value of a mark; an empty value is those that carry none."""

    value: str
    funnel: Funnel
    against_others: AgainstOthers | None


@dataclass(frozen=True, slots=True)
class MarkTable:
    """The values of one mark: those without it first, then best sellers first.

    Of very many the best are listed, and `others` are the leads of all that are not.
    """

    mark: Mark
    rows: tuple[Marked, ...]
    others: Funnel | None

    @property
    def there_are_more(self) -> bool:
        return self.others is not None

    @property
    def others_row(self) -> Marked | None:
        return Marked("", self.others, None) if self.others else None

    @property
    def marked(self) -> tuple[Marked, ...]:
        return tuple(row for row in self.rows if row.value)

    @property
    def without(self) -> Marked | None:
        return next((row for row in self.rows if not row.value), None)


def funnel_by_utm(question: FunnelQuestion) -> tuple[MarkTable, ...]:
    """A table for each mark. Raises FiguresUnavailable."""
    parts = {"utm": utm_part(question), "daily": daily_part(question)}
    found = ask(question.leads_of_both_periods(), parts)
    return read_utm(question, found["utm"], read_daily(question, found["daily"]))


def utm_part(question: FunnelQuestion, *, every_value: bool = False) -> Part:
    side, before = question.sides()
    among = (side.shown if side.aged is None else side.aged) & WAYS[question.counting].everyone
    return Part(
        figures={
            "came": Count("pk", filter=among),
            "bought": Count("pk", filter=among & purchased(side.age)),
            "now": tally(question.counting, side),
            "before": tally(question.counting, before),
        },
        lists={
            mark.value: _values(question, mark, None if every_value else MOST_VALUES + 1)
            for mark in Mark
        },
    )


def read_utm(
    question: FunnelQuestion, found: Found, days: Daily, *, every_value: bool = False
) -> tuple[MarkTable, ...]:
    """The best values of each mark and the others together, or every value."""
    at_most = None if every_value else MOST_VALUES
    rows = sum(len(found.lists[mark.value][:at_most]) for mark in Mark)
    marks = rows * WAYS[question.counting].marks
    spans = replace(question.spans, level=level_of(Section.UTM, marks))
    others = replace(spans, level=level_of(Section.MARK_AGAINST_OTHERS, rows))
    judged = _Judged(spans, others, days.of_rows)
    return tuple(_table(question, mark, found, judged, at_most) for mark in Mark)


@dataclass(frozen=True, slots=True)
class _Judged:
    """By what the rows of all tables are judged: against before, and against the others."""

    spans: Spans
    others: Spans
    noise: Noise


def _table(
    question: FunnelQuestion, mark: Mark, found: Found, judged: _Judged, at_most: int | None
) -> MarkTable:
    rows = found.lists[mark.value]
    listed = rows[:at_most]
    read = tuple(_marked(question, row, found, judged) for row in listed)
    if len(listed) == len(rows):
        return MarkTable(mark, read, None)
    left = {when: _left(found.figures[when], listed, when) for when in ("now", "before")}
    return MarkTable(mark, read, _funnel(question, left, judged))


def _left(whole: Mapping[str, int], listed: Sequence[Any], when: str) -> dict[str, int]:
    """What was counted of the leads whose value is not listed."""
    counts = Counter(whole)
    for row in listed:
        counts.subtract(row[when])
    return dict(counts)


def _funnel(question: FunnelQuestion, row: Mapping[str, Any], judged: _Judged) -> Funnel:
    now, before = question.sides()
    side = read_side(question.counting, now, row["now"])
    side_before = read_side(question.counting, before, row["before"])
    return funnel_of(question.counting, judged.spans, side, side_before, judged.noise)


def _marked(question: FunnelQuestion, row: Any, found: Found, judged: _Judged) -> Marked:
    now, _ = question.sides()
    side = read_side(question.counting, now, row["now"])
    return Marked(
        row["value"] or "",
        _funnel(question, row, judged),
        against_others(
            judged.others,
            (side.aged.purchases, side.aged.leads),
            (found.figures["bought"], found.figures["came"]),
            noise=judged.noise.conversion,
        ),
    )


def _values(question: FunnelQuestion, mark: Mark, at_most: int | None) -> Any:
    leads = question.counted_leads_of_both_periods().annotate(value=_value_of(mark))
    now, before = question.sides()
    return (
        leads.values("value")
        .annotate(
            # An aggregate, as a condition on the value would be one more thing to group by, and
            # the value be dug out of every lead's metadata twice.
            is_marked=Sign(Count("value")),
            bought=Count("pk", filter=now.shown & PURCHASED),
            came=Count("pk", filter=now.shown),
            row=JsonObject(
                Value("value"),
                "value",
                Value("now"),
                tally(question.counting, now),
                Value("before"),
                tally(question.counting, before),
            ),
        )
        .order_by("is_marked", "-bought", "-came", "value")
        .values("row")[:at_most]
    )


class _TypeOfJson(Func):
    function = "jsonb_typeof"
    output_field = TextField()


def _value_of(mark: Mark) -> Coalesce:
    key = f"utm_{mark.value}"
    return Coalesce(
        _text_at(key, F("metadata")),
        _text_at(key, KeyTransform("utmParams", "metadata")),
        output_field=TextField(),
    )


def _text_at(key: str, place: Any) -> Case:
    kind = _TypeOfJson(KeyTransform(key, place))
    text = Trim(KeyTextTransform(key, place), output_field=TextField())
    return Case(
        When(In(kind, ("string", "number")), then=NullIf(text, Value(""))),
        output_field=TextField(),
    )

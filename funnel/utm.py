"""Which campaigns, media and contents sell: the funnel of every UTM mark in the leads' metadata.

The landing pages write the marks at the top level of `metadata` or under `utmParams`. Where both
are written, the top level counts. A mark is a text or a number; anything else there is none.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.db.models import Case, Count, F, Func, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce, NullIf, Sign, Trim
from django.db.models.lookups import In

from funnel.comparison import AgainstOthers, Noise, Section, Spans, against_others, level_of
from funnel.counting import WAYS, read_side, tally
from funnel.daily import Daily, daily_part, read_daily
from funnel.models import PURCHASED, purchased
from funnel.question import FunnelQuestion
from funnel.statement import Found, JsonObject, Part, ask
from funnel.steps import Funnel, funnel_of

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

    `there_are_more` than are listed, with fewer purchases and leads.
    """

    mark: Mark
    rows: tuple[Marked, ...]
    there_are_more: bool

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


def utm_part(question: FunnelQuestion) -> Part:
    side, _ = question.sides()
    among = (side.shown if side.aged is None else side.aged) & WAYS[question.counting].everyone
    return Part(
        figures={
            "came": Count("pk", filter=among),
            "bought": Count("pk", filter=among & purchased(side.age)),
        },
        lists={mark.value: _values(question, mark) for mark in Mark},
    )


def read_utm(question: FunnelQuestion, found: Found, days: Daily) -> tuple[MarkTable, ...]:
    rows = sum(len(found.lists[mark.value][:MOST_VALUES]) for mark in Mark)
    marks = rows * WAYS[question.counting].marks
    spans = replace(question.spans, level=level_of(Section.UTM, marks))
    others = replace(spans, level=level_of(Section.MARK_AGAINST_OTHERS, rows))
    judged = _Judged(spans, others, days.of_rows)
    return tuple(_table(question, mark, found, judged) for mark in Mark)


@dataclass(frozen=True, slots=True)
class _Judged:
    """By what the rows of all tables are judged: against before, and against the others."""

    spans: Spans
    others: Spans
    noise: Noise


def _table(question: FunnelQuestion, mark: Mark, found: Found, judged: _Judged) -> MarkTable:
    rows = found.lists[mark.value]
    read = [_marked(question, row, found, judged) for row in rows[:MOST_VALUES]]
    return MarkTable(mark, tuple(read), len(rows) > MOST_VALUES)


def _marked(question: FunnelQuestion, row: Any, found: Found, judged: _Judged) -> Marked:
    now, before = question.sides()
    side = read_side(question.counting, now, row["now"])
    side_before = read_side(question.counting, before, row["before"])
    return Marked(
        row["value"] or "",
        funnel_of(question.counting, judged.spans, side, side_before, judged.noise),
        against_others(
            judged.others,
            (side.aged.purchases, side.aged.leads),
            (found.figures["bought"], found.figures["came"]),
            noise=judged.noise.conversion,
        ),
    )


def _values(question: FunnelQuestion, mark: Mark) -> Any:
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
        .values("row")[: MOST_VALUES + 1]
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

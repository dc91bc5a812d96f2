"""Which campaigns, media and contents sell: the funnel of every UTM mark in the leads' metadata.

The landing pages write the marks at the top level of `metadata` or under `utmParams`. Where both
are written, the top level counts. A mark is a text or a number; anything else there is none.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Case, Count, F, Func, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce, NullIf, Sign, Trim
from django.db.models.lookups import In

from funnel.comparison import AgainstOthers, against_others
from funnel.counting import WAYS, tally
from funnel.models import PURCHASED, within
from funnel.question import FunnelQuestion
from funnel.statement import Found, JsonObject, Part, ask
from funnel.steps import Funnel, read_funnel

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
    parts = {"utm": utm_part(question)}
    return read_utm(question, ask(question.leads_of_both_periods(), parts)["utm"])


def utm_part(question: FunnelQuestion) -> Part:
    among = within(question.period) & WAYS[question.counting].everyone
    return Part(
        figures={
            "came": Count("pk", filter=among),
            "bought": Count("pk", filter=among & PURCHASED),
        },
        lists={mark.value: _values(question, mark) for mark in Mark},
    )


def read_utm(question: FunnelQuestion, found: Found) -> tuple[MarkTable, ...]:
    return tuple(_table(question, mark, found) for mark in Mark)


def _table(question: FunnelQuestion, mark: Mark, found: Found) -> MarkTable:
    rows = found.lists[mark.value]
    read = [_marked(question, row, found, among=len(rows)) for row in rows[:MOST_VALUES]]
    return MarkTable(mark, tuple(read), len(rows) > MOST_VALUES)


def _marked(question: FunnelQuestion, row: Any, found: Found, *, among: int) -> Marked:
    funnel = read_funnel(question, row, among=among)
    bought, came = found.figures["bought"], found.figures["came"]
    others = against_others(funnel.conversion, bought, came, among=among)
    return Marked(row["value"] or "", funnel, others)


def _values(question: FunnelQuestion, mark: Mark) -> Any:
    leads = question.counted_leads_of_both_periods().annotate(value=_value_of(mark))
    inside = within(question.period)
    return (
        leads.values("value")
        .annotate(
            # An aggregate, as a condition on the value would be one more thing to group by, and
            # the value be dug out of every lead's metadata twice.
            is_marked=Sign(Count("value")),
            bought=Count("pk", filter=inside & PURCHASED),
            came=Count("pk", filter=inside),
            row=JsonObject(
                Value("value"),
                "value",
                Value("now"),
                tally(question.counting, inside),
                Value("before"),
                tally(question.counting, within(question.compared)),
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

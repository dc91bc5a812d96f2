"""Which campaigns, media and contents sell: the funnel of every UTM mark in the leads' metadata.

The landing pages write the marks at the top level of `metadata` or under `utmParams`; the top level
counts first. A mark is a text or a number; any other value counts as none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from funnel.models import TESTS
from funnel.report.counts.count_leads import CountedLeads, Plan
from funnel.report.counts.counting import LEADS, PURCHASES, Counts, marks_of, name_of, side
from funnel.report.counts.daily import Daily
from funnel.report.counts.statement import EVERY, SPAN, Statement, Texts
from funnel.report.steps import Funnel, funnel_of
from funnel.stages import Counting
from funnel.stats.comparison import AgainstOthers, Noise, Section, against_others, level_of
from funnel.stats.spans import Spans

# Anybody can put anything into an address, so the number of values is unbounded.
MOST_VALUES = 200


class Mark(StrEnum):
    """The UTM marks that are counted: `utm_campaign`, `utm_medium`, `utm_content`."""

    CAMPAIGN = "campaign"
    MEDIUM = "medium"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Marked:
    """The leads with one value of a mark; an empty value stands for leads without one."""

    value: str
    funnel: Funnel
    against_others: AgainstOthers | None


@dataclass(frozen=True, slots=True)
class MarkTable:
    """The values of one mark: leads without it first, then best sellers first.

    Of very many the best are listed, and `others` are all the rest.
    """

    mark: Mark
    rows: tuple[Marked, ...]
    others: Funnel | None

    @property
    def there_are_more(self) -> bool:
        """Whether there are more values than those listed."""
        return self.others is not None

    @property
    def marked(self) -> tuple[Marked, ...]:
        """The rows of leads that have the mark, best sellers first."""
        return tuple(row for row in self.rows if row.value)

    @property
    def without(self) -> Marked | None:
        """The row of leads without the mark; None where all have it."""
        return next((row for row in self.rows if not row.value), None)


_PLACES = {"top": "metadata", "under": "(metadata -> 'utmParams')"}
_JSON = {
    f"{place}_{mark}": (json, f"'utm_{mark}'") for place, json in _PLACES.items() for mark in Mark
}
_BITS = {text: 1 << number for number, text in enumerate(_JSON)}
# What JSON writes for anything but a text or a number begins with one of these; so may a text.
_FIRST_LETTERS = ", ".join(str(ord(letter)) for letter in "[{tf")


def _bit(text: str, json: str, key: str) -> str:
    """The bit of a text that is no text or number in the JSON; looked up only where it may be."""
    return (
        f"case when {text} is null or ascii({text}) not in ({_FIRST_LETTERS})"
        f" or jsonb_typeof({json} -> {key}) in ('string', 'number') then 0 else {_BITS[text]} end"
    )


# The marks as leads have them, in either place, and which of these texts are none.
MARK_TEXTS = Texts(
    columns={text: f"{json} ->> {key}" for text, (json, key) in _JSON.items()},
    flag=" + ".join(_bit(text, json, key) for text, (json, key) in _JSON.items()),
)


def add_marks(made: Statement, plan: Plan, *, every_value: bool = False) -> None:
    """Have the values of each mark counted: leads without one, the best sellers, or every value."""
    question = plan.question
    made.parameters["most_values"] = EVERY if every_value else MOST_VALUES
    made.parameters["spans_now"] = plan.places_in(plan.shown[0])
    inside = f"{SPAN} > 0"
    if question.counting is Counting.COHORT:
        inside += f" and starts_with(source, '{TESTS}')"
    values = ", ".join(f"{_value(mark)} as {mark}" for mark in Mark)
    made.table(
        "by_marks",
        f"select {SPAN} as span, marks, {values}, sum(n)::bigint as n from by_text"
        f" where {inside} group by 1, 2, {', '.join(str(place + 3) for place in range(len(Mark)))}",
    )
    names, counting = plan.columns.names, question.counting
    leads, bought = (f"c{names.index(name_of(counting, one))}" for one in (LEADS, PURCHASES))
    columns = [f"{count} as c{number}" for number, count in enumerate(plan.columns.sums)]
    counts = [f"sum(c{number})" for number in range(len(columns))]
    each = ", ".join(f"('{mark}', {mark})" for mark in Mark)
    made.table(
        "by_value",
        f"select mark.name, coalesce(mark.value, '') as value, span, {', '.join(columns)}"
        f" from by_marks cross join lateral (values {each}) as mark (name, value) group by 1, 2, 3",
    )
    made.table(
        "best_values",
        "select name, value, row_number() over (partition by name order by value <> '',"
        f" coalesce(sum({bought}) filter (where span = any(%(spans_now)s)), 0) desc,"
        f" coalesce(sum({leads}) filter (where span = any(%(spans_now)s)), 0) desc, value)"
        " as place from by_value group by name, value",
    )
    listed = "case when place <= %(most_values)s then value end"
    for mark in Mark:
        made.rows(
            f"utm_{mark}",
            (listed, "span", *counts),
            "from by_value join best_values using (name, value)"
            f" where name = '{mark}' group by {listed}, span order by min(place)",
        )


def _value(mark: Mark) -> str:
    """The value of a mark of a group of leads, null for leads without it."""
    known = (
        f"case when flag & {_BITS[text]} = 0 then nullif(btrim({text}), '') end"
        for text in (f"top_{mark}", f"under_{mark}")
    )
    return f"coalesce({', '.join(known)})"


def read_utm(found: CountedLeads, days: Daily) -> tuple[MarkTable, ...]:
    """A table for each mark."""
    question, plan = found.plan.question, found.plan
    tables = {mark: found.by_key(f"utm_{mark}") for mark in Mark}
    rows = sum(value is not None for values in tables.values() for value in values)
    spans = replace(question.spans, level=level_of(Section.UTM, rows * marks_of(question.counting)))
    others = replace(spans, level=level_of(Section.MARK_AGAINST_OTHERS, rows))
    everybody = side(question.counting, found.totals, plan.now).aged
    judged = _Judged(spans, others, days.of_rows, (everybody.purchases, everybody.leads))
    return tuple(_table(plan, mark, tables[mark], judged) for mark in Mark)


@dataclass(frozen=True, slots=True)
class _Judged:
    """The basis of the tests of all tables' rows: the compared period, and all others with so many
    purchases of so many leads.
    """

    spans: Spans
    others: Spans
    noise: Noise
    bought: tuple[int, int]


def _table(
    plan: Plan, mark: Mark, values: Mapping[str | None, Counts], judged: _Judged
) -> MarkTable:
    others = values.get(None)
    return MarkTable(
        mark,
        tuple(
            _marked(plan, value, counts, judged)
            for value, counts in values.items()
            if value is not None
        ),
        _funnel(plan, others, judged) if others else None,
    )


def _funnel(plan: Plan, counts: Counts, judged: _Judged) -> Funnel:
    counting = plan.question.counting
    now, before = (side(counting, counts, window) for window in (plan.now, plan.before))
    return funnel_of(counting, judged.spans, now, before, judged.noise)


def _marked(plan: Plan, value: str, counts: Counts, judged: _Judged) -> Marked:
    aged = side(plan.question.counting, counts, plan.now).aged
    return Marked(
        value,
        _funnel(plan, counts, judged),
        against_others(
            judged.others,
            (aged.purchases, aged.leads),
            judged.bought,
            noise=judged.noise.conversion,
        ),
    )

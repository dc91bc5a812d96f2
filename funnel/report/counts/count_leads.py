"""Counts the leads of the chosen and the compared period, for the topics that a page shows.

One SQL statement scans the leads of both periods once, whatever the page shows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from funnel.landing.statement import ask
from funnel.question import FunnelQuestion
from funnel.report.buckets import Bucket, buckets
from funnel.report.counts.counting import Counts, Window, in_utc
from funnel.report.counts.statement import Columns, Range, Statement, Texts
from funnel.stages import Counting
from onai.db.visibility import ROWS_ARE_FILTERED
from onai.periods import Period

# Anybody can make up a source, so sources are hashed into this number of groups.
GROUPS = 64
_GROUP = f"hashtext(coalesce(source, '')) & {GROUPS - 1}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to count for a question.

    `pieces`: the moments at which the totals are cut. `spans`: the fewer moments at which the rows
    of tables are cut, because those are many. `daily`: the days whose figures give the dispersion.
    """

    question: FunnelQuestion
    now: Window
    before: Window
    buckets: tuple[Bucket, ...]
    daily: tuple[Period, ...]
    columns: Columns
    pieces: tuple[datetime, ...] = field(init=False)
    spans: tuple[datetime, ...] = field(init=False)

    def __post_init__(self) -> None:
        spans = _in_order((*self.now.moments, *self.before.moments))
        days = (*self.daily, *(days for row in self.buckets for days in (row.period, row.compared)))
        edges = (edge for period in days if period for edge in (period.start, period.end))
        object.__setattr__(self, "spans", spans)
        object.__setattr__(self, "pieces", _in_order((*spans, *edges)))

    @classmethod
    def of(
        cls,
        question: FunnelQuestion,
        *,
        by_bucket: bool,
        ways: Iterable[Counting] = (),
    ) -> "Plan":
        """The plan of a question: with `by_bucket` also by day, week or month, counted in these
        ways beside the question's own.
        """
        at, period, compared = question.cuts(), question.period, question.compared
        now = Window(period, period.end, at.now, at.aged_now)
        before = Window(compared, at.before, at.before, at.aged_before)
        ways = dict.fromkeys((*ways, question.counting, Counting.REPORTED))
        rows = buckets(question) if by_bucket else ()
        daily = tuple(day for run in question.spans.days_at_hand for day in run.each_day)
        return cls(question, now, before, rows, daily, Columns(tuple(ways)))

    @property
    def shown(self) -> tuple[Range, Range]:
        """The shown part of the chosen period and of the compared one."""
        return (
            Range(self.now.days.start, self.now.shown),
            Range(self.before.days.start, self.before.shown),
        )

    def places_in(self, side: Range) -> list[int]:
        """The numbers, from 1, of the `spans` that begin in this range."""
        since, until = in_utc(side.since), in_utc(side.until)
        return [place for place, at in enumerate(self.spans, start=1) if since <= at < until]

    def span_of_pieces(self) -> list[int]:
        """For each piece the number, from 1, of its span; 0 outside both shown ranges."""
        inside = set(chain.from_iterable(map(self.places_in, self.shown)))
        found, place = [], 0
        for at in self.pieces:
            place += place < len(self.spans) and at == self.spans[place]
            found.append(place if place in inside else 0)
        return found


@dataclass(frozen=True, slots=True)
class CountedLeads:
    """The counts at `as_of`, by the database's clock: of all leads, and by group of sources.

    `rows_are_filtered`: the database may hide leads from our role. `first_lead`: when the oldest
    visible lead was created. `rows`: the results of the other topics, by name.
    """

    plan: Plan
    as_of: datetime
    rows_are_filtered: bool
    first_lead: datetime | None
    totals: Counts
    groups: tuple[Counts, ...]
    rows: Mapping[str, Any]

    def by_key(self, name: str) -> dict[Any, Counts]:
        """The counts by key of a topic with rows of key, span and counts, in the order of rows."""
        return counts_by_key(self.rows[name], self.plan.spans, self.plan.columns.names)


def counts_by_key(
    rows: Iterable[Sequence[Any]], moments: Sequence[datetime], names: Sequence[str]
) -> dict[Any, Counts]:
    """The counts by key. A row is a key, a piece (from 1, between `moments`), and the `names`."""
    pieces: dict[Any, list[tuple[int, Sequence[int]]]] = {}
    for key, piece, *counts in rows:
        pieces.setdefault(key, []).append((piece, counts))
    return {key: Counts(moments, names, found) for key, found in pieces.items()}


def statement_of(plan: Plan, *, by_source: bool, texts: Texts | None = None) -> Statement:
    """The statement that counts all leads; each topic adds its own query to it.

    Its table `by_time` holds the number of leads (`n`) by piece, by `marks` and, with `by_source`,
    by source, in both shown ranges and the daily ones. With `texts`, the table `by_text` groups the
    same leads by their texts as well.
    """
    made = Statement(
        parameters={
            "pieces": list(plan.pieces),
            "span_of_pieces": plan.span_of_pieces(),
            "age": plan.question.cuts().age,
        }
    )
    daily = [Range(days.start, days.end) for days in plan.daily]
    inside = made.inside("all", (*plan.shown, *daily), plan.question.sources)
    source = "source" if by_source else "null::text as source"
    piece, marks = "width_bucket(created_at, %(pieces)s::timestamptz[])", plan.columns.marks
    if texts:
        made.table("by_text", texts.grouped(piece, marks, inside))
        counted = f"select piece, {source}, marks, sum(n)::bigint as n from by_text"
    else:
        counted = (
            f"select {piece} as piece, {source}, {marks} as marks, count(*) as n"
            f" from landing_leads where {inside}"
        )
    made.table("by_time", f"{counted} group by 1, 2, 3")
    made.answers |= {
        "as_of": "statement_timestamp()",
        "rows_are_filtered": ROWS_ARE_FILTERED.format(table="'landing_leads'::regclass"),
        "first_lead": "(select created_at from landing_leads order by created_at limit 1)",
    }
    made.rows("totals", ("piece", *plan.columns.sums), "from by_time group by piece")
    if by_source:
        pieces = {in_utc(at): place for place, at in enumerate(plan.pieces, start=1)}
        made.parameters["daily"] = [
            place
            for at, place in pieces.items()
            if any(in_utc(days.start) <= at < in_utc(days.end) for days in plan.daily)
        ]
        made.rows(
            "groups",
            (_GROUP, "piece", *plan.columns.sums),
            f"from by_time where piece = any(%(daily)s) group by {_GROUP}, piece",
        )
    return made


def count(plan: Plan, made: Statement) -> CountedLeads:
    """Run the statement. Raises as `funnel.landing.statement.ask` does."""
    found = ask(made.text, made.parameters)
    names = plan.columns.names
    return CountedLeads(
        plan,
        as_of=found["as_of"],
        rows_are_filtered=found["rows_are_filtered"],
        first_lead=found["first_lead"],
        totals=Counts(plan.pieces, names, ((piece, counts) for piece, *counts in found["totals"])),
        groups=tuple(counts_by_key(found.get("groups", ()), plan.pieces, names).values()),
        rows=found,
    )


def _in_order(moments: Iterable[datetime]) -> tuple[datetime, ...]:
    return tuple(sorted({in_utc(moment) for moment in moments}))

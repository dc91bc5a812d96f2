"""Builds the one statement that counts leads: which marks a lead has, and how they add up.

Each lead is read once and becomes a number, of which each bit is one of its marks. Leads of one
number and one piece of time (`funnel.report.counts.counting`) are counted together, and every
figure of a page is a sum of these few rows. No part of the text comes from outside; values of an
address are parameters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from funnel.models import TESTS
from funnel.report.counts.counting import BY_AGE, LEADS, PURCHASES, TIMED, in_utc, name_of
from funnel.stages import STAGES_OF, Counting, Stage

# As a limit, none.
EVERY = 2**31 - 1
# The span of a piece, 0 for none: of `Plan.span_of_pieces`.
SPAN = "(%(span_of_pieces)s::int[])[piece]"
_TESTED, _TIMED = "tested", "timed"


@dataclass(frozen=True, slots=True)
class Range:
    """Leads created in `[since, until)`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Columns:
    """The counts for these ways to count, and the number that a lead becomes."""

    ways: tuple[Counting, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of a lead that any of the stages asks for, and the purchase."""
        asked = (flag for way in self.ways for stage in STAGES_OF[way] for flag in stage.marks)
        return tuple(dict.fromkeys(("sms_clicked", *asked)))

    @property
    def _bits(self) -> dict[str, int]:
        names = [_TESTED, _TIMED, *(name for flag in self.flags for name in (flag, flag + BY_AGE))]
        return {name: 1 << place for place, name in enumerate(names)}

    @property
    def marks(self) -> str:
        """The number of a lead; with `age`, the marks that were set by that age."""
        bits = self._bits
        parts = [f"case when starts_with(source, '{TESTS}') then {bits[_TESTED]} else 0 end"]
        for flag in self.flags:
            timed = bits[_TIMED] if flag == "sms_clicked" else 0
            by_age = bits[flag + BY_AGE]
            parts.append(
                f"case when {flag} then {bits[flag]} + case when {flag}_at is null then {by_age}"
                f" when {flag}_at <= created_at + %(age)s then {by_age + timed}"
                f" else {timed} end else 0 end"
            )
        return " + ".join(parts)

    @property
    def conditions(self) -> dict[str, str]:
        """The counts, as conditions on `marks`, by name."""
        found: dict[str, str] = {}
        for way in self.ways:
            found |= self._of(way)
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the counts, in the order of `sums`."""
        return tuple(self.conditions)

    @property
    def sums(self) -> list[str]:
        """The counts of a group of rows, each of `n` leads with the same `marks`."""
        return [
            "sum(n)" if one == "true" else f"coalesce(sum(n) filter (where {one}), 0)"
            for one in self.conditions.values()
        ]

    def _of(self, way: Counting) -> dict[str, str]:
        everyone = self._has(_TESTED) if way is Counting.COHORT else "true"
        bought, by_age = self._has("sms_clicked"), self._has("sms_clicked" + BY_AGE)
        found = {
            LEADS: everyone,
            PURCHASES: f"{everyone} and {bought}",
            PURCHASES + BY_AGE: f"{everyone} and {by_age}",
            TIMED: f"{everyone} and {self._has(_TIMED)}",
            TIMED + BY_AGE: f"{everyone} and {self._has(_TIMED)} and {by_age}",
        }
        found = {name_of(way, name): condition for name, condition in found.items()}
        passed: list[Stage] = []
        for stage in STAGES_OF[way]:
            passed = [*passed, stage] if way is Counting.COHORT else [stage]
            for suffix in ("", BY_AGE):
                conditions = (self._is_at(one, suffix) for one in passed)
                found[stage.id + suffix] = " and ".join(conditions)
        return found

    def _is_at(self, stage: Stage, suffix: str) -> str:
        needed = [self._has(_TESTED)] if stage.needs_test else []
        if stage.marks:
            needed.append(self._has(*(flag + suffix for flag in stage.marks)))
        return " and ".join(needed)

    def _has(self, *names: str) -> str:
        """The condition that a lead has one of these marks."""
        return f"marks & {sum(self._bits[name] for name in names)} > 0"


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts read from each lead beside its marks: columns by name, as expressions on a lead.

    `flag` is a number made of these columns and the lead's `metadata`. Leads are grouped by all of
    them as they stand; whatever is to be made of a text is made once a group, in `by_text`.
    """

    columns: Mapping[str, str]
    flag: str

    def grouped(self, piece: str, marks: str, condition: str) -> str:
        """The leads of a condition, counted by piece, source, marks, texts and flag."""
        columns = ", ".join(f"{text} as {name}" for name, text in self.columns.items())
        keys = ("piece", "source", "marks", *self.columns, "flag")
        # `offset 0`: PostgreSQL would read a text again wherever it is named.
        return (
            f"select {', '.join(keys)}, count(*) as n from ("
            f"select *, {self.flag} as flag from ("
            f"select {piece} as piece, source, {marks} as marks, {columns}, metadata"
            f" from landing_leads where {condition} offset 0) as lead) as lead"
            f" group by {', '.join(keys)}"
        )


@dataclass(slots=True)
class Statement:
    """A statement under construction: its common tables, its results, and its parameters."""

    tables: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    def table(self, name: str, query: str) -> None:
        """Add a common table."""
        self.tables.append(f"{name} as materialized ({query})")

    def rows(self, name: str, row: Sequence[str], query: str) -> None:
        """A result of many rows, each an array of values."""
        made = f"select json_build_array({', '.join(row)}) as row {query}"
        self.answers[name] = f"(select coalesce(json_agg(row), '[]') from ({made}) as made)"

    @property
    def text(self) -> str:
        """The SQL, with named parameters."""
        tables = f"with {', '.join(self.tables)} " if self.tables else ""
        asked = ", ".join(f"{query} as {name}" for name, query in self.answers.items())
        return f"{tables}select {asked}"

    def inside(self, name: str, ranges: Iterable[Range], sources: Sequence[str]) -> str:
        """The condition that a lead is in one of these ranges, and of one of the sources if any."""
        conditions = []
        for number, one in enumerate(merged(ranges)):
            since, until = f"{name}_since_{number}", f"{name}_until_{number}"
            conditions.append(f"created_at >= %({since})s and created_at < %({until})s")
            self.parameters |= {since: one.since, until: one.until}
        condition = f"({' or '.join(conditions) or 'false'})"
        if not sources:
            return condition
        self.parameters["of_sources"] = list(sources)
        return f"{condition} and coalesce(source, '') = any(%(of_sources)s)"


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The ranges in order, adjacent ones joined, empty ones left out."""
    found: list[Range] = []
    for one in sorted(ranges, key=lambda one: in_utc(one.since)):
        if in_utc(one.since) >= in_utc(one.until):
            continue
        if found and in_utc(one.since) <= in_utc(found[-1].until):
            last = max(found[-1].until, one.until, key=in_utc)
            found[-1] = Range(found[-1].since, last)
        else:
            found.append(one)
    return found

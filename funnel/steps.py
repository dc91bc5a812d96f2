"""The whole funnel of a group of leads, step by step, against the same of the compared period."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.conf import settings

from funnel.comparison import Counted, Rate, Spans, counted, rate
from funnel.counting import WAYS, Counting, Tally, Way, read_tally, tally
from funnel.models import within
from funnel.question import FunnelQuestion
from funnel.statement import Found, Part, ask


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `conversion` is from the step before; the first has none."""

    id: StrEnum
    reached: Counted
    conversion: Rate | None

    @property
    def lost(self) -> int:
        """How many of the step before did not get here."""
        return max(0, self.conversion.whole - self.conversion.part) if self.conversion else 0

    @property
    def gained(self) -> int:
        return max(0, self.conversion.part - self.conversion.whole) if self.conversion else 0


@dataclass(frozen=True, slots=True)
class Funnel:
    """The funnel of some leads: of all that were asked about, of one source, of one UTM mark.

    `purchases` are all of them, whichever steps they took; `revenue` is theirs, in tenge.
    `conversion` is purchases ÷ leads and always a proportion; `overall` is purchases ÷ the first
    step, as the report has it.
    """

    leads: Counted
    steps: tuple[Step, ...]
    purchases: Counted
    revenue: Counted
    conversion: Rate
    overall: Rate

    @property
    def outside_steps(self) -> int:
        """Purchases of leads that a step before the purchase does not count."""
        return self.purchases.now - self.steps[-1].reached.now


def funnel_steps(question: FunnelQuestion) -> Funnel:
    """The funnel of all leads asked about. Raises FiguresUnavailable."""
    parts = {"steps": steps_part(question)}
    return read_steps(question, ask(question.leads_of_both_periods(), parts)["steps"])


def steps_part(question: FunnelQuestion) -> Part:
    """What the steps need of a statement over the leads of both periods."""
    return Part(
        figures={
            "now": tally(question.counting, within(question.period)),
            "before": tally(question.counting, within(question.compared)),
        }
    )


def read_steps(question: FunnelQuestion, found: Found) -> Funnel:
    return read_funnel(question, found.figures)


def read_funnel(question: FunnelQuestion, row: Any, *, among: int = 1) -> Funnel:
    """A funnel from a row that has a tally `now` and one `before`, and is one of so many."""
    return funnel_of(
        question.counting,
        replace(question.spans, among=among),
        read_tally(question.counting, row["now"]),
        read_tally(question.counting, row["before"]),
    )


def funnel_of(counting: Counting, spans: Spans, now: Tally, before: Tally) -> Funnel:
    """The funnel of leads that were tallied, in the days of `spans` and in those before."""
    purchases = counted(spans, now.purchases, before.purchases)
    return Funnel(
        leads=counted(spans, now.leads, before.leads),
        steps=_steps(WAYS[counting], spans, now, before),
        purchases=purchases,
        revenue=purchases.times(settings.COURSE_PRICE_KZT),
        conversion=rate(
            spans,
            (now.purchases, now.leads),
            (before.purchases, before.leads),
            is_proportion=True,
            decimals=2,
        ),
        overall=rate(
            spans,
            (now.purchases, now.reached[0]),
            (before.purchases, before.reached[0]),
            is_proportion=WAYS[counting].are_subsets,
            decimals=2,
        ),
    )


def _steps(way: Way, spans: Spans, now: Tally, before: Tally) -> tuple[Step, ...]:
    steps = []
    for number, step in enumerate(way.steps):
        conversion = None
        if number:
            conversion = rate(
                spans,
                (now.reached[number], now.reached[number - 1]),
                (before.reached[number], before.reached[number - 1]),
                is_proportion=way.are_subsets,
                decimals=way.decimals,
            )
        reached = counted(spans, now.reached[number], before.reached[number])
        steps.append(Step(step, reached, conversion))
    return tuple(steps)

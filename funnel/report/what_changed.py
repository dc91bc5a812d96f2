"""What the change of purchases is made of: which source, and which step of the way, added or took
how many.

Only differences that the rule of comparison calls real are told. A source's share of the change is
its own purchases. A step's is the part of the change that its conversion explains, by logarithmic
means, which leave no rest (B. W. Ang, Energy Policy 33 (2005), 867-871).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import log

from funnel.report.sources import Source
from funnel.report.steps import Funnel
from funnel.stages import StageId
from funnel.stats.comparison import Counted, Rate

# So that a step nobody reached has a logarithm.
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class SourceChange:
    """A source that sells more or less. `purchases` more than before at the same rate a day, less
    than zero for fewer; `came` is None where only its purchases, not its leads, have changed.
    """

    source: Source
    purchases: float
    came: Counted | None


@dataclass(frozen=True, slots=True)
class StepChange:
    """A step that more or fewer get to: the first, by how many took the test a day; another, by its
    conversion. `purchases` is what that explains of the change.
    """

    step: StageId
    purchases: float
    count: Counted
    rate: Rate | None


Change = SourceChange | StepChange


def what_changed(path: Funnel, sources: tuple[Source, ...]) -> tuple[Change, ...]:
    """The real changes behind the purchases, the largest first."""
    changes: list[Change] = [*_of_sources(sources), *_of_steps(path)]
    return tuple(sorted(changes, key=lambda one: -abs(one.purchases)))


def _of_sources(sources: tuple[Source, ...]) -> Iterator[SourceChange]:
    for source in sources:
        bought, came = source.funnel.purchases, source.funnel.leads
        if bought.marked or came.marked:
            more = float(bought.difference or 0)
            yield SourceChange(source, more, came if came.marked else None)


def _of_steps(path: Funnel) -> Iterator[StepChange]:
    """Of the cohort's steps, which multiply to its purchases."""
    counts = [step.reached.tested for step in path.steps]
    if any(one is None for one in counts):
        return
    rates = [
        ((one.now + _HALF) / one.days, (one.before + _HALF) / one.days_before)
        for one in counts
        if one is not None
    ]
    days = counts[-1].days if counts[-1] else 0.0
    bought, bought_before = (rate * days for rate in rates[-1])
    weight = _logarithmic_mean(bought, bought_before)
    now = [rates[0][0], *(after[0] / before[0] for before, after in pairwise(rates))]
    was = [rates[0][1], *(after[1] / before[1] for before, after in pairwise(rates))]
    for step, one, before in zip(path.steps, now, was, strict=True):
        is_real = step.conversion.marked if step.conversion else step.reached.marked
        if is_real:
            explained = weight * log(one / before)
            yield StepChange(step.id, explained, step.reached, step.conversion)


def _logarithmic_mean(one: float, other: float) -> float:
    return one if abs(one - other) < 1e-9 else (one - other) / log(one / other)

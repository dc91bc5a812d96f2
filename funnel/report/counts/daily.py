"""Estimates how figures spread from day to day, for the tests of all figures.

The days are `Spans.days_at_hand`. Leads of a day are split by source, because each campaign has
days of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from funnel.report.counts.count_leads import CountedLeads
from funnel.report.counts.counting import BY_AGE, LEADS, PURCHASES, TIMED, Counts, name_of
from funnel.stages import Counting, steps_of
from funnel.stats.comparison import Noise
from funnel.stats.overdispersion import inflation_of, spread_of

# Counts of some leads, day by day.
_Days = Sequence[Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Daily:
    """The noise of figures of all leads, and of rows of a table; and the share of purchases, 0 to
    1, that comes by the age, None where that is unknown.
    """

    of_all: Noise
    of_rows: Noise
    come_by_age: float | None


def read_daily(found: CountedLeads, counting: Counting) -> Daily:
    """The noise of the question's days, of figures counted this way."""
    question = found.plan.question
    runs = [run.each_day for run in question.spans.days_at_hand]
    leads, timed = (name_of(counting, name) for name in (LEADS, TIMED))

    def days_of(counts: Counts) -> list[_Days]:
        return [[counts.between(day.start, day.end) for day in run] for run in runs]

    everybody = days_of(found.totals)
    # Days before the first lead say nothing of the spread.
    came = (place for place, day in enumerate(everybody[0]) if day[leads])
    silent = next(came, len(everybody[0]))
    groups = [days_of(group) for group in found.groups]
    groups = [table for table in groups if any(day[leads] for run in table for day in run)]
    for table in (everybody, *groups):
        table[0] = table[0][silent:]
    by_age = sum(day[timed + BY_AGE] for run in everybody for day in run)
    known = sum(day[timed] for run in everybody for day in run)
    return Daily(
        of_all=_noise(counting, [everybody], everybody),
        of_rows=_noise(counting, groups, everybody),
        come_by_age=by_age / known if known else None,
    )


def _noise(
    counting: Counting, tables: Sequence[Sequence[_Days]], everybody: Sequence[_Days]
) -> Noise:
    def spread(name: str) -> float:
        return spread_of([[day[name] for day in run] for table in tables for run in table])

    def inflation(part: str, whole: str, *, of_everybody: bool = False) -> float:
        return inflation_of(
            [
                [(day[part], all_day[whole]) for day, all_day in zip(run, all_run, strict=True)]
                for table in tables
                for run, all_run in zip(table, everybody if of_everybody else table, strict=True)
            ]
        )

    first, *others = steps_of(counting)
    steps = [str(first), *(step + BY_AGE for step in others)]
    leads = name_of(counting, LEADS)
    bought = name_of(counting, PURCHASES) + BY_AGE
    conversions = (inflation(step, before) for before, step in pairwise(steps))
    return Noise(
        leads=spread(leads),
        purchases=spread(bought),
        reached=tuple(map(spread, steps)),
        conversions=(1.0, *conversions),
        conversion=inflation(bought, leads),
        overall=inflation(bought, steps[0]),
        share_of_leads=inflation(leads, leads, of_everybody=True),
        share_of_purchases=inflation(bought, bought, of_everybody=True),
    )

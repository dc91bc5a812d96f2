"""The whole funnel of a group of leads, step by step, compared with the compared period."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from funnel.report.counts.count_leads import CountedLeads
from funnel.report.counts.counting import Money, Side, Tally, marks_of, side
from funnel.report.counts.daily import Daily
from funnel.stages import Counting, StageId, steps_of
from funnel.stats.comparison import (
    Counted,
    Noise,
    Pair,
    Rate,
    Section,
    Shares,
    counted,
    level_of,
    rate,
)
from funnel.stats.spans import Spans


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `conversion` is from the step before; the first has none."""

    id: StageId
    reached: Counted
    conversion: Rate | None

    @property
    def lost(self) -> int:
        """How many of the step before did not get here."""
        return max(0, self.conversion.whole - self.conversion.part) if self.conversion else 0

    @property
    def gained(self) -> int:
        """How many more are here than at the step before; 0 where fewer are."""
        return max(0, self.conversion.part - self.conversion.whole) if self.conversion else 0


@dataclass(frozen=True, slots=True)
class Funnel:
    """The funnel of some leads: of all in the question, of one source, of one UTM mark.

    `purchases` are all of them, whichever steps they took; `revenue` is theirs, in tenge.
    `conversion` is purchases ÷ leads and always a proportion; `overall` is purchases ÷ the first
    step, as in the report.
    """

    leads: Counted
    steps: tuple[Step, ...]
    purchases: Counted
    revenue: Counted
    conversion: Rate
    overall: Rate

    @property
    def outside_steps(self) -> int:
        """Purchases of leads that an earlier step does not count."""
        return self.purchases.now - self.steps[-1].reached.now


def read_steps(
    found: CountedLeads, days: Daily, counting: Counting, section: Section = Section.HEADLINE
) -> Funnel:
    """The funnel of all leads of the question, counted this way; `days` are of that way too."""
    plan = found.plan
    return funnel_of(
        counting,
        replace(plan.question.spans, level=level_of(section, marks_of(counting))),
        side(counting, found.totals, plan.now),
        side(counting, found.totals, plan.before),
        days.of_all,
    )


def funnel_of(counting: Counting, spans: Spans, now: Side, before: Side, noise: Noise) -> Funnel:
    """The funnel of tallied leads, in the days of `spans` and in the compared ones."""
    are_subsets = counting is Counting.COHORT

    def conversion(whole: Callable[[Tally], int], *, is_proportion: bool, noise: float) -> Rate:
        def shares(of: Tally, of_before: Tally) -> Shares:
            bought = Pair(of.purchases, of_before.purchases)
            return Shares(bought, Pair(whole(of), whole(of_before)))

        return rate(
            spans,
            shares(now.shown, before.shown),
            shares(now.aged, before.aged),
            is_proportion=is_proportion,
            decimals=2,
            noise=noise,
        )

    return Funnel(
        leads=counted(
            spans,
            Pair(now.shown.leads, before.shown.leads),
            Pair(now.exposed.leads, before.exposed.leads),
            noise=noise.leads,
        ),
        steps=_steps(counting, spans, now, before, noise),
        purchases=counted(
            spans,
            Pair(now.shown.purchases, before.shown.purchases),
            Pair(now.aged.purchases, before.aged.purchases),
            noise=noise.purchases,
            aged=True,
        ),
        revenue=counted(
            spans,
            Pair(now.money.revenue, before.money.revenue),
            Pair(now.aged_money.revenue, before.aged_money.revenue),
            noise=noise.purchases,
            aged=True,
            worth=_worth(now.aged_money, before.aged_money),
        ),
        conversion=conversion(lambda of: of.leads, is_proportion=True, noise=noise.conversion),
        overall=conversion(
            lambda of: of.reached[0], is_proportion=are_subsets, noise=noise.overall
        ),
    )


def _worth(now: Money, before: Money) -> int:
    """The value of a purchase in a test of revenue: the price, where there is one; otherwise the
    value at which the revenue has the variance of as many purchases.
    """
    revenue = now.revenue + before.revenue
    return max(1, round((now.squares + before.squares) / revenue)) if revenue else 1


def _steps(
    counting: Counting, spans: Spans, now: Side, before: Side, noise: Noise
) -> tuple[Step, ...]:
    """The steps. A cohort's are subsets of each other, so their conversions are proportions."""
    steps, are_subsets = [], counting is Counting.COHORT
    for number, step in enumerate(steps_of(counting)):
        # A lead is at the first step when it comes; the others take time.
        compared = (now.aged, before.aged) if number else (now.exposed, before.exposed)

        def at(tally: Tally, tally_before: Tally, place: int = number) -> Pair:
            return Pair(tally.reached[place], tally_before.reached[place])

        conversion = None
        if number:
            conversion = rate(
                spans,
                Shares(at(now.shown, before.shown), at(now.shown, before.shown, number - 1)),
                Shares(at(now.aged, before.aged), at(now.aged, before.aged, number - 1)),
                is_proportion=are_subsets,
                decimals=1 if are_subsets else 0,
                noise=noise.conversions[number],
            )
        reached = counted(
            spans,
            at(now.shown, before.shown),
            at(*compared),
            noise=noise.reached[number],
            aged=bool(number),
        )
        steps.append(Step(step, reached, conversion))
    return tuple(steps)

"""With nothing changed, at most one page of twenty carries a mark; and what has changed is marked.

Pages are made of drawn leads by the code that makes them of the database's answers. A campaign's
days have rates of their own, gamma-distributed with a coefficient of variation of one half.
"""

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from math import exp, sqrt
from typing import Any

import pytest

from funnel.question import FunnelQuestion
from funnel.report.counts.count_leads import CountedLeads, Plan
from funnel.report.counts.counting import Counts, in_utc
from funnel.report.counts.daily import read_daily
from funnel.report.over_time import read_over_time
from funnel.report.sources import read_sources
from funnel.report.steps import read_steps
from funnel.report.time_to_buy import CLASSES, read_time_to_buy
from funnel.report.utm import Mark, read_utm
from funnel.stats.comparison import Verdict
from onai.periods import Period

PAGES = 120
SOURCES = {"proftest_a": 0.4, "proftest_b": 0.3, "TF4": 0.2, "expresscourse": 0.1}
QUESTION = FunnelQuestion(
    Period(date(2026, 5, 2), date(2026, 5, 31)), moment=datetime(2026, 9, 1, tzinfo=UTC)
)
DAYS = QUESTION.period.days
PLAN = Plan.of(QUESTION, by_bucket=True)


@dataclass(frozen=True, slots=True)
class Day:
    """Of each source: leads, e-mails and purchases."""

    counts: dict[str, tuple[int, int, int]]


def _poisson(dice: random.Random, mean: float) -> int:
    if mean > 60:
        return max(0, round(dice.gauss(mean, sqrt(mean))))
    limit, product, count = exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count


def _part(dice: random.Random, whole: int, share: float) -> int:
    return sum(dice.random() < share for _ in range(whole))


def _day(dice: random.Random, leads: float, crowds: bool, *, of_its_own: bool) -> Day:
    def rate() -> float:
        return dice.gammavariate(4, 0.25) if crowds else 1.0

    shared, counts = rate(), {}
    for source, share in SOURCES.items():
        came = _poisson(dice, leads * share * (rate() if of_its_own else shared))
        counts[source] = came, _part(dice, came, 0.9), _part(dice, came, 0.08)
    return Day(counts)


def _counts(days: list[Day], source: str | None = None) -> list[int]:
    """What the database counts of these days' leads, in the order of the plan's columns."""
    came = tested = emailed = bought = 0
    for day in days:
        for name, counts in day.counts.items():
            if source in (None, name):
                came, emailed, bought = came + counts[0], emailed + counts[1], bought + counts[2]
                tested += counts[0] if name.startswith("proftest") else 0
    counted = {"leads": came, "proftest": tested, "express": emailed, "timed": 0}
    what = (name.removeprefix("reported ").removesuffix(" by age") for name in PLAN.columns.names)
    return [counted.get(name, bought) for name in what]


def _found(dice: random.Random, now: list[Day], before: list[Day]) -> CountedLeads:
    """What the database would say of these days: each purchase by its age, however long it took."""
    sides = {"now": (QUESTION.period, now), "before": (QUESTION.compared, before)}
    pieces = {at: place for place, at in enumerate(PLAN.pieces, start=1)}
    spans = {at: place for place, at in enumerate(PLAN.spans, start=1)}
    daily: list[tuple[int, Day]] = [
        (pieces[in_utc(period.start) + timedelta(days=number)], day)
        for period, days in sides.values()
        for number, day in enumerate(days)
    ]
    names = PLAN.columns.names
    rows: dict[str, Any] = {
        "sources": [
            [source, spans[in_utc(period.start)], *_counts(days, source)]
            for source in SOURCES
            for period, days in sides.values()
        ],
        "sources_in_all": len(SOURCES),
        "sources_compared": len(SOURCES),
        **_times(dice, now, before),
    }
    return CountedLeads(
        PLAN,
        datetime.now(UTC),
        rows_are_filtered=False,
        first_lead=None,
        totals=Counts(PLAN.pieces, names, [(piece, _counts([day])) for piece, day in daily]),
        groups=tuple(
            Counts(PLAN.pieces, names, [(piece, _counts([day], source)) for piece, day in daily])
            for source in SOURCES
        ),
        rows={**rows, **{f"utm_{mark}": rows["sources"] for mark in Mark}},
    )


def _times(dice: random.Random, now: list[Day], before: list[Day]) -> dict[str, Any]:
    """The times to buy of all, of each source and of each day: a few hours, for some a few days."""
    classes: Counter[tuple[Any, ...]] = Counter()
    for side, days in enumerate((before, now)):
        for number, day in enumerate(days, start=1):
            for source, (_, _, bought) in day.counts.items():
                for _ in range(bought):
                    took = bisect_right(CLASSES, dice.lognormvariate(9.5, 1.2))
                    for kind, *key in ((3, None, None), (1, source, None), (2, None, number)):
                        classes[(kind, side, *key, took)] += 1
    sold: Counter[tuple[Any, ...]] = Counter()
    for key_and_class, count in classes.items():
        sold[key_and_class[:-1]] += count
    return {
        "classes": [[*key, count, 1.0] for key, count in classes.items()],
        "quartiles": [[*key, count, 0, 0, [1, 2, 3]] for key, count in sold.items()],
    }


def _pages(dice: random.Random, now: list[Day], before: list[Day]) -> dict[str, Any]:
    """Everything that can carry a mark, page by page."""
    found = _found(dice, now, before)
    noise = read_daily(found, QUESTION.counting)
    return {
        "overview": read_steps(found, noise, QUESTION.counting),
        "sources": read_sources(found, noise, noise),
        "trend": read_over_time(found, noise),
        "ads": read_utm(found, noise),
        "speed": read_time_to_buy(found),
    }


def _verdicts(value: Any) -> Iterator[Verdict]:
    if isinstance(value, Verdict):
        yield value
    elif is_dataclass(value):
        for one in fields(value):
            yield from _verdicts(getattr(value, one.name))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _verdicts(one)


@pytest.mark.parametrize(
    ("leads", "crowds", "of_its_own"),
    [
        (16, False, False),
        (16, True, False),
        (100, True, False),
        (100, True, True),
        (400, True, False),
    ],
)
def test_unchanged_figures_rarely_carry_a_mark(leads: int, crowds: bool, of_its_own: bool) -> None:
    dice, marked = random.Random(11), Counter[str]()
    for _ in range(PAGES):
        before, now = (
            [_day(dice, leads, crowds, of_its_own=of_its_own) for _ in range(DAYS)]
            for _ in range(2)
        )
        said = {page: [*_verdicts(of)] for page, of in _pages(dice, now, before).items()}
        for page, verdicts in said.items():
            assert Verdict.WITHIN_CHANCE in verdicts, page
            marked[page] += Verdict.BEYOND_CHANCE in verdicts
        marked["any"] += Verdict.BEYOND_CHANCE in chain.from_iterable(said.values())

    assert max(marked.values()) <= PAGES / 20, marked


@pytest.mark.parametrize(("leads", "crowds", "least"), [(100, True, 0.9), (16, False, 0.95)])
def test_a_halving_is_marked(leads: int, crowds: bool, least: float) -> None:
    dice, marked, pages = random.Random(12), 0, PAGES // 4
    for _ in range(pages):
        before, now = (
            [_day(dice, mean, crowds, of_its_own=False) for _ in range(DAYS)]
            for mean in (leads, leads / 2)
        )
        steps = _pages(dice, now, before)["overview"]
        assert steps.leads.sign == -1
        marked += steps.leads.verdict is Verdict.BEYOND_CHANCE

    assert marked >= least * pages

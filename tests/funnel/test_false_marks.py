"""With nothing changed, at most one page of twenty carries a mark; and what has changed is marked.

Pages are made of drawn leads by the code that makes them of the database's answers. A campaign's
days have rates of their own, gamma-distributed with a coefficient of variation of one half.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from math import exp, sqrt
from typing import Any

import pytest

from funnel.landing.statement import Found
from funnel.report.daily import read_daily
from funnel.report.over_time import read_over_time
from funnel.report.question import FunnelQuestion
from funnel.report.sources import read_sources
from funnel.report.steps import read_steps
from funnel.report.utm import Mark, read_utm
from funnel.stats.comparison import Verdict
from onai.periods import Period

PAGES = 120
SOURCES = {"proftest_a": 0.4, "proftest_b": 0.3, "TF4": 0.2, "expresscourse": 0.1}
QUESTION = FunnelQuestion(
    Period(date(2026, 5, 2), date(2026, 5, 31)), moment=datetime(2026, 9, 1, tzinfo=UTC)
)
DAYS = QUESTION.period.days


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


def _tally(days: list[Day], source: str | None = None) -> dict[str, int]:
    came = tested = emailed = bought = 0
    for day in days:
        for name, counts in day.counts.items():
            if source in (None, name):
                came, emailed, bought = came + counts[0], emailed + counts[1], bought + counts[2]
                tested += counts[0] if name.startswith("proftest") else 0
    counted = {"leads": came, "purchases": bought, "proftest": tested, "express": emailed}
    return {**counted, "a purchases": bought, "a express": emailed}


def _page(now: list[Day], before: list[Day]) -> tuple[Any, ...]:
    """Everything of a page that can carry a mark, but for the times to buy."""

    def found(figures: dict[str, Any] | None = None, **lists: Any) -> Found:
        return Found(datetime.now(UTC), False, figures or {}, lists)

    groups = {source: number for number, source in enumerate(SOURCES)}
    daily = [
        [number, groups[source], came, bought, 0, 0, came if "prof" in source else 0, sent, bought]
        for number, day in enumerate([*before, *now], start=1)
        for source, (came, sent, bought) in day.counts.items()
    ]
    noise = read_daily(QUESTION, found(days=daily))
    both: dict[str, Any] = {"now": _tally(now), "before": _tally(before)}
    rows = [
        {"source": source, "now": _tally(now, source), "before": _tally(before, source)}
        for source in SOURCES
    ]
    over_time: dict[str, Any] = {
        when: [
            {"number": number, "tally": _tally([day])} for number, day in enumerate(days, start=1)
        ]
        for when, days in (("now", now), ("before", before))
    }
    marks: dict[str, Any] = {
        mark.value: [{**row, "value": row["source"]} for row in rows] for mark in Mark
    }
    sold: dict[str, Any] = {"bought": both["now"]["purchases"], "came": both["now"]["leads"]}
    return (
        read_steps(QUESTION, found(both), noise),
        read_sources(QUESTION, found(rows=rows), noise),
        read_over_time(QUESTION, found(**over_time), noise),
        read_utm(QUESTION, found(sold, **marks), noise),
    )


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
def test_where_nothing_has_changed_hardly_a_page_carries_a_mark(
    leads: int, crowds: bool, of_its_own: bool
) -> None:
    dice, marked = random.Random(11), 0
    for _ in range(PAGES):
        before, now = (
            [_day(dice, leads, crowds, of_its_own=of_its_own) for _ in range(DAYS)]
            for _ in range(2)
        )
        verdicts = list(_verdicts(_page(now, before)))
        assert Verdict.WITHIN_CHANCE in verdicts
        marked += Verdict.BEYOND_CHANCE in verdicts

    assert marked <= PAGES / 20


@pytest.mark.parametrize(("leads", "crowds", "least"), [(100, True, 0.9), (16, False, 0.95)])
def test_a_halving_is_marked(leads: int, crowds: bool, least: float) -> None:
    dice, marked, pages = random.Random(12), 0, PAGES // 4
    for _ in range(pages):
        before, now = (
            [_day(dice, mean, crowds, of_its_own=False) for _ in range(DAYS)]
            for mean in (leads, leads / 2)
        )
        steps, *_ = _page(now, before)
        assert steps.leads.sign == -1
        marked += steps.leads.verdict is Verdict.BEYOND_CHANCE

    assert marked >= least * pages

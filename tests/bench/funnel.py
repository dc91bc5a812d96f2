"""The funnel's share of `make bench`: its answers and its lists of persons, as leads grow.

The expectation of what cannot use an index is that it grows as its leads do, and not faster; and
that no page takes more than half as long again as a statement written for it by hand.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.db import connections

from funnel.landing.freshness import answer
from funnel.people.duplicates import page_of_duplicates
from funnel.people.listing import PeopleFilter, page_of_people
from funnel.question import FunnelQuestion
from funnel.report.answers import FunnelAnswers, Topic, answers
from funnel.stages import StageId
from funnel.web.views import OVERVIEW
from onai.db import bounded
from onai.periods import Period
from tests.bench import by_hand
from tests.bench.rows import add_leads
from tests.bench.timing import Ratio, in_turn

SMALL = Period(date(2020, 1, 1), date(2020, 1, 30))
LARGE = Period(date(2021, 1, 31), date(2021, 3, 1))
LONG = Period(LARGE.last_day + timedelta(days=1), LARGE.last_day + timedelta(days=1_000))
PAGES: dict[str, tuple[tuple[Topic, ...], str]] = {
    "overview": (OVERVIEW, by_hand.OVERVIEW),
    "sources": ((Topic.SOURCES,), by_hand.BY_SOURCE),
    "trend": ((Topic.OVER_TIME,), by_hand.BY_DAY),
    "ads": ((Topic.UTM,), by_hand.BY_MARK),
    "speed": ((Topic.TIME_TO_BUY,), by_hand.TIMES),
}
ALLOWED = 1.5


def measure() -> bool:
    """Print a row for each ratio; answers whether every page came within what is allowed."""
    # Where others work too, slow is no outage.
    bounded.STATEMENT_SECONDS = 60.0
    add_leads(SMALL.start - timedelta(days=30), SMALL.end, 50_000)
    alone, _ = in_turn(lambda: _ask(SMALL), lambda: None)
    add_leads(LARGE.start - timedelta(days=30), LARGE.end, 500_000)
    add_leads(LONG.start, LONG.end, 1_000_000)
    by_hand_too = [_against_a_hand(page) for page in PAGES]
    among, grown = in_turn(lambda: _ask(SMALL), lambda: _ask(LARGE))
    everything, whole_grown = in_turn(lambda: _ask(SMALL, *Topic), lambda: _ask(LARGE, *Topic))
    long, large = in_turn(lambda: _ask(LONG, *Topic), lambda: _ask(LARGE, *Topic), runs=3)
    kept, asked = in_turn(lambda: _kept(SMALL), lambda: _ask(SMALL))
    ratios = [
        *by_hand_too,
        Ratio("overview: 250 000 leads in the period ÷ 25 000", grown, among),
        Ratio("overview: 25 000 leads of 1 550 000 in the table ÷ of 50 000", among, alone),
        Ratio("every topic: 250 000 leads in the period ÷ 25 000", whole_grown, everything),
        Ratio("every topic: 1 000 000 leads in 1 000 days ÷ 250 000", long, large),
        Ratio("overview: kept as finished ÷ counted, 25 000 leads", kept, asked),
        *_lists(),
    ]
    for ratio in ratios:
        above = ratio in by_hand_too and ratio.times > ALLOWED
        print(ratio.row(), "ABOVE" if above else "", flush=True)
    worst = max(ratio.times for ratio in by_hand_too)
    verdict = "pass" if worst <= ALLOWED else "FAIL"
    print(f"{verdict}: pages within {ALLOWED:g}× of a statement by hand, the worst {worst:.2f}×")
    return worst <= ALLOWED


def _against_a_hand(page: str) -> Ratio:
    topics, text = PAGES[page]
    ours, by_hand_too = in_turn(lambda: _ask(LARGE, *topics), _by_hand(text, LARGE), runs=5)
    return Ratio(f"{page}: ÷ the statement written by hand, 250 000 leads", ours, by_hand_too)


def _by_hand(text: str, period: Period) -> Callable[[], None]:
    question = FunnelQuestion(period)
    before = question.compared.start
    told: dict[str, Any] = {
        "before": before,
        "since": period.start,
        "until": period.end,
        "days": [before + timedelta(days=n) for n in range(2 * period.days)],
        "age": question.cuts().age,
    }

    def ask() -> None:
        with connections["landing"].cursor() as cursor:
            cursor.execute(text, told)
            cursor.fetchall()

    return ask


def _lists() -> list[Ratio]:
    def lost(period: Period, text: str = "") -> None:
        page_of_people(PeopleFilter(period, StageId.PAYMENT, lost=True, text=text))

    small, large = in_turn(lambda: lost(SMALL), lambda: lost(LARGE))
    found, found_grown = in_turn(lambda: lost(SMALL, "lead77"), lambda: lost(LARGE, "lead77"))
    twice, twice_grown = in_turn(
        lambda: page_of_duplicates(SMALL), lambda: page_of_duplicates(LARGE), runs=3
    )
    return [
        Ratio("who was lost: 250 000 leads in the period ÷ 25 000", large, small),
        Ratio("… searched by e-mail", found_grown, found),
        Ratio("who bought twice: 250 000 leads in the period ÷ 25 000", twice_grown, twice),
    ]


def _kept(period: Period) -> None:
    question = FunnelQuestion(period)
    answer(f"bench {period}", lambda: answers(question, ()), kind=FunnelAnswers)


def _ask(period: Period, *topics: Topic) -> None:
    answers(FunnelQuestion(period), topics)

"""The funnel's share of `make bench`: its answers and its lists of persons, as leads grow.

The expectation of what cannot use an index is that it grows as its leads do, and not faster.
"""

from datetime import date, timedelta

from cachalot.api import cachalot_disabled

from funnel.landing.freshness import answer
from funnel.people.duplicates import page_of_duplicates
from funnel.people.listing import PeopleFilter, page_of_people
from funnel.report.answers import FunnelAnswers, answers
from funnel.report.question import FunnelQuestion
from funnel.report.stage_report import funnel_report
from funnel.stages import StageId
from onai.db import bounded
from onai.periods import Period
from tests.bench.rows import add_leads
from tests.bench.timing import Ratio, in_turn

SMALL = Period(date(2020, 1, 1), date(2020, 1, 30))
LARGE = Period(date(2021, 1, 1), date(2021, 1, 30))
LONG = Period(LARGE.last_day + timedelta(days=1), LARGE.last_day + timedelta(days=1_000))


def measure() -> list[Ratio]:
    # Where others work too, slow is no outage.
    bounded.STATEMENT_SECONDS = 60.0
    add_leads(SMALL.start, SMALL.end, 25_000)
    alone, _ = in_turn(lambda: _report(SMALL), lambda: None)
    add_leads(LARGE.start, LARGE.end, 250_000)
    add_leads(LONG.start, LONG.end, 1_000_000)
    among, grown = in_turn(lambda: _report(SMALL), lambda: _report(LARGE))
    page, page_grown = in_turn(lambda: _page(SMALL), lambda: _page(LARGE))
    long, page_grown_too = in_turn(lambda: _page(LONG), lambda: _page(LARGE), runs=3)
    cached, asked = in_turn(lambda: _kept(SMALL), lambda: _page(SMALL))
    return [
        Ratio("report: 250 000 leads in the period ÷ 25 000", grown, among),
        Ratio("report: 25 000 leads of 1 275 000 in the table ÷ of 25 000", among, alone),
        Ratio("every answer of the page ÷ the report, 25 000 leads", page, among),
        Ratio("every answer: 250 000 leads in the period ÷ 25 000", page_grown, page),
        Ratio("every answer: 1 000 000 leads in 1 000 days ÷ 250 000", long, page_grown_too),
        Ratio("every answer: kept as finished ÷ counted, 25 000 leads", cached, asked),
        *_lists(),
    ]


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
    answer(f"bench {period}", lambda: answers(FunnelQuestion(period)), kind=FunnelAnswers)


def _report(period: Period) -> None:
    with cachalot_disabled():
        funnel_report(period)


def _page(period: Period) -> None:
    with cachalot_disabled():
        answers(FunnelQuestion(period))

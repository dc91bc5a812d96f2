"""The funnel in a table of ten million leads: its cost is that of the window, not of the table."""

import time
from datetime import date, timedelta

import psycopg

from funnel.question import FunnelQuestion
from funnel.report.answers import Topic, answers
from onai.db import bounded
from onai.periods import Period
from tests.bench.rows import add_leads
from tests.bench.timing import Ratio, shortest
from tests.settings import LANDING_URL

FEW, MANY = 1_000_000, 10_000_000
# Of 30 days; as many leads lie in the 30 days before, which they are compared with.
IN_WINDOW, IN_LARGE_WINDOW = 100_000, 800_000
WINDOW = Period(date(2020, 1, 31), date(2020, 2, 29))
LARGE_WINDOW = Period(date(2023, 1, 31), date(2023, 3, 1))
ALLOWED, LIMIT_SECONDS = 1.3, 8.0
_BOTH_SPANS = timedelta(days=60)


def measure() -> bool:
    """Print a row for each bar; answers whether both are kept. Leaves the table empty."""
    bounded.STATEMENT_SECONDS = 60.0
    _empty()
    add_leads(WINDOW.end - _BOTH_SPANS, WINDOW.end, 2 * IN_WINDOW)
    middle = WINDOW.end + (LARGE_WINDOW.end - _BOTH_SPANS - WINDOW.end) / 2
    add_leads(WINDOW.end, middle, FEW - 2 * IN_WINDOW)
    among_few = shortest(lambda: _overview(WINDOW))
    add_leads(middle, LARGE_WINDOW.end - _BOTH_SPANS, MANY - FEW - 2 * IN_LARGE_WINDOW)
    add_leads(LARGE_WINDOW.end - _BOTH_SPANS, LARGE_WINDOW.end, 2 * IN_LARGE_WINDOW)
    among_many = shortest(lambda: _overview(WINDOW))
    grown = Ratio(f"overview: one window of {MANY:,} leads ÷ of {FEW:,}", among_many, among_few)
    print(grown.row(), flush=True)
    began = time.perf_counter()
    _overview(LARGE_WINDOW)
    seconds = time.perf_counter() - began
    print(f"overview: {IN_LARGE_WINDOW:,} leads and as many before, of {MANY:,}: {seconds:.1f} s")
    _empty()
    passed = grown.times <= ALLOWED and seconds <= LIMIT_SECONDS
    verdict = "pass" if passed else "FAIL"
    print(
        f"{verdict}: the table's growth within {ALLOWED:g}×, many leads within {LIMIT_SECONDS:g} s"
    )
    return passed


def _empty() -> None:
    with psycopg.connect(LANDING_URL, autocommit=True) as connection:
        connection.execute("truncate landing_leads cascade")


def _overview(period: Period) -> None:
    answers(FunnelQuestion(period), [Topic.FUNNEL])

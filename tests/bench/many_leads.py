"""The funnel and the watch in a table of ten million leads: they cost what the window holds."""

import time
from collections.abc import Callable
from datetime import date, timedelta

import psycopg

from funnel.question import FunnelQuestion
from funnel.report.answers import Topic, answers
from funnel.signals.lead_reader import read_leads
from funnel.signals.watch import SCANNED
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
    """Print a row for each bar; answers whether all are kept. Leaves the table empty."""
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
    print(grown.row(), _verdict(grown.times <= ALLOWED), flush=True)
    slowest = 0.0
    acts: dict[str, Callable[[], object]] = {
        f"overview: {IN_LARGE_WINDOW:,} leads and as many before": lambda: _overview(LARGE_WINDOW),
        "the watch's hourly reading": lambda: read_leads(
            LARGE_WINDOW.end - SCANNED, LARGE_WINDOW.end
        ),
    }
    for title, act in acts.items():
        began = time.perf_counter()
        act()
        seconds = time.perf_counter() - began
        slowest = max(slowest, seconds)
        print(f"{title}, of {MANY:,}: {seconds:.1f} s {_verdict(seconds <= LIMIT_SECONDS)}")
    _empty()
    return grown.times <= ALLOWED and slowest <= LIMIT_SECONDS


def _verdict(passed: bool) -> str:
    return "pass" if passed else f"ABOVE {ALLOWED:g}× or {LIMIT_SECONDS:g} s"


def _empty() -> None:
    with psycopg.connect(LANDING_URL, autocommit=True) as connection:
        connection.execute("truncate landing_leads cascade")


def _overview(period: Period) -> None:
    answers(FunnelQuestion(period), [Topic.FUNNEL])

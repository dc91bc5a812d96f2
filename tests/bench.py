"""`make bench`: how the funnel's cost grows, as ratios measured on this machine.

Each figure is the median of several runs, the two sides of a ratio in turn, on a PostgreSQL of its
own. Ratios hold across machines; the milliseconds beside them are only this one's.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import psycopg

from tests.settings import BASE_DIR, TEST_DIR, TEST_ENVIRONMENT

RUNS = 7
SEED = """
insert into landing_leads (name, phone, email, source, email_sent, sms_clicked, created_at)
select 'Lead', '8700' || lpad((n %% 9000000)::text, 7, '0'), 'lead' || n || '@onai.test',
       (array['proftest_kenesary', 'proftest_arystan', 'expresscourse', 'TF4', null])[1 + n %% 5],
       n %% 4 < 3, n %% 12 = 0,
       %(start)s::timestamptz + (n::float8 / %(count)s) * %(span)s::interval
from generate_series(0, %(count)s - 1) as n
"""


@dataclass(frozen=True, slots=True)
class Ratio:
    title: str
    milliseconds: float
    base_milliseconds: float

    def row(self) -> str:
        ratio = self.milliseconds / self.base_milliseconds
        return (
            f"{self.title:<72} {ratio:>7.2f}×   "
            f"{self.milliseconds:>8.2f} ms ÷ {self.base_milliseconds:.2f} ms"
        )


def _in_turn(
    one: Callable[[], object], other: Callable[[], object], runs: int = RUNS
) -> tuple[float, float]:
    """The medians of both, in milliseconds, after a warm-up of each."""
    taken: tuple[list[float], list[float]] = ([], [])
    for run in range(runs + 1):
        for act, times in zip((one, other), taken, strict=True):
            began = time.perf_counter()
            act()
            if run:
                times.append((time.perf_counter() - began) * 1_000)
    return statistics.median(taken[0]), statistics.median(taken[1])


def main() -> None:
    from onai.local import postgres

    cluster = postgres.start(TEST_DIR / "postgres", disposable=True)
    try:
        prepare = [sys.executable, "manage.py", "prepare_local", "--empty"]
        local = {**TEST_ENVIRONMENT, "DJANGO_SETTINGS_MODULE": "onai.local.settings"}
        subprocess.run(prepare, cwd=BASE_DIR, env=local, check=True, stdout=subprocess.DEVNULL)
        for ratio in _measure():
            print(ratio.row(), flush=True)
    finally:
        cluster.stop()


def _measure() -> list[Ratio]:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "onai.settings"
    django.setup()
    from cachalot.api import cachalot_disabled

    from funnel.report import funnel_report
    from onai.periods import Period

    def ask(period: Period) -> None:
        with cachalot_disabled():
            funnel_report(period)

    small = Period(date(2020, 1, 1), date(2020, 1, 30))
    large = Period(date(2021, 1, 1), date(2021, 1, 30))
    _seed(small.start, small.end, 25_000)
    alone, _ = _in_turn(lambda: ask(small), lambda: None)
    _seed(large.start, large.end, 250_000)
    _seed(large.end, large.end + timedelta(days=1_000), 1_000_000)
    among, grown = _in_turn(lambda: ask(small), lambda: ask(large))
    cached, asked = _in_turn(lambda: funnel_report(small), lambda: ask(small))
    return [
        Ratio("report: 250 000 leads in the period ÷ 25 000", grown, among),
        Ratio("report: 25 000 leads of 1 275 000 in the table ÷ of 25 000", among, alone),
        Ratio("report: from the cache ÷ from the database", cached, asked),
    ]


def _seed(start: datetime, end: datetime, count: int) -> None:
    """That many leads, evenly over `[start, end)`."""
    with psycopg.connect(TEST_ENVIRONMENT["LANDING_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(SEED, {"start": start, "count": count, "span": end - start})
        connection.execute("vacuum analyze landing_leads")


if __name__ == "__main__":
    main()

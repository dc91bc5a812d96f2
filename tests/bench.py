"""`make bench`: how the cost of the funnel and of the cabinet grows, as ratios measured here.

Each figure is the median of several runs, the two sides of a ratio in turn, on a PostgreSQL of its
own. Ratios hold across machines; the milliseconds beside them are only this one's.
"""

import os
import subprocess
import sys
from datetime import date, timedelta

from tests import bench_cabinet
from tests.bench_rows import add_leads, let_nobody_clean_up
from tests.bench_timing import Ratio, in_turn
from tests.settings import BASE_DIR, TEST_DIR, TEST_ENVIRONMENT


def main() -> None:
    from onai.local import postgres

    cluster = postgres.start(TEST_DIR / "postgres", disposable=True)
    try:
        prepare = [sys.executable, "manage.py", "prepare_local", "--empty"]
        local = {**TEST_ENVIRONMENT, "DJANGO_SETTINGS_MODULE": "onai.local.settings"}
        subprocess.run(prepare, cwd=BASE_DIR, env=local, check=True, stdout=subprocess.DEVNULL)
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(collect, cwd=BASE_DIR, env=TEST_ENVIRONMENT, check=True)
        let_nobody_clean_up()
        print(f"load of the machine before: {_load()}")
        for ratio in _measure_funnel():
            print(ratio.row(), flush=True)
        passed = bench_cabinet.measure()
        print(f"load of the machine after: {_load()}")
    finally:
        cluster.stop()
    sys.exit(0 if passed else 1)


def _load() -> str:
    return ", ".join(f"{load:.1f}" for load in os.getloadavg())


def _measure_funnel() -> list[Ratio]:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "onai.settings"
    django.setup()
    from cachalot.api import cachalot_disabled

    from funnel.answers import answers
    from funnel.question import FunnelQuestion
    from funnel.report import funnel_report
    from onai import postgres
    from onai.periods import Period

    # Where others work too, slow is no outage.
    postgres.STATEMENT_TIMEOUT_MS, postgres.DEADLINE_SECONDS = 60_000, 90.0

    def ask(period: Period) -> None:
        with cachalot_disabled():
            funnel_report(period)

    def ask_everything(period: Period) -> None:
        with cachalot_disabled():
            answers(FunnelQuestion(period))

    small = Period(date(2020, 1, 1), date(2020, 1, 30))
    large = Period(date(2021, 1, 1), date(2021, 1, 30))
    add_leads(small.start, small.end, 25_000)
    alone, _ = in_turn(lambda: ask(small), lambda: None)
    add_leads(large.start, large.end, 250_000)
    add_leads(large.end, large.end + timedelta(days=1_000), 1_000_000)
    among, grown = in_turn(lambda: ask(small), lambda: ask(large))
    page, page_grown = in_turn(lambda: ask_everything(small), lambda: ask_everything(large))
    cached, asked = in_turn(lambda: funnel_report(small), lambda: ask(small))
    return [
        Ratio("report: 250 000 leads in the period ÷ 25 000", grown, among),
        Ratio("report: 25 000 leads of 1 275 000 in the table ÷ of 25 000", among, alone),
        Ratio("every answer of the page ÷ the report, 25 000 leads", page, among),
        Ratio("every answer: 250 000 leads in the period ÷ 25 000", page_grown, page),
        Ratio("report: from the cache ÷ from the database", cached, asked),
    ]


if __name__ == "__main__":
    main()

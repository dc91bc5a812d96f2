"""`make bench`: how the cost of the funnel and of the cabinet grows, as ratios measured here.

Each figure is the median of several runs, the two sides of a ratio in turn, on a PostgreSQL of its
own. Ratios hold across machines; the milliseconds beside them are only this one's.
"""

import os
import subprocess
import sys

import django

from tests.bench.rows import let_nobody_clean_up
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
        os.environ["DJANGO_SETTINGS_MODULE"] = "onai.settings"
        django.setup()
        # Of Django's models, which are there only now.
        from tests.bench import cabinet, funnel, handoff, many_leads, warm

        funnels = [funnel.measure(), warm.measure(), many_leads.measure()]
        passed = [*funnels, cabinet.measure(), handoff.measure()]
        print(f"load of the machine after: {_load()}")
    finally:
        cluster.stop()
    sys.exit(0 if all(passed) else 1)


def _load() -> str:
    return ", ".join(f"{load:.1f}" for load in os.getloadavg())


if __name__ == "__main__":
    main()

"""The job worker works through the queue that lies in Tripwire."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from inspect import signature
from itertools import pairwise

from django.db import connections
from procrastinate.contrib.django import app

from tests.conftest import LandingPages
from tests.settings import BASE_DIR, TEST_ENVIRONMENT
from tests.support.buyers import Buyers
from tests.support.desk import Desk
from tests.support.processes import run_python


def _sql(statement: str) -> list[tuple[int]]:
    with connections["tripwire"].cursor() as cursor:
        cursor.execute(statement)
        rows: list[tuple[int]] = cursor.fetchall()
        return rows


def test_the_nightly_job_deletes_old_requests() -> None:
    for age in ("1 hour", "5 days"):
        _sql(
            "with job as (insert into procrastinate_jobs (queue_name, task_name, status)"
            f" values ('default', 'made up, {age} old', 'succeeded') returning id)"
            " insert into procrastinate_events (job_id, type, at)"
            f" select id, 'succeeded', now() - interval '{age}' from job returning job_id"
        )
    defer = "import django; django.setup(); from onai.tasks import remove_finished_jobs as job;"
    deferred = run_python("-c", f"{defer} job.defer(timestamp=0)", environment=TEST_ENVIRONMENT)
    assert deferred.returncode == 0, deferred.stderr

    worked = run_python(
        "manage.py", "procrastinate", "worker", "--one-shot", environment=TEST_ENVIRONMENT
    )

    assert worked.returncode == 0, worked.stderr
    kept = _sql("select count(*) from procrastinate_jobs where task_name like 'made up, 1 hour%'")
    forgotten = _sql("select count(*) from procrastinate_jobs where task_name like 'made up, 5%'")
    failed = _sql("select count(*) from procrastinate_jobs where status = 'failed'")
    assert (kept, forgotten, failed) == ([(1,)], [(0,)], [(0,)])


def test_every_task_that_takes_a_moment_of_the_clock_is_scheduled() -> None:
    timed = {
        name for name, task in app.tasks.items() if "timestamp" in signature(task.func).parameters
    }

    assert timed == {name for name, _ in app.periodic_registry.periodic_tasks}


def test_a_running_worker_joins_landing_by_itself(landing: LandingPages, desk: Desk) -> None:
    world = Buyers(landing, desk)
    world.clicked("Дана Ким")
    # A worker that starts takes up the minute that has just begun, unless one did so before.
    desk.connection.execute("delete from procrastinate_periodic_defers")
    command = [sys.executable, "manage.py", "procrastinate", "worker"]
    environment = {"PATH": os.environ["PATH"], **TEST_ENVIRONMENT}
    worker = subprocess.Popen(
        command, cwd=BASE_DIR, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 90
        while not (lines := world.lines()) and time.monotonic() < deadline:
            assert worker.poll() is None
            time.sleep(0.1)
    finally:
        worker.terminate()
        worker.wait(60)

    assert [line["name"] for line in lines] == ["Дана Ким"]


def test_open_requests_are_retried_every_ten_seconds() -> None:
    (mend,) = [
        periodic
        for (name, _), periodic in app.periodic_registry.periodic_tasks.items()
        if name == "sales.mend"
    ]
    moment = datetime(2026, 11, 22, 10, 3, 7, tzinfo=UTC)

    ticks = [mend.croniter.get_next(float, start_time=moment.timestamp())]
    ticks += [mend.croniter.get_next(float) for _ in range(20)]

    assert ticks[0] - moment.timestamp() == 3
    assert {after - before for before, after in pairwise(ticks)} == {10}

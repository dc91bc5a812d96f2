"""Processes that the tests start."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
from django.db import connections
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from tests.settings import BASE_DIR, TEST_ENVIRONMENT
from tests.support import forked_processes, plain_http


def run_python(*arguments: str, environment: dict[str, str] | None = None) -> Any:
    """A process of its own, from the root of the project, with just this environment."""
    path = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=BASE_DIR,
        env=path if environment is None else {**path, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run_worker(**environment: str) -> Any:
    """The worker does all due jobs, and stops. Its log is the answer's `stderr`.

    The job of every ten seconds is among them, also if it has just run.
    """
    on_own_connections(_enqueue_mending)
    command = ("manage.py", "procrastinate", "worker", "--one-shot")
    if environment:
        done = run_python(*command, environment={**TEST_ENVIRONMENT, **environment})
    else:
        done = forked_processes.run(*command)
    assert done.returncode == 0, done.stderr
    return done


def on_own_connections(act: Callable[[], object]) -> None:
    """Run a function in a thread of its own, and so on its own database connections.

    A test may have cut its connection, or be in the event loop of a browser.
    """

    def on_own_connections() -> None:
        try:
            act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(on_own_connections).result()


def _enqueue_mending() -> None:
    with suppress(AlreadyEnqueued):
        app.configure_task("sales.mend", queueing_lock="sales.mend").defer(timestamp=0)


def wait_for(url: str, *, seconds: float = 30) -> None:
    """Wait until `url` answers; bounded."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            plain_http.get(url, timeout=5, trust_env=False)
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return

"""One count at a time for one question, for any number of requests and processes.

Within a process the second request gets the result of the first. Between processes the shared cache
notes who counts; without one, each process counts once for itself.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar
from uuid import uuid4

from django.core.cache import cache

from onai.db import deadline

# Longer than a count may take, so that only a dead process leaves its note behind.
_NOTED_SECONDS = 15
_INTERVAL_SECONDS = 0.1
# How long a command waits, which has no deadline.
_COMMAND_SECONDS = 30.0

Found = TypeVar("Found")


class CountedByAnother(Exception):
    """Another request is counting, and has no result within the time to wait."""


_flights: dict[str, "Future[Any]"] = {}
_lock = threading.Lock()


def run(
    key: str, count: Callable[[], Found], *, kept: Callable[[], Found | None], may_wait: bool
) -> Found:
    """The result of `count`, or of another request that is counting it now.

    `kept` returns a result that was stored under this key for all processes. Raises
    CountedByAnother where another request counts and this one does not wait, or waits in vain.
    """
    flight: Future[Found] = Future()
    with _lock:
        first = _flights.setdefault(key, flight)
    if first is not flight:
        try:
            found: Found = first.result(_seconds() if may_wait else 0)
            return found
        except TimeoutError as error:
            raise CountedByAnother from error
    try:
        # Others may be waiting for it when this client leaves.
        with deadline.for_others_too():
            flight.set_result(_run_in_one_process(key, count, kept, may_wait))
    except BaseException as error:
        flight.set_exception(error)
        raise
    finally:
        with _lock:
            del _flights[key]
    return flight.result()


def _run_in_one_process(
    key: str, count: Callable[[], Found], kept: Callable[[], Found | None], may_wait: bool
) -> Found:
    note, mine = f"{key}:counting", uuid4().hex
    rounds = _seconds() / _INTERVAL_SECONDS if may_wait else 1
    while not cache.add(note, mine, _NOTED_SECONDS):
        if cache.get(note) is None:
            # The cache is down, or the count has just ended.
            break
        rounds -= 1
        if rounds <= 0:
            raise CountedByAnother
        time.sleep(_INTERVAL_SECONDS)
        if (found := kept()) is not None:
            return found
    try:
        # Another request may have counted between our look and our turn.
        found = kept()
        return count() if found is None else found
    finally:
        if cache.get(note) == mine:
            cache.delete(note)


def _seconds() -> float:
    """How long this request may wait."""
    left = deadline.left()
    return _COMMAND_SECONDS if left is None else left

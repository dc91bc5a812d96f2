"""One count at a time for one question, for any number of requests and processes.

Within a process the second request gets the result of the first. Between processes the shared cache
notes who counts; without one, each process counts once for itself.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from typing import Any, TypeVar
from uuid import uuid4

from django.core.cache import cache

from onai.db import deadline

# Longer than a count may take, so that only a dead process leaves its note behind.
_TAKEN_SECONDS = 15
_LOOKED_AFTER_SECONDS = 0.1
# For commands, where nobody waits.
_PATIENCE_SECONDS = 30.0

Found = TypeVar("Found")


class CountedByAnother(Exception):
    """Another request is counting, and has no result within the time to wait."""


_flights: dict[str, "Future[Any]"] = {}
_lock = threading.Lock()


def run(
    key: str,
    count: Callable[[], Found],
    *,
    kept: Callable[[], Found | None],
    may_wait: bool,
) -> Found:
    """The result of `count`, or of another request that is counting it now.

    `kept` returns a result that was stored under this key for all processes. Raises
    CountedByAnother where another request counts and this one does not wait, or waits in vain.
    """
    with _lock:
        flight = _flights.get(key)
        is_first = flight is None
        if flight is None:
            flight = _flights[key] = Future()
    if not is_first:
        found_by_another: Found = _result(flight, may_wait)
        return found_by_another
    try:
        # Others may be waiting for it when this client leaves.
        with deadline.for_others_too():
            found = _run_in_one_process(key, count, kept, may_wait)
        flight.set_result(found)
    except BaseException as error:
        flight.set_exception(error)
        raise
    finally:
        with _lock:
            del _flights[key]
    return found


def _result(flight: "Future[Any]", may_wait: bool) -> Any:
    try:
        return flight.result(_left() if may_wait else 0)
    except NotInTime as error:
        raise CountedByAnother from error


def _run_in_one_process(
    key: str, count: Callable[[], Found], kept: Callable[[], Found | None], may_wait: bool
) -> Found:
    taken, mine = f"{key}:counting", uuid4().hex
    pause = threading.Event()
    rounds = _left() / _LOOKED_AFTER_SECONDS if may_wait else 1
    while not cache.add(taken, mine, _TAKEN_SECONDS):
        if cache.get(taken) is None:
            # The note is gone: the cache is down, or the count has just ended.
            break
        rounds -= 1
        if rounds <= 0:
            raise CountedByAnother
        pause.wait(_LOOKED_AFTER_SECONDS)
        if (found := kept()) is not None:
            return found
    try:
        # Another request may have counted between our look and our turn.
        found = kept()
        return count() if found is None else found
    finally:
        if cache.get(taken) == mine:
            cache.delete(taken)


def _left() -> float:
    left = deadline.left()
    return _PATIENCE_SECONDS if left is None else left

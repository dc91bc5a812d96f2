"""One count at a time of one question, however many ask it and in however many processes.

Within a process whoever comes second is handed what the first one found. Between processes the
shared cache holds who counts; without one, each process counts once for itself.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from typing import Any, TypeVar
from uuid import uuid4

from django.core.cache import cache

from onai.db import deadline

# Longer than a count may take, so that only a process that died leaves its place taken.
_TAKEN_SECONDS = 15
_LOOKED_AFTER_SECONDS = 0.1
# Where nobody waits, as in a command.
_PATIENCE_SECONDS = 30.0

Found = TypeVar("Found")


class CountedByAnother(Exception):
    """Somebody else is counting, and has not found anything within the time there was to wait."""


_flights: dict[str, "Future[Any]"] = {}
_lock = threading.Lock()


def once(
    key: str,
    count: Callable[[], Found],
    *,
    kept: Callable[[], Found | None],
    may_wait: bool,
) -> Found:
    """What `count` finds, or what another who is counting it now does.

    `kept` is what was counted already and kept under this key, where all processes see it.
    Raises CountedByAnother where another counts and one does not want to wait, or in vain.
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
        # Others may be waiting for it by the time that this client leaves.
        with deadline.for_others_too():
            found = _once_of_all_processes(key, count, kept, may_wait)
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


def _once_of_all_processes(
    key: str, count: Callable[[], Found], kept: Callable[[], Found | None], may_wait: bool
) -> Found:
    taken, mine = f"{key}:counting", uuid4().hex
    pause = threading.Event()
    rounds = _left() / _LOOKED_AFTER_SECONDS if may_wait else 1
    while not cache.add(taken, mine, _TAKEN_SECONDS):
        if cache.get(taken) is None:
            # Nobody has taken it either: the cache is down, or it was given back just now.
            break
        rounds -= 1
        if rounds <= 0:
            raise CountedByAnother
        pause.wait(_LOOKED_AFTER_SECONDS)
        if (found := kept()) is not None:
            return found
    try:
        # Somebody may have counted between our look and our turn.
        found = kept()
        return count() if found is None else found
    finally:
        if cache.get(taken) == mine:
            cache.delete(taken)


def _left() -> float:
    left = deadline.left()
    return _PATIENCE_SECONDS if left is None else left

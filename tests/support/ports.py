"""Ports for the servers of the tests that nobody else takes before they are bound."""

import itertools
import os
import secrets
import socket
from collections.abc import Iterator

# Below the ports of outgoing connections; each process of a run has a range of its own.
_LOWEST, _PART, _PARTS = 12_000, 2_000, 10


def free_port() -> int:
    """A free port whose next one is free too: a demo takes both."""
    return next(port for port in _pairs if _is_free(port) and _is_free(port + 1))


def _untried_pairs() -> Iterator[int]:
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    lowest = _LOWEST + process % _PARTS * _PART
    first = 2 * secrets.randbelow(_PART // 2)
    return (lowest + (first + step) % _PART for step in itertools.count(0, 2))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_pairs = _untried_pairs()

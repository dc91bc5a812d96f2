"""A short memory that a database hangs, so that not everybody waits to find out.

A database that answers does not hang, even if it refuses. Each process remembers for itself.
"""

import threading
from dataclasses import dataclass, field
from time import monotonic

# How long nobody asks a database that hung, and then how long one request tries alone.
REMEMBERED_SECONDS = 5.0
TRIAL_SECONDS = 10.0


@dataclass(slots=True)
class Circuit:
    """Whether one database may be asked. Times are `monotonic()`."""

    _hung: bool = False
    _closed_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lets_through(self) -> bool:
        """Whether to ask the database now. After it hung, one of those who come may try."""
        if not self._hung:
            return True
        with self._lock:
            if not self._hung:
                return True
            if monotonic() < self._closed_until:
                return False
            self._closed_until = monotonic() + TRIAL_SECONDS
            return True

    def hung(self) -> None:
        """Note that it did not answer in time."""
        with self._lock:
            self._hung, self._closed_until = True, monotonic() + REMEMBERED_SECONDS

    def answered(self) -> None:
        """Note that it answered."""
        self._hung = False


_circuits: dict[str, Circuit] = {}


def circuit(alias: str) -> Circuit:
    return _circuits.setdefault(alias, Circuit())

"""How often an address may ask, as Supabase Auth counts it."""

import threading
import time
from dataclasses import dataclass

_BURST = 30
WINDOW_SECONDS = 300


@dataclass(slots=True)
class _Allowance:
    """How many requests an address still has, and when that was counted (`monotonic()`)."""

    left: float
    at: float


class RateLimit:
    """A bucket for each address: thirty requests at once, then as many as drip into it."""

    def __init__(self) -> None:
        self._allowances: dict[str, _Allowance] = {}
        self._lock = threading.Lock()

    def takes(self, address: str, limit: int) -> bool:
        """Whether one more request of this address is let through."""
        if not limit:
            return True
        now = time.monotonic()
        with self._lock:
            allowance = self._allowances.setdefault(address, _Allowance(_BURST, now))
            dripped = (now - allowance.at) * limit / WINDOW_SECONDS
            allowance.left = min(_BURST, allowance.left + dripped)
            allowance.at = now
            if allowance.left < 1:
                return False
            allowance.left -= 1
            return True

    def forget(self) -> None:
        with self._lock:
            self._allowances.clear()

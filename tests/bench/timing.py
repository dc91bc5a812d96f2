"""How `make bench` measures: two sides in turn, each figure the median of several runs."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 9


@dataclass(frozen=True, slots=True)
class Ratio:
    title: str
    milliseconds: float
    base_milliseconds: float

    @property
    def times(self) -> float:
        return self.milliseconds / self.base_milliseconds

    def row(self) -> str:
        return (
            f"{self.title:<72} {self.times:>7.2f}×   "
            f"{self.milliseconds:>8.2f} ms ÷ {self.base_milliseconds:.2f} ms"
        )


def in_turn(
    one: Callable[[], object], other: Callable[[], object], runs: int = RUNS
) -> tuple[float, float]:
    """The medians of both, in milliseconds, after a warm-up of each."""
    taken: tuple[list[float], list[float]] = ([], [])
    for run in range(runs + 1):
        for act, times in zip((one, other), taken, strict=True):
            began = time.perf_counter()
            act()
            if run:
                times.append((time.perf_counter() - began) * 1_000)
    return statistics.median(taken[0]), statistics.median(taken[1])


def shortest(act: Callable[[], object], runs: int = 5) -> float:
    """The shortest of several runs in milliseconds, after a warm-up."""
    act()
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1_000)
    return min(taken)

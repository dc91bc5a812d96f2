"""Accesses to the course by the source that brought the student.

Landing does not know who has access. Whatever part of the product does registers here how it
counts.
"""

from collections.abc import Callable
from dataclasses import dataclass

from funnel.question import FunnelQuestion


@dataclass(frozen=True, slots=True)
class Accesses:
    """The accesses opened in the period, whenever their students' leads came.

    `by_source` has a pair for each source with any, an empty name for leads without one.
    `not_matched` are those whose lead is not known; 0 where the question names sources.
    """

    by_source: tuple[tuple[str, int], ...]
    not_matched: int

    @property
    def total(self) -> int:
        """All accesses of the period, of leads that are known or not."""
        return self.not_matched + sum(count for _source, count in self.by_source)

    def of(self, source: str) -> int:
        """The accesses of one source."""
        return dict(self.by_source).get(source, 0)


COUNTERS: list[Callable[[FunnelQuestion], Accesses | None]] = []


def accesses(question: FunnelQuestion) -> Accesses | None:
    """The accesses opened in the question's period, of its sources where it names any; None while
    the database of students does not answer.
    """
    return next((count(question) for count in COUNTERS), None)

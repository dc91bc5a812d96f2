"""The share of students who have not started, of those with access: by manager and by source."""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Count

from sales.cabinet.attention import NEVER_SIGNED_IN, Attention, with_access
from sales.cabinet.availability import Availability
from sales.handoff.matching import with_source
from sales.models import StudentQuerySet

Key = TypeVar("Key", bound=Hashable)
_SOURCES_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Share(Generic[Key]):
    """Of a manager, None for students without one, or of a source, empty where none is known.

    `with_access` are the students whose access has been open for the days of the group, and whose
    sign-ins we can see.
    """

    of: Key
    not_started: int
    with_access: int

    @property
    def percent(self) -> int:
        """Rounded half up; 0 where nobody has access."""
        if not self.with_access:
            return 0
        return (200 * self.not_started + self.with_access) // (2 * self.with_access)


@dataclass(frozen=True, slots=True)
class Shares:
    """Those with the most students who have not started come first, and of sources no others."""

    all: Share[None]
    by_manager: tuple[Share[UUID | None], ...]
    by_source: tuple[Share[str], ...]


def shares(students: StudentQuerySet, group: Attention, known: Availability) -> Shares | None:
    """The shares among these students; None where sign-ins cannot be read."""
    if not known.sign_ins:
        return None
    counted = (
        with_source(with_access(students, days=group.days))
        .order_by()
        .values_list("granted_by", "source")
        .annotate(not_started=Count("pk", filter=NEVER_SIGNED_IN), with_access=Count("pk"))
    )
    rows = list(counted)
    by_source: tuple[Share[str], ...] = _shares(
        (source, *counts) for _manager, source, *counts in rows
    )
    return Shares(
        all=Share(None, sum(row[2] for row in rows), sum(row[3] for row in rows)),
        by_manager=_shares((manager, *counts) for manager, _source, *counts in rows),
        by_source=tuple(one for one in by_source if one.not_started)[:_SOURCES_AT_MOST],
    )


def _shares(rows: Iterable[tuple[Key, int, int]]) -> tuple[Share[Key], ...]:
    not_started: Counter[Key] = Counter()
    with_access: Counter[Key] = Counter()
    for key, waiting, everybody in rows:
        not_started[key] += waiting
        with_access[key] += everybody
    found = [Share(key, not_started[key], count) for key, count in with_access.items()]
    return tuple(sorted(found, key=lambda one: (-one.not_started, -one.with_access, str(one.of))))

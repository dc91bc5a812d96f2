"""How far the demo's students have come, in the learning platform's own tables.

The course has three modules, 16 to 18. A student who was let in has a profile and the first lesson
before them, also one who never signed in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

_NAMESPACE = UUID("7a0be1a1-4f0e-4b7e-9d54-2c9f6f1b5a10")
_MODULES = (16, 17, 18)
_LESSONS_OF_A_MODULE = 4
_FIRST_LESSON = 67
_LESSONS = _LESSONS_OF_A_MODULE * len(_MODULES)
# Whoever was let in since has not had the time to fall silent or to finish.
_TIME_TO_LEARN = timedelta(days=10)

Row = dict[str, Any]


class Study(StrEnum):
    """What became of a student."""

    NEVER = "never signed in"
    LEARNS = "learns"
    QUIET = "started, and has not been seen for a while"
    FINISHED = "has the certificate"


@dataclass(frozen=True, slots=True)
class Learner:
    """A student, and what became of them by and by."""

    account_id: UUID
    full_name: str
    let_in_at: datetime
    study: Study

    @property
    def chance(self) -> int:
        """A number of 0 to 9 999 that is the student's own."""
        return self.account_id.int % 10_000

    def seen_at(self, now: datetime) -> datetime | None:
        """When they signed in for the last time; None where they never did."""
        if self.study is Study.NEVER:
            return None
        first = self.let_in_at + timedelta(hours=1 + self.chance % 20)
        early = now - self.let_in_at < _TIME_TO_LEARN
        last = first + timedelta(days=self.chance % 3)
        if self.study is Study.LEARNS or early:
            last = now - timedelta(hours=1 + self.chance % 50)
        return min(max(first, last), now)

    def lessons(self, now: datetime) -> int:
        """The number of lessons they have completed."""
        if self.study is Study.NEVER:
            return 0
        if self.study is Study.FINISHED and now - self.let_in_at > _TIME_TO_LEARN:
            return _LESSONS
        return 1 + self.chance % (_LESSONS - 2)


def learned(learners: list[Learner], now: datetime) -> dict[str, list[Row]]:
    """The rows of the platform's tables by name."""
    finished = [learner for learner in learners if learner.lessons(now) == _LESSONS]
    return {
        "tripwire_user_profile": [_profile(learner, now) for learner in learners],
        "tripwire_progress": [row for learner in learners for row in _progress(learner, now)],
        "certificates": [_certificate(learner, now) for learner in finished],
    }


def _profile(learner: Learner, now: datetime) -> Row:
    lessons = learner.lessons(now)
    return {
        "id": uuid5(_NAMESPACE, f"profile {learner.account_id}"),
        "user_id": learner.account_id,
        "full_name": learner.full_name,
        "modules_completed": lessons // _LESSONS_OF_A_MODULE,
        "total_modules": len(_MODULES),
        "certificate_issued": lessons == _LESSONS,
        "created_at": learner.let_in_at,
        "updated_at": learner.seen_at(now) or learner.let_in_at,
    }


def _progress(learner: Learner, now: datetime) -> Iterator[Row]:
    """A row a completed lesson, and one for the lesson that comes next."""
    lessons, seen = learner.lessons(now), learner.seen_at(now)
    for place in range(min(lessons + 1, _LESSONS)):
        done = place < lessons
        # Evenly from the first day to the last visit.
        share = (place + 1) / max(1, lessons)
        at = learner.let_in_at + ((seen or learner.let_in_at) - learner.let_in_at) * share
        moment = min(at, seen) if seen else learner.let_in_at
        yield {
            "id": uuid5(_NAMESPACE, f"lesson {place} {learner.account_id}"),
            "tripwire_user_id": learner.account_id,
            "module_id": _MODULES[place // _LESSONS_OF_A_MODULE],
            "lesson_id": _FIRST_LESSON + place,
            "is_completed": done,
            "completed_at": moment if done else None,
            "created_at": learner.let_in_at,
            "updated_at": moment,
        }


def _certificate(learner: Learner, now: datetime) -> Row:
    return {
        "id": uuid5(_NAMESPACE, f"certificate {learner.account_id}"),
        "user_id": learner.account_id,
        "certificate_number": f"ONAI-{learner.chance:04d}-{learner.account_id.hex[:6].upper()}",
        "issued_at": learner.seen_at(now),
    }

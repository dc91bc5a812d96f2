"""How far the students of each source have come: access, sign-in, a first module, a certificate.

What the database does not let us read is None, and `sales.cabinet.availability` says so in words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from funnel.question import FunnelQuestion
from sales.cabinet.availability import Availability
from sales.cabinet.learning import FIRST_MODULE, LAST_MODULE
from sales.handoff.matching import MATCHES, with_source
from sales.models import Account, Certificate, CourseProfile, Lesson, Student


@dataclass(frozen=True, slots=True)
class Learned:
    """How many got access, have signed in since, finished a module, and have the certificate; None
    where nobody can say.
    """

    opened: int = 0
    signed_in: int | None = None
    first_module: int | None = None
    certified: int | None = None


@dataclass(frozen=True, slots=True)
class LearnedOf:
    """The students of a source; of None where nobody knows whose purchase an access is."""

    source: str | None
    learned: Learned


def learning_by_source(question: FunnelQuestion, known: Availability) -> list[LearnedOf]:
    """The students created in the question's period, by the source of their purchase, in one
    statement; most accesses first. Raises Django's database errors.
    """
    period, sources = question.period, question.sources
    students = Student.objects.without_staff().created_in(period.start, period.end)
    found: Any = with_source(students).annotate(is_matched=Q(student_lead__how__in=MATCHES))
    if sources:
        found = found.filter(is_matched=True, source__in=sources)
    counted = {
        name: Count("pk", filter=condition)
        for name, condition in (
            ("signed_in", _signed_in(known)),
            ("first_module", _finished_a_module(known)),
            ("certified", _certified(known)),
        )
        if condition is not None
    }
    rows = found.order_by().values("is_matched", "source").annotate(opened=Count("pk"), **counted)
    by_source: dict[str | None, list[dict[str, Any]]] = {}
    for row in rows:
        source = row.pop("source")
        by_source.setdefault(source if row.pop("is_matched") else None, []).append(row)
    learned = [
        LearnedOf(source, _sum(Learned(**row) for row in of)) for source, of in by_source.items()
    ]
    return sorted(learned, key=lambda one: (-one.learned.opened, one.source or ""))


def in_all(parts: Iterable[LearnedOf]) -> Learned:
    """The students of all these sources."""
    return _sum(one.learned for one in parts)


def _sum(parts: Iterable[Learned]) -> Learned:
    together = list(parts)

    def total(name: str) -> int | None:
        counts = [getattr(one, name) for one in together]
        return None if not counts or None in counts else sum(counts)

    return Learned(
        sum(one.opened for one in together),
        *map(total, ("signed_in", "first_module", "certified")),
    )


# --- Conditions on a student -------------------------------------------------------------------


def _signed_in(known: Availability) -> Q | None:
    if not known.sign_ins:
        return None
    accounts = Account.objects.filter(pk=OuterRef("user_id"), last_sign_in_at__isnull=False)
    return Q(Exists(accounts))


def _finished_a_module(known: Availability) -> Q | None:
    """By the platform's own count, or because a module has completed lessons and no other."""
    if not known.modules:
        return None
    of_student = {"account_id": OuterRef("user_id")}
    found = []
    if known.profiles:
        profiles = CourseProfile.objects.filter(modules_completed__gte=1, **of_student)
        found.append(Q(Exists(profiles)))
    for module in range(FIRST_MODULE, LAST_MODULE + 1) if known.lessons else ():
        lessons = Lesson.objects.filter(module_id=module, **of_student)
        unfinished = lessons.exclude(is_completed=True)
        found.append(Q(Exists(lessons.filter(is_completed=True)), ~Exists(unfinished)))
    return reduce(or_, found)


def _certified(known: Availability) -> Q | None:
    of_student = {"account_id": OuterRef("user_id")}
    found = []
    if known.certificates:
        found.append(Q(Exists(Certificate.objects.filter(**of_student))))
    if known.profiles:
        found.append(Q(Exists(CourseProfile.objects.filter(certificate_issued=True, **of_student))))
    return reduce(or_, found) if found else None

"""What is known of students' sign-ins and progress: from Supabase's accounts and the platform's
tables, by account, for as many students at once as the caller names.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import BitOr
from django.db.models import Case, Exists, F, Max, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from onai.templatetags.russian import plural
from onai.web.look.days import day_in_words
from sales.cabinet.availability import Availability
from sales.models import Account, Certificate, CourseProfile, Lesson, Student

MODULES = 3
FIRST_MODULE, LAST_MODULE = 16, 18
_COURSE = range(FIRST_MODULE, LAST_MODULE + 1)
_LAST_LESSON = Max(Coalesce("completed_at", "updated_at"), filter=Q(is_completed=True))
_NOT_COMPLETED = Q(is_completed=False) | Q(is_completed=None)
_PROFILE_FINISHED = Q(modules_completed__gte=MODULES) | Q(certificate_issued=True)


@dataclass(frozen=True, slots=True)
class Learning:
    """One student's sign-ins and progress. None is what is not known.

    `signed_in` is None where their account is not seen.
    """

    access_since: datetime | None
    signed_in: bool | None
    last_sign_in: datetime | None = None
    modules: int | None = None
    last_lesson: datetime | None = None
    finished: bool | None = None

    @property
    def days_of_access(self) -> int | None:
        """Whole days since access was opened."""
        return None if self.access_since is None else max(0, _days_since(self.access_since))

    @property
    def last_seen(self) -> datetime | None:
        """The last sign-in or the last completed lesson, whichever is later."""
        return max(filter(None, (self.last_sign_in, self.last_lesson)), default=None)

    @property
    def sign_in_in_words(self) -> str:
        """«входа не было, 5 дней с доступом», «вход 24 ноября» or «вход неизвестен»."""
        if self.signed_in is None:
            return _("вход неизвестен")
        if self.last_sign_in:
            return _("вход %(day)s") % {"day": day_in_words(self.last_sign_in)}
        if self.days_of_access is None:
            return _("входа не было")
        return _("входа не было, %(days)s с доступом") % {"days": days(self.days_of_access)}

    @property
    def modules_in_words(self) -> str:
        """«модулей 2 из 3», or nothing where progress is not known."""
        if self.modules is None:
            return ""
        return _("модулей %(done)s из %(all)s") % {"done": self.modules, "all": MODULES}


def days(count: int) -> str:
    """«1 день», «3 дня», «7 дней»."""
    return f"{count} {plural(count, 'день,дня,дней')}"


def learning_of(students: Iterable[Student], known: Availability) -> dict[UUID, Learning]:
    """What is known of each of these students, by account; one statement a table."""
    created = {student.user_id: student.created_at for student in students}
    ids = list(created)
    accounts = _sign_ins(ids) if known.sign_ins else {}
    profiles = _profiles(ids) if known.profiles else {}
    lessons = _lessons(ids) if known.lessons else {}
    certified = _certified(ids) if known.certificates else set()
    found = {}
    for account_id in ids:
        counted, finished = profiles.get(account_id, (0, False))
        modules, last_lesson = lessons.get(account_id, (0, None))
        done = min(MODULES, max(counted, modules))
        found[account_id] = Learning(
            access_since=created[account_id],
            signed_in=accounts[account_id] is not None if account_id in accounts else None,
            last_sign_in=accounts.get(account_id),
            modules=done if known.modules else None,
            last_lesson=last_lesson,
            finished=(finished or done == MODULES or account_id in certified)
            if known.finished
            else None,
        )
    return found


def has_finished(known: Availability) -> Q:
    """Of students: those whom the platform counts as having finished the course.

    `known.finished` must be true. Each table is asked by a condition of its own, so that PostgreSQL
    may look up a few students by an index, and read the table once for many.
    """
    of_student = {"account_id": OuterRef("user_id")}
    found: list[Any] = []
    if known.certificates:
        found.append(Exists(Certificate.objects.filter(**of_student)))
    if known.profiles:
        found.append(Exists(CourseProfile.objects.filter(_PROFILE_FINISHED, **of_student)))
    if known.lessons:
        lessons = Lesson.objects.filter(**of_student)
        completed = lessons.filter(is_completed=True)
        # The last module first, because few have come so far.
        modules = [Exists(completed.filter(module_id=one)) for one in reversed(_COURSE)]
        begun = Exists(lessons.filter(_NOT_COMPLETED, module_id__in=_COURSE))
        found.append(Q(*modules, ~begun))
    return reduce(or_, map(Q, found), Q())


def _sign_ins(ids: Iterable[UUID]) -> dict[UUID, datetime | None]:
    """The last sign-in of each account that our role sees."""
    return dict(Account.objects.filter(pk__in=ids).values_list("pk", "last_sign_in_at"))


def _profiles(ids: Iterable[UUID]) -> dict[UUID, tuple[int, bool]]:
    """How many modules the platform counts, and whether that is all of them."""
    rows = CourseProfile.objects.filter(pk__in=ids)
    finished = Case(When(_PROFILE_FINISHED, then=True), default=False)
    return {
        account: (modules or 0, is_finished)
        for account, modules, is_finished in rows.values_list("pk", "modules_completed", finished)
    }


def _lessons(ids: Iterable[UUID]) -> dict[UUID, tuple[int, datetime | None]]:
    """How many modules have only completed lessons, and when the last lesson was completed."""
    rows = _by_account(Lesson.objects.filter(account_id__in=ids)).annotate(last=_LAST_LESSON)
    return {
        row["account_id"]: (((row["done"] or 0) & ~(row["begun"] or 0)).bit_count(), row["last"])
        for row in rows.values("account_id", "done", "begun", "last")
    }


def _certified(ids: Iterable[UUID]) -> set[UUID]:
    return set(Certificate.objects.filter(pk__in=ids).values_list("pk", flat=True))


def _by_account(lessons: QuerySet[Lesson]) -> QuerySet[Any, Any]:
    """A row an account: a bit for each module with a completed lesson (`done`), and for each with
    one that is not (`begun`).
    """
    place: Any = F("module_id") - FIRST_MODULE
    bit = Value(1).bitleftshift(place)
    of_course = lessons.filter(module_id__in=_COURSE)
    return of_course.values("account_id").annotate(
        done=BitOr(bit, filter=Q(is_completed=True)),
        begun=BitOr(bit, filter=_NOT_COMPLETED),
    )


def _days_since(moment: datetime) -> int:
    return (timezone.now() - moment) // timedelta(days=1)

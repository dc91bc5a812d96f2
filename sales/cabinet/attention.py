"""Who has not started, and who has gone quiet: whom a manager may want to write to.

Nobody is written to by the site itself. Blocked and paused students, and those who have finished,
are in neither group.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, TextChoices
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onai.periods import Period
from sales.cabinet.availability import Availability
from sales.cabinet.learning import Learning, has_finished
from sales.models import Account, Lesson, Student, StudentQuerySet, StudentStatus

_CLOSED = (StudentStatus.BLOCKED, StudentStatus.INACTIVE)
_LEFT_ALONE = (*_CLOSED, StudentStatus.COMPLETED)
_LEARNED = Lesson.objects.filter(is_completed=True).alias(at=Coalesce("completed_at", "updated_at"))
_NOT_LEFT_ALONE = Q(status=None) | ~Q(status__in=_LEFT_ALONE)


class Attention(TextChoices):
    """The two groups, by whole days: of access without a sign-in, or since somebody was seen."""

    NOT_STARTED_1 = "not-started-1", _("не начали: доступ от 1 дня")
    NOT_STARTED_3 = "not-started-3", _("не начали: доступ от 3 дней")
    NOT_STARTED_7 = "not-started-7", _("не начали: доступ от 7 дней")
    QUIET_7 = "quiet-7", _("пропали: от 7 дней")
    QUIET_14 = "quiet-14", _("пропали: от 14 дней")
    QUIET_30 = "quiet-30", _("пропали: от 30 дней")

    @property
    def days(self) -> int:
        """The least number of whole days of the group."""
        return int(self.rpartition("-")[2])

    @property
    def has_started(self) -> bool:
        """Whether the group is of students who have signed in."""
        return self.startswith("quiet")


# The widest of each group.
NOT_STARTED, QUIET = Attention.NOT_STARTED_1, Attention.QUIET_7


# Of a query that joins the account: never signed in, and in the group «не начали».
NEVER_SIGNED_IN = _NOT_LEFT_ALONE & Q(account__last_sign_in_at=None)


def with_access(students: StudentQuerySet, *, days: int) -> StudentQuerySet:
    """Those whose access has been open for so many days, and whose account our role sees."""
    students = students.filter(Q(status=None) | ~Q(status__in=_CLOSED))
    since = timezone.now() - timedelta(days=days)
    return students.filter(created_at__lte=since, account__is_anonymous__isnull=False)


def needing(
    students: StudentQuerySet,
    attention: Attention,
    known: Availability,
    *,
    week: Period | None = None,
) -> StudentQuerySet:
    """Those of the students who are in this group; nobody where sign-ins cannot be read.

    With `week`, those who have not started since access was opened in these days, or those who
    went quiet in these days.
    """
    if not known.sign_ins:
        return students.none()
    reached = timedelta(days=attention.days)
    since = timezone.now() - reached
    # An empty status of the predecessor is nobody's decision.
    students = students.filter(_NOT_LEFT_ALONE)
    account = Account.objects.filter(pk=OuterRef("user_id"))
    if not attention.has_started:
        if week:
            students = students.created_in(week.start, week.end)
        return students.filter(Exists(account.filter(last_sign_in_at=None)), created_at__lte=since)
    if week:
        since = min(since, week.end - reached)
        seen = _seen(week.start - reached, since, known)
        students = students.filter(user_id__in=seen)
    students = students.filter(Exists(account.filter(last_sign_in_at__lte=since)))
    if known.lessons:
        learned = _LEARNED.filter(account_id=OuterRef("user_id"), at__gt=since)
        students = students.exclude(Exists(learned))
    return students.exclude(has_finished(known)) if known.finished else students


def _seen(after: datetime, until: datetime, known: Availability) -> "QuerySet[Any, Any]":
    """The accounts that signed in or completed a lesson in `(after, until]`."""
    accounts = Account.objects.filter(last_sign_in_at__gt=after, last_sign_in_at__lte=until)
    signed_in = accounts.values("pk")
    if not known.lessons:
        return signed_in
    learned = _LEARNED.filter(at__gt=after, at__lte=until).values("account_id")
    return signed_in.union(learned, all=True)


def attention_of(student: Student, learning: Learning) -> Attention | None:
    """The widest group that a student is in."""
    if student.status in _LEFT_ALONE or learning.signed_in is None or learning.finished:
        return None
    now = timezone.now()
    if not learning.signed_in:
        since = learning.access_since
        return NOT_STARTED if since and now - since >= timedelta(days=NOT_STARTED.days) else None
    seen = learning.last_seen
    return QUIET if seen and now - seen >= timedelta(days=QUIET.days) else None

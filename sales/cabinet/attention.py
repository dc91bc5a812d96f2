"""Who has not started, and who has gone quiet: whom a manager may want to write to.

Nobody is written to by the site itself. Blocked and paused students, and those who have finished,
are in neither group.
"""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, TextChoices
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sales.cabinet.availability import Availability
from sales.cabinet.learning import Learning, exclude_finished
from sales.models import Account, Lesson, Student, StudentQuerySet, StudentStatus

_LEFT_ALONE = (StudentStatus.BLOCKED, StudentStatus.INACTIVE, StudentStatus.COMPLETED)


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
        return int(self.rpartition("-")[2])

    @property
    def has_started(self) -> bool:
        return self.startswith("quiet")


# The widest of each group.
NOT_STARTED, QUIET = Attention.NOT_STARTED_1, Attention.QUIET_7


def needing(
    students: StudentQuerySet, attention: Attention, known: Availability
) -> StudentQuerySet:
    """Those of the students who are in this group; nobody where sign-ins cannot be read."""
    if not known.sign_ins:
        return students.none()
    since = timezone.now() - timedelta(days=attention.days)
    # An empty status of the predecessor is nobody's decision.
    students = students.filter(Q(status=None) | ~Q(status__in=_LEFT_ALONE))
    account = Account.objects.filter(pk=OuterRef("user_id"))
    if not attention.has_started:
        return students.filter(Exists(account.filter(last_sign_in_at=None)), created_at__lte=since)
    students = students.filter(Exists(account.filter(last_sign_in_at__lte=since)))
    if known.lessons:
        learned = Lesson.objects.filter(account_id=OuterRef("user_id"), is_completed=True)
        at = Coalesce("completed_at", "updated_at")
        students = students.exclude(Exists(learned.alias(at=at).filter(at__gt=since)))
    return exclude_finished(students, known)


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

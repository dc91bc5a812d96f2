"""The list of students: searched, filtered, ordered and paged. Staff are never students."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import (
    DateTimeField,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    TextChoices,
    TextField,
    Value,
)
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from onai.periods import Period
from onai.web import paging
from onai.web.paging import ListOrder, ListPage
from sales.cabinet.attention import Attention, needing
from sales.cabinet.availability import Availability
from sales.cabinet.learning import has_finished
from sales.handoff.matching import from_source
from sales.models import (
    CREATED,
    LAST_SIGN_IN,
    LOST,
    NAME,
    Delivery,
    LetterState,
    Student,
    StudentQuerySet,
    StudentStatus,
    WelcomeLetter,
)

SHORTEST_WORD = 2
_PAGE = 25
# Each batch sorts the remaining rows again, so batches are large to make that cheap.
_BATCH = 10_000


class Order(TextChoices):
    """The orders of the list."""

    NEWEST = "newest", _("сначала новые")
    NAME = "name", _("по имени")
    SIGN_IN = "active", _("по последнему входу")


class LetterFilter(TextChoices):
    """What became of a student's letter, to filter by; `LOST` is all that did not arrive."""

    LOST = "lost", _("не дошло, все причины")
    SENT = "sent", _("отправлено")
    ACCEPTED = Delivery.ACCEPTED.value, _("принято")
    DELIVERED = Delivery.DELIVERED.value, _("доставлено")
    DELAYED = Delivery.DELAYED.value, _("задерживается")
    UNDELIVERED = Delivery.UNDELIVERED.value, _("не дошло")
    SUPPRESSED = Delivery.SUPPRESSED.value, _("в стоп-листе")
    COMPLAINED = Delivery.COMPLAINED.value, _("жалоба на спам")
    WAITING = "waiting", _("ждёт отправки")
    FAILED = "failed", _("не ушло")
    NONE = "none", _("не отправлялось")


_BY_SIGN_IN = ListOrder(LAST_SIGN_IN, of_another_table=True)
ORDERS = {
    Order.NEWEST: ListOrder(CREATED),
    Order.NAME: ListOrder(NAME, by_moment=False),
    Order.SIGN_IN: _BY_SIGN_IN,
}


# A search sorts its results. Walking the index of an order instead could scan the whole table
# before it finds a match, so these keys are expressions that no index has.
_ORDERS_OF_SEARCH = {
    Order.NEWEST: ListOrder(ExpressionWrapper(CREATED + timedelta(0), DateTimeField())),
    Order.NAME: ListOrder(ExpressionWrapper(Concat(NAME, Value("")), TextField()), by_moment=False),
    Order.SIGN_IN: _BY_SIGN_IN,
}
_STATES = {LetterFilter.WAITING: LetterState.PENDING, LetterFilter.FAILED: LetterState.FAILED}


@dataclass(frozen=True, slots=True)
class StudentFilter:
    """The filters and the order of the list.

    `source` is that of the student's purchase, `source_unknown` asks for those of whom none is
    known. `week` narrows to access opened in these days, and a group of those who have gone quiet
    to those who did so in these days.

    Each word of `text` occurs in the name, the e-mail or the phone, compared as in `onai.contacts`.
    """

    text: str = ""
    status: StudentStatus | None = None
    manager_id: UUID | None = None
    without_manager: bool = False
    letter: LetterFilter | None = None
    attention: Attention | None = None
    # Who has finished the course, as the platform says.
    finished: bool = False
    source: str = ""
    source_unknown: bool = False
    week: Period | None = None
    order: Order = Order.NEWEST

    def list_order(self, known: Availability) -> ListOrder:
        """The order asked for; without sign-ins, the newest first instead of by sign-in."""
        order = self.order
        if order is Order.SIGN_IN and not known.sign_ins:
            order = Order.NEWEST
        return (_ORDERS_OF_SEARCH if self.text else ORDERS)[order]

    def students(self, known: Availability) -> StudentQuerySet:
        """The students of the filter, unordered, with phone and letters prefetched."""
        students = Student.objects.without_staff().matching(self.text)
        if self.status:
            students = students.filter(status=self.status)
        if self.without_manager or self.manager_id:
            students = students.of_manager(None if self.without_manager else self.manager_id)
        if self.source or self.source_unknown:
            students = from_source(students, self.source)
        return (
            self._with_letter(self._in_group(students, known))
            .select_related("kept_phone")
            .prefetch_related("letters")
        )

    def _in_group(self, students: StudentQuerySet, known: Availability) -> StudentQuerySet:
        if self.finished:
            students = students.filter(has_finished(known)) if known.finished else students.none()
        if self.attention:
            return needing(students, self.attention, known, week=self.week)
        return students.created_in(self.week.start, self.week.end) if self.week else students

    def _with_letter(self, students: StudentQuerySet) -> StudentQuerySet:
        match self.letter:
            case LetterFilter.SENT:
                students = students.filter(welcome_email_sent=True)
            case LetterFilter.NONE:
                students = students.unsent().filter(letters=None)
            case LetterFilter.WAITING | LetterFilter.FAILED as letter:
                letters = WelcomeLetter.objects.filter(state=_STATES[letter])
                students = students.unsent().filter(pk__in=letters.values("student"))
            case LetterFilter.LOST:
                # Lost letters are few, so the query starts from them.
                students = students.filter(pk__in=_newest_letters(_IS_LOST).values("student"))
            case LetterFilter() as letter:
                is_so = Q(state=LetterState.SENT, delivery=letter.value)
                of_student = _newest_letters(is_so).filter(student=OuterRef("pk"))
                students = students.filter(Exists(of_student))
        return students


_IS_LOST = Q(state=LetterState.FAILED) | Q(state=LetterState.SENT, delivery__in=LOST)


def _newest_letters(which: Q) -> "QuerySet[WelcomeLetter]":
    """The letters that match `which` and are the newest of their student."""
    newer = WelcomeLetter.objects.filter(
        student=OuterRef("student"), created_at__gt=OuterRef("created_at")
    )
    return WelcomeLetter.objects.filter(which, ~Exists(newer))


def count_students(
    wanted: StudentFilter,
    known: Availability,
    *,
    letter: LetterFilter | None = None,
    attention: Attention | None = None,
) -> int:
    """The number of the manager's students with this letter and in this group, up to
    `COUNTED_AT_MOST`.
    """
    counted = StudentFilter(
        manager_id=wanted.manager_id,
        without_manager=wanted.without_manager,
        letter=letter,
        attention=attention,
    )
    return counted.students(known)[: paging.COUNTED_AT_MOST].count()


def page_of_students(
    wanted: StudentFilter, known: Availability, *, after: str = ""
) -> ListPage[Student]:
    """The page after the cursor `after`; the first page for an empty or invalid cursor."""
    students, order = wanted.students(known), wanted.list_order(known)
    return paging.page_of(students, order, after=after, size=_PAGE, counted=True)


def all_students(wanted: StudentFilter, known: Availability) -> Iterator[list[Student]]:
    """Every student of the filter, read lazily in batches."""
    students, order = wanted.students(known), wanted.list_order(known)
    return paging.batches_of(students, order, size=_BATCH)

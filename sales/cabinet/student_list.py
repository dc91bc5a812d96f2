"""The list of students: searched, filtered, ordered and paged. Staff are never students."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
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

from onai.web import paging
from onai.web.paging import ListOrder, ListPage
from sales.models import (
    CREATED,
    LAST_ACTIVE,
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
# So many rows that to sort what fits anew for each batch is little beside reading it.
_BATCH = 10_000


class Order(TextChoices):
    NEWEST = "newest", _("сначала новые")
    NAME = "name", _("по имени")
    ACTIVE = "active", _("по последней активности")


class LetterFilter(TextChoices):
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


ORDERS = {
    Order.NEWEST: ListOrder(CREATED),
    Order.NAME: ListOrder(NAME, by_moment=False),
    Order.ACTIVE: ListOrder(LAST_ACTIVE),
}


# What is found of a search is sorted. Along the index of an order, a search for what stands at its
# end would read the whole table row by row; no index has these keys.
_ORDERS_OF_SEARCH = {
    Order.NEWEST: ListOrder(ExpressionWrapper(CREATED + timedelta(0), DateTimeField())),
    Order.NAME: ListOrder(ExpressionWrapper(Concat(NAME, Value("")), TextField()), by_moment=False),
    Order.ACTIVE: ListOrder(ExpressionWrapper(LAST_ACTIVE + timedelta(0), DateTimeField())),
}
_STATES = {LetterFilter.WAITING: LetterState.PENDING, LetterFilter.FAILED: LetterState.FAILED}


@dataclass(frozen=True, slots=True)
class StudentFilter:
    """Which students, in which order. Each word of `text` is in the name, the e-mail or the phone,
    but for what `onai.contacts` takes for the same."""

    text: str = ""
    status: StudentStatus | None = None
    manager_id: UUID | None = None
    without_manager: bool = False
    letter: LetterFilter | None = None
    order: Order = Order.NEWEST

    @property
    def list_order(self) -> ListOrder:
        return (_ORDERS_OF_SEARCH if self.text else ORDERS)[self.order]

    @property
    def students(self) -> StudentQuerySet:
        students = Student.objects.without_staff().matching(self.text)
        if self.status:
            students = students.filter(status=self.status)
        if self.without_manager or self.manager_id:
            students = students.of_manager(None if self.without_manager else self.manager_id)
        match self.letter:
            case LetterFilter.SENT:
                students = students.filter(welcome_email_sent=True)
            case LetterFilter.NONE:
                students = students.unsent().filter(letters=None)
            case LetterFilter.WAITING | LetterFilter.FAILED as letter:
                letters = WelcomeLetter.objects.filter(state=_STATES[letter])
                students = students.unsent().filter(pk__in=letters.values("student"))
            case LetterFilter.LOST:
                # They are few, so they are found first.
                students = students.filter(pk__in=_newest_letters(_IS_LOST).values("student"))
            case LetterFilter() as letter:
                is_so = Q(state=LetterState.SENT, delivery=letter.value)
                of_student = _newest_letters(is_so).filter(student=OuterRef("pk"))
                students = students.filter(Exists(of_student))
        return students.select_related("kept_phone").prefetch_related("letters")


_IS_LOST = Q(state=LetterState.FAILED) | Q(state=LetterState.SENT, delivery__in=LOST)


def _newest_letters(which: Q) -> "QuerySet[WelcomeLetter]":
    """The letters that count, each the newest of its student, of which this is true."""
    newer = WelcomeLetter.objects.filter(
        student=OuterRef("student"), created_at__gt=OuterRef("created_at")
    )
    return WelcomeLetter.objects.filter(which, ~Exists(newer))


def count_lost(wanted: StudentFilter) -> int:
    """How many of the students of these managers did not get their letter, counted no further than
    a list is.
    """
    lost = StudentFilter(
        manager_id=wanted.manager_id,
        without_manager=wanted.without_manager,
        letter=LetterFilter.LOST,
    )
    return lost.students[: paging.COUNTED_AT_MOST].count()


def page_of_students(wanted: StudentFilter, *, after: str = "") -> ListPage[Student]:
    """The page after the one whose `following` is `after`; nonsense leads to the first."""
    return paging.page_of(wanted.students, wanted.list_order, after=after, size=_PAGE, counted=True)


def all_students(wanted: StudentFilter) -> Iterator[Student]:
    """Every student there is, read in batches while they are taken."""
    batches = paging.batches_of(wanted.students, wanted.list_order, size=_BATCH)
    return chain.from_iterable(batches)

"""The list of students: searched, filtered, ordered and paged. Staff are never students."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from uuid import UUID

from django.db.models import DateTimeField, ExpressionWrapper, TextChoices, TextField, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from onai.web import paging
from onai.web.paging import ListOrder, ListPage
from sales.models import (
    CREATED,
    LAST_ACTIVE,
    NAME,
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
    SENT = "sent", _("отправлено")
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
        return students.select_related("kept_phone").prefetch_related("letters")


def page_of_students(wanted: StudentFilter, *, after: str = "") -> ListPage[Student]:
    """The page after the one whose `following` is `after`; nonsense leads to the first."""
    return paging.page_of(wanted.students, wanted.list_order, after=after, size=_PAGE, counted=True)


def all_students(wanted: StudentFilter) -> Iterator[Student]:
    """Every student there is, read in batches while they are taken."""
    batches = paging.batches_of(wanted.students, wanted.list_order, size=_BATCH)
    return chain.from_iterable(batches)

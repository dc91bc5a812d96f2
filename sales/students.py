"""The list of students: searched, filtered, ordered and paged so that a million are no obstacle.

A page is found by the key of the row before it, never by counting rows; how many there are is
counted no further than `COUNTED_AT_MOST`. Staff accounts are never students.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import (
    BooleanField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    TextChoices,
    prefetch_related_objects,
)
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from onai import paging
from sales.models import (
    CREATED,
    LAST_ACTIVE,
    NAME,
    LetterState,
    StaffMember,
    Student,
    StudentStatus,
    WelcomeLetter,
)

PAGE = 25
COUNTED_AT_MOST = 1_000
SHORTEST_WORD = 2
_BATCH = 2_000
_PROBED, _COMMON = 5_000, 50
_HAS_WORD = "position(%s in lower(' ' || full_name || ' ' || email)) > 0"
_GROUP = 3


class Order(TextChoices):
    NEWEST = "newest", _("сначала новые")
    NAME = "name", _("по имени")
    ACTIVE = "active", _("по последней активности")


class LetterFilter(TextChoices):
    SENT = "sent", _("отправлено")
    WAITING = "waiting", _("ждёт отправки")
    FAILED = "failed", _("не ушло")
    NONE = "none", _("не отправлялось")


_KEYS: dict[Order, Any] = {Order.NEWEST: CREATED, Order.NAME: NAME, Order.ACTIVE: LAST_ACTIVE}


@dataclass(frozen=True, slots=True)
class StudentFilter:
    """Which students, in which order. Each word of `text` is in the name or in the e-mail."""

    text: str = ""
    status: StudentStatus | None = None
    manager_id: UUID | None = None
    without_manager: bool = False
    letter: LetterFilter | None = None
    order: Order = Order.NEWEST


@dataclass(frozen=True, slots=True)
class StudentPage:
    """One page. `following` is what leads to the next one, None on the last.

    `count` is how many there are in all, or `COUNTED_AT_MOST` when `there_are_more`.
    """

    students: list[Student]
    following: str | None
    count: int
    there_are_more: bool


def page_of_students(wanted: StudentFilter, *, after: str = "") -> StudentPage:
    """The page after the one whose `following` is `after`; nonsense leads to the first."""
    place = paging.place_at(after, moments=wanted.order is not Order.NAME)
    students = list(_after(wanted, place)[: PAGE + 1])
    counted = _count(wanted)
    shown = students[:PAGE]
    prefetch_related_objects(shown, "letters")
    return StudentPage(
        students=shown,
        following=paging.place_of(*_key(shown[-1])) if len(students) > PAGE else None,
        count=min(counted, COUNTED_AT_MOST),
        there_are_more=counted > COUNTED_AT_MOST,
    )


def _count(wanted: StudentFilter) -> int:
    """How many there are, counted no further than just above `COUNTED_AT_MOST`.

    The few that are staff are taken off afterwards: so an index alone can count.
    """
    staff = _staff_ids()
    anyone = _matching(wanted)
    counted = anyone[: COUNTED_AT_MOST + 1 + len(staff)].count()
    return counted - anyone.filter(user_id__in=staff).count()


def all_students(wanted: StudentFilter) -> Iterator[Student]:
    """Every student there is, in batches, so that neither we nor the database keep them all."""
    place: tuple[paging.Key, UUID] | None = None
    while True:
        batch = list(_after(wanted, place)[:_BATCH])
        prefetch_related_objects(batch, "letters")
        yield from batch
        if len(batch) < _BATCH:
            return
        place = _key(batch[-1])


def filtered(wanted: StudentFilter) -> "QuerySet[Student]":
    """The students, in no order yet."""
    return _matching(wanted).exclude(user_id__in=_staff_ids())


def _matching(wanted: StudentFilter) -> "QuerySet[Student]":
    students = Student.objects.all()
    if wanted.status:
        students = students.filter(status=wanted.status)
    if wanted.without_manager:
        students = students.filter(granted_by=None)
    elif wanted.manager_id:
        students = students.filter(granted_by=wanted.manager_id)
    words = wanted.text.lower().split()
    if words and not _are_common(words):
        # Found by the index of the search alone, whatever the planner thinks of it: walking along
        # an order until enough have been found could mean walking to its end.
        students = students.filter(pk__in=_found_by_index(words))
    for word in words:
        students = students.filter(_having(word))
    return _by_letter(students, wanted.letter)


def _staff_ids() -> list[UUID]:
    # As values: they are few, and the planner knows so.
    return list(StaffMember.objects.values_list("user_id", flat=True))


def _by_letter(students: "QuerySet[Student]", letter: LetterFilter | None) -> "QuerySet[Student]":
    unsent = Q(welcome_email_sent=False) | Q(welcome_email_sent=None)
    letters = WelcomeLetter.objects.filter(student=OuterRef("pk"))
    match letter:
        case LetterFilter.SENT:
            return students.filter(welcome_email_sent=True)
        case LetterFilter.WAITING:
            return students.filter(unsent, Exists(letters.filter(state=LetterState.PENDING)))
        case LetterFilter.FAILED:
            return students.filter(unsent, Exists(letters.filter(state=LetterState.FAILED)))
        case LetterFilter.NONE:
            return students.filter(unsent, ~Exists(letters))
        case _:
            return students


def _having(word: str) -> RawSQL:
    """That the student's name or e-mail has this word in it, in any case of its letters.

    Two letters are looked for at the beginning of a word only: within words the index of migration
    0003 knows groups of three.
    """
    return RawSQL(  # noqa: S611 - its parameters are bound
        _HAS_WORD,
        (_spaced(word),),
        output_field=BooleanField(),
    )


def _spaced(word: str) -> str:
    return f" {word}" if len(word) < _GROUP else word


def _groups(text: str) -> list[str]:
    return sorted({text[place : place + _GROUP] for place in range(len(text) - _GROUP + 1)})


def _are_common(words: list[str]) -> bool:
    """Whether a walk along any order soon finds a page: enough of the newest students have them."""
    newest = Student.objects.order_by(CREATED.desc(), "-pk").values("full_name", "email")[:_PROBED]
    statement, parameters = newest.query.get_compiler("tripwire").as_sql()
    having = " and ".join([_HAS_WORD] * len(words))
    with connections["tripwire"].cursor() as cursor:
        cursor.execute(
            f"select count(*) from ({statement}) as newest where {having}",  # noqa: S608
            [*parameters, *map(_spaced, words)],
        )
        found: int = cursor.fetchone()[0]
    return found >= _COMMON


def _found_by_index(words: list[str]) -> list[UUID]:
    """The ids of all students that have these words; they are not common."""
    having = " and ".join(
        ["sales_letter_groups(full_name || ' ' || email) @> %s::text[]"] * len(words)
    )
    with connections["tripwire"].cursor() as cursor:
        cursor.execute(
            f"select id from tripwire_users where {having}",  # noqa: S608
            [_groups(_spaced(word)) for word in words],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _after(wanted: StudentFilter, place: tuple[paging.Key, UUID] | None) -> "QuerySet[Student]":
    students = filtered(wanted).annotate(place=_KEYS[wanted.order])
    if wanted.order is Order.NAME:
        if place:
            key, pk = place
            students = students.filter(Q(place__gte=key) & (Q(place__gt=key) | Q(pk__gt=pk)))
        return students.order_by(_KEYS[wanted.order].asc(), "pk")
    if place:
        key, pk = place
        students = students.filter(Q(place__lte=key) & (Q(place__lt=key) | Q(pk__lt=pk)))
    return students.order_by(_KEYS[wanted.order].desc(), "-pk")


def _key(student: Student) -> tuple[paging.Key, UUID]:
    return student.place, student.pk  # type: ignore[attr-defined]  # annotated by `_after`

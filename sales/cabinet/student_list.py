"""The list of students: searched, filtered, ordered and paged so that a million are no obstacle.

A page is found by the key of the row before it, never by counting rows; how many there are is
counted no further than `COUNTED_AT_MOST`. Staff accounts are never students.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from onai.web import paging
from sales.cabinet import student_search
from sales.cabinet.student_search import Order, Place, StudentFilter
from sales.models import Student

PAGE = 25
COUNTED_AT_MOST = 1_000
_BATCH = 2_000


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
    found = student_search.places(wanted, after=Place(*place) if place else None, count=PAGE + 1)
    shown = found[:PAGE]
    counted = student_search.count(wanted, at_most=COUNTED_AT_MOST)
    return StudentPage(
        students=_students(shown),
        following=paging.place_of(shown[-1].key, shown[-1].pk) if len(found) > PAGE else None,
        count=min(counted, COUNTED_AT_MOST),
        there_are_more=counted > COUNTED_AT_MOST,
    )


def all_students(wanted: StudentFilter) -> Iterator[Student]:
    """Every student there is, in batches, so that neither we nor the database keep them all."""
    place: Place | None = None
    while True:
        batch = student_search.places(wanted, after=place, count=_BATCH)
        yield from _students(batch)
        if len(batch) < _BATCH:
            return
        place = batch[-1]


def _students(places: Sequence[Place]) -> list[Student]:
    """The students that stand there, with their letters, in this order."""
    found = Student.objects.in_bulk([place.pk for place in places])
    # Whoever was deleted since their place was found is no more.
    students = [found[place.pk] for place in places if place.pk in found]
    prefetch_related_objects(students, "letters")
    return students

"""Who is in a cell: persons with their signals, or students, newest first.

The same statements select them as count the cell. Nothing is cached.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL

from onai.identity.roles import Identity
from onai.periods import Period
from onai.web import paging
from onai.web.paging import ListOrder, ListPage
from sales.handoff import queue
from sales.handoff.queue import Line
from sales.models import CREATED, Buyer, Student, StudentQuerySet
from sales.money.cells import CELLS, CellId
from sales.money.statements import Narrowing, condition_of, rows_of

PAGE = 25
_BATCH = 2_000
_NEWEST = ListOrder(CREATED)


@dataclass(frozen=True, slots=True)
class CellFilter:
    """A cell, of a period and of some."""

    cell: CellId
    period: Period
    whose: Narrowing


def page_of_lines(wanted: CellFilter, viewer: Identity, *, after: str) -> ListPage[Line]:
    """A page of the persons of a cell, with their signals. `count` is of all of them."""
    found, order = _buyers(wanted)
    page = paging.page_of(found, order, after=after, size=PAGE)
    return ListPage(queue.lines_of(page.rows, viewer), page.following, found.count())


def page_of_students(wanted: CellFilter, *, after: str) -> ListPage[Student]:
    """A page of the students of a cell. `count` is of all of them."""
    found = _students(wanted)
    page = paging.page_of(
        found.select_related("student_lead__buyer"), _NEWEST, after=after, size=PAGE
    )
    return ListPage(page.rows, page.following, found.count())


def all_lines(wanted: CellFilter, viewer: Identity) -> Iterator[Line]:
    """All persons of a cell, read in batches while they are taken."""
    for batch in paging.batches_of(*_buyers(wanted), size=_BATCH):
        yield from queue.lines_of(batch, viewer)


def all_students(wanted: CellFilter) -> Iterator[Student]:
    """All students of a cell, read in batches while they are taken."""
    found = _students(wanted).select_related("student_lead__buyer")
    for batch in paging.batches_of(found, _NEWEST, size=_BATCH):
        yield from batch


def _buyers(wanted: CellFilter) -> tuple["QuerySet[Buyer]", ListOrder]:
    moment = f"{CELLS[wanted.cell].stage.value}_at"
    return Buyer.objects.filter(pk__in=_ids(wanted)), ListOrder(F(moment))


def _students(wanted: CellFilter) -> StudentQuerySet:
    return Student.objects.filter(pk__in=_ids(wanted))


def _ids(wanted: CellFilter) -> RawSQL:
    whose, period = wanted.whose, wanted.period
    rows = rows_of(CELLS[wanted.cell].stage)
    statement = (
        f"select id from ({rows}) as found"  # noqa: S608
        f" where {condition_of(wanted.cell)} and {whose.condition}"
    )
    named, values = whose.parameters(period.start, period.end), []

    def in_order(found: re.Match[str]) -> str:
        values.append(named[found[1]])
        return "%s"

    # Django passes the parameters of its statements by their order.
    return RawSQL(re.sub(r"%\((\w+)\)s", in_order, statement), values)  # noqa: S611

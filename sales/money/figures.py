"""How many are in each cell and what they paid: in all, by source or by manager.

Two statements for the period and two for the days it is compared with, whatever the number of rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connections

from funnel.question import FunnelQuestion
from sales.money.cells import CellId, Stage, cells_of
from sales.money.statements import FLAGS, Narrowing, condition_of, rows_of

Key = str | UUID | None
_HALVES = (Stage.WON, Stage.OPENED)
_STAGES = tuple(CellId(stage.value) for stage in Stage)


class Rows(StrEnum):
    """What a row of the table is of."""

    SOURCE = "source"
    MANAGER = "manager"


@dataclass(frozen=True, slots=True)
class Amount:
    """How many persons or accesses, and in tenge: the deals they won, the prices of accesses."""

    count: int = 0
    deals: int = 0
    prices: int = 0


NOTHING = Amount()


@dataclass(frozen=True, slots=True)
class Cells:
    """The amount of each cell."""

    amounts: Mapping[CellId, Amount]

    def __getitem__(self, cell: CellId) -> Amount:
        return self.amounts.get(cell, NOTHING)


@dataclass(frozen=True, slots=True)
class Row:
    """A source or a manager. `key` is None for accesses of no known purchase, or no manager."""

    key: Key
    cells: Cells


@dataclass(frozen=True, slots=True)
class Money:
    """The figures of a question. `before` has the stages of the compared days, up to the same
    moment. `longest_wait` is the time since the oldest won deal of a person without access, None
    without one.
    """

    question: FunnelQuestion
    total: Cells
    before: Cells
    rows: tuple[Row, ...]
    longest_wait: timedelta | None


def money(question: FunnelQuestion, by: Rows) -> Money:
    """The figures of the question's period and sources, most persons and accesses first.

    Raises Django's database errors.
    """
    whose, period = Narrowing(question.sources), question.period
    found: dict[Key, dict[CellId, Amount]] = {}
    total: dict[CellId, Amount] = {}
    waits: list[timedelta] = []
    for stage in _HALVES:
        cells = _cells_beside(stage)
        for is_total, key, wait, amounts in _counted(
            stage, cells, whose, period.start, period.end, by=by
        ):
            (total if is_total else found.setdefault(key, {})).update(amounts)
            if is_total and wait is not None:
                waits.append(wait)
    compared, until = question.compared, question.cuts(timedelta(0)).before
    before: dict[CellId, Amount] = {}
    for stage in _HALVES:
        cells = [one for one in _cells_beside(stage) if one in _STAGES]
        for *_rest, amounts in _counted(stage, cells, whose, compared.start, until):
            before.update(amounts)
    rows = [Row(key, Cells(cells)) for key, cells in found.items()]
    return Money(
        question,
        total=Cells(total),
        before=Cells(before),
        rows=tuple(sorted(rows, key=_most_first)),
        longest_wait=max(waits, default=None),
    )


def _cells_beside(stage: Stage) -> list[CellId]:
    """The cells that are counted among the same persons or accesses as a stage's."""
    stages = [one for one in Stage if one.is_of_persons is stage.is_of_persons]
    return [cell for one in stages for cell in cells_of(one)]


def _most_first(row: Row) -> tuple[int, int, str]:
    persons = max(row.cells[cell].count for cell in _STAGES[:-1])
    return -row.cells[CellId.OPENED].count, -persons, str(row.key or "")


def _counted(
    stage: Stage,
    cells: Iterable[CellId],
    whose: Narrowing,
    start: datetime,
    end: datetime,
    *,
    by: Rows | None = None,
) -> Iterator[tuple[bool, Key, timedelta | None, dict[CellId, Amount]]]:
    """The amounts in all, and with `by` of each key; and the longest wait of the won."""
    wanted, statement = list(cells), _statement(stage, list(cells), whose, by)
    with connections["tripwire"].cursor() as cursor:
        cursor.execute(statement, whose.parameters(start, end))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    for is_total, key, wait, *values in rows:
        triples = zip(values[::3], values[1::3], values[2::3], strict=True)
        amounts = {
            cell: Amount(int(count), int(deals), int(prices))
            for cell, (count, deals, prices) in zip(wanted, triples, strict=True)
        }
        yield bool(is_total), key, wait, amounts


def _statement(stage: Stage, cells: list[CellId], whose: Narrowing, by: Rows | None) -> str:
    """First those who are alike are put together, so that the cells are summed from few rows."""
    rows = rows_of(stage)
    flags = ", ".join(FLAGS[rows])
    key, since, waiting = by.value if by else "null", "opened_at", "false"
    if stage.is_of_persons:
        since, waiting = "won_at", condition_of(CellId.WON_WAITING)
    sums = ", ".join(
        f"coalesce(sum({name}) filter (where {condition_of(cell)}), 0)"
        for cell in cells
        for name in ("persons", "deals", "prices")
    )
    first, grouped = ("grouping(key), key", "group by grouping sets ((key), ())")
    if by is None:
        first, grouped = "1, null", ""
    return f"""
select {first}, greatest(now() - min(since) filter (where {waiting}), '0'), {sums}
from (
  select {key} as key, {flags}, count(*) as persons,
    coalesce(sum(deal), 0) as deals, coalesce(sum(price), 0) as prices, min({since}) as since
  from ({rows}) as found where {whose.condition}
  group by key, {flags}
) as alike {grouped}
"""  # noqa: S608

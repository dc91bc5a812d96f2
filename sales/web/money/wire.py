"""The figures of money as JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from funnel.web.api.people_wire import DaysShape
from onai.web.api.shapes import Moment, Seconds, Shape
from sales.handoff.matching import MatchShare
from sales.money.cells import CELLS, CellId
from sales.money.figures import Amount, Cells, Key, Money, Rows
from sales.web.money.words import name_of


class AmountShape(Shape):
    """How many, and in tenge: the deals that these persons won, the prices of their accesses."""

    count: int
    deals: int | None = Field(description="null for accesses, which have prices alone")
    prices: int


class RowShape(Shape):
    """A source or a manager. `key` is the source as written or the manager's id; null for accesses
    of no known purchase, or for what has no manager."""

    key: str | None
    name: str
    cells: dict[CellId, AmountShape]


class ShareShape(Shape):
    """How many students were found to be buyers, and how."""

    students: int
    by_id: int
    by_email: int
    by_phone: int
    by_hand: int
    not_matched: int


class MoneyShape(Shape):
    """`clicked`, `chose` and `won` count persons, `opened` accesses of the period; after the hyphen
    stands what became of them by now. `before` has the stages of the compared days, up to the same
    moment."""

    success: Literal[True]
    period: DaysShape
    compared: DaysShape
    sources: tuple[str, ...]
    by: Rows
    total: dict[CellId, AmountShape]
    before: dict[CellId, AmountShape]
    rows: tuple[RowShape, ...]
    longest_wait: Seconds | None = Field(
        serialization_alias="longestWaitSeconds",
        description="since the oldest won deal of a person without access",
    )
    match_share: ShareShape
    timestamp: Moment


def money(
    found: Money, by: Rows, names: Mapping[UUID, str], share: MatchShare, *, as_of: datetime
) -> MoneyShape:
    question = found.question
    return MoneyShape(
        success=True,
        period=DaysShape.model_validate(question.period),
        compared=DaysShape.model_validate(question.compared),
        sources=question.sources,
        by=by,
        total=_cells(found.total, CELLS),
        before=_cells(found.before, found.before.amounts),
        rows=tuple(
            RowShape(
                key=_key(row.key), name=name_of(row.key, by, names), cells=_cells(row.cells, CELLS)
            )
            for row in found.rows
        ),
        longest_wait=found.longest_wait,
        match_share=ShareShape.model_validate(share),
        timestamp=as_of,
    )


def _key(key: Key) -> str | None:
    return None if key is None else str(key)


def _cells(cells: Cells, which: Mapping[CellId, object]) -> dict[CellId, AmountShape]:
    return {cell: _amount(cell, cells[cell]) for cell in which}


def _amount(cell: CellId, amount: Amount) -> AmountShape:
    deals = amount.deals if CELLS[cell].stage.is_of_persons else None
    return AmountShape(count=amount.count, deals=deals, prices=amount.prices)

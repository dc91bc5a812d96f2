"""The queue as JSON."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from onai.web.api.shapes import Moment, Shape, TextOrNull
from onai.web.paging import ListPage
from sales.handoff.queue import Line, LineState, Signal
from sales.models import SignalKind


class SignalShape(Shape):
    """A sign of a purchase and when it was first seen. `gone_at`: when it turned out to be no
    longer true."""

    kind: SignalKind
    at: Moment
    detail: TextOrNull = Field(description="how they chose to pay; the amount of the won deals")
    gone_at: Moment | None


class ClaimantShape(Shape):
    id: UUID
    name: str


class LineShape(Shape):
    id: UUID
    name: str
    phone: str = Field(description="as `+77000000011`, or as written where it is no number")
    email: TextOrNull
    source: TextOrNull
    signals: tuple[SignalShape, ...]
    waiting_since: Moment | None
    state: LineState
    claimed_by: ClaimantShape | None
    claimed_until: Moment | None
    ambiguity: TextOrNull = Field(description="why nobody can say by the data whose this is")


class QueueShape(Shape):
    success: Literal[True]
    count: int
    following: str | None = Field(
        serialization_alias="next", description="`after` of the next page, null on the last"
    )
    lines: tuple[LineShape, ...]


def queue(page: ListPage[Line]) -> QueueShape:
    return QueueShape(
        success=True,
        count=page.count,
        following=page.following,
        lines=tuple(map(_line, page.rows)),
    )


def _line(line: Line) -> LineShape:
    buyer = line.buyer
    claimed = line.state is LineState.CLAIMED and buyer.claimed_by is not None
    return LineShape(
        id=buyer.pk,
        name=buyer.name,
        phone=line.phone,
        email=buyer.email,
        source=buyer.source,
        signals=tuple(map(_signal, line.signals)),
        waiting_since=line.since,
        state=line.state,
        claimed_by=(
            ClaimantShape(id=buyer.claimed_by, name=buyer.claimed_name)
            if claimed and buyer.claimed_by
            else None
        ),
        claimed_until=buyer.claimed_until if claimed else None,
        ambiguity=buyer.ambiguity,
    )


def _signal(signal: Signal) -> SignalShape:
    return SignalShape(kind=signal.kind, at=signal.at, detail=signal.detail, gone_at=signal.gone_at)

"""The queue: lines of persons with a sign of a purchase and no access, longest wait first.

Times are compared with the clock of Tripwire. A signal may be ahead of it, because Landing has a
clock of its own; a wait is never negative.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onai.contacts import phones
from onai.db import postgres
from onai.identity.roles import Identity
from onai.web import paging
from onai.web.paging import ListOrder, ListPage
from onai.web.problems import NotFound
from sales import messenger
from sales.handoff import buyers
from sales.models import Buyer, SignalKind

PAGE = 25
_BATCH = 2_000
MOST_COUNTED = 1_000
_BY_WAIT = ListOrder(F("waiting_since"), oldest_first=True)
_BY_END = ListOrder(F("closed_at"))


_WAYS_TO_PAY: dict[str, str | Promise] = {
    "kaspi": _("Каспи"),
    "card": _("картой"),
    "manager": _("через менеджера"),
}


class LineState(StrEnum):
    """The state of a line: open to anybody, claimed by a manager, or closed."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    CLOSED = "closed"


class NoSuchLine(NotFound):
    message = _("Такой строки в очереди нет.")
    advice = _("Возможно, её объединили с другой. Вернитесь в очередь.")


@dataclass(frozen=True, slots=True)
class Signal:
    """A sign of a purchase. `at`: when it was first seen. `gone_at`: when it had disappeared."""

    kind: SignalKind
    at: datetime
    detail: str
    gone_at: datetime | None

    @property
    def way_to_pay(self) -> str | Promise:
        """How they chose to pay, in words; empty for another signal."""
        if self.kind is not SignalKind.CHOSE:
            return ""
        return _WAYS_TO_PAY.get(self.detail, self.detail)


@dataclass(frozen=True, slots=True)
class Line:
    """A line as a page, a file and the API show it. `phone` is a key where there is one."""

    buyer: Buyer
    signals: tuple[Signal, ...]
    phone: str
    since: datetime | None
    waits: timedelta
    state: LineState
    is_mine: bool

    @property
    def id(self) -> UUID:
        return self.buyer.pk

    @property
    def greeting(self) -> messenger.Message:
        """The first words to the person, for WhatsApp."""
        return messenger.greeting(self.buyer.name, email=self.buyer.email or "", phone=self.phone)


@dataclass(frozen=True, slots=True)
class QueueSummary:
    """The number of open lines, and the longest wait."""

    count: int
    longest: timedelta


def waiting_count() -> int:
    """How many lines are open, counted up to a thousand."""
    return Buyer.objects.filter(waiting_since__isnull=False)[:MOST_COUNTED].count()


def summary() -> QueueSummary:
    """The queue in two figures."""
    waiting = Buyer.objects.filter(waiting_since__isnull=False)
    first = waiting.order_by("waiting_since").values_list("waiting_since", flat=True).first()
    longest = _since(first, postgres.clock("tripwire"))
    return QueueSummary(waiting.count(), longest)


def page_of_lines(state: LineState | None, viewer: Identity, *, after: str = "") -> ListPage[Line]:
    """A page of the lines of a state, longest wait first; of all open ones without a state. Closed
    ones come newest first, a manager's own.
    """
    now = postgres.clock("tripwire")
    found, order = _lines(state, viewer, now)
    page = paging.page_of(found, order, after=after, size=PAGE)
    counted = ListPage(page.rows, page.following, found.count())
    return counted.showing([_line(one, viewer, now) for one in page.rows])


def all_lines(state: LineState | None, viewer: Identity) -> Iterator[Line]:
    """Every line, read in batches while they are taken."""
    now = postgres.clock("tripwire")
    for batch in paging.batches_of(*_lines(state, viewer, now), size=_BATCH):
        yield from (_line(one, viewer, now) for one in batch)


def line(buyer_id: UUID, viewer: Identity) -> Line:
    """One line, open or closed. Raises `NoSuchLine`."""
    buyer = Buyer.objects.filter(pk=buyer_id).first()
    if buyer is None or not _may_see(viewer, buyer):
        raise NoSuchLine
    return _line(buyer, viewer, postgres.clock("tripwire"))


def person(buyer_id: UUID, viewer: Identity) -> Line | None:
    """A buyer whom the viewer has found, in the queue or not; None where there is none any more."""
    buyer = Buyer.objects.filter(pk=buyer_id).first()
    return _line(buyer, viewer, postgres.clock("tripwire")) if buyer else None


def lines_of(found: list[Buyer], viewer: Identity) -> list[Line]:
    """These buyers as lines, whether they are in the queue or not."""
    now = postgres.clock("tripwire")
    return [_line(one, viewer, now) for one in found]


def _may_see(viewer: Identity, buyer: Buyer) -> bool:
    return viewer.is_admin or buyer.waiting_since is not None or buyer.closed_by == viewer.user_id


def _lines(
    state: LineState | None, viewer: Identity, now: datetime
) -> "tuple[QuerySet[Buyer], ListOrder]":
    if state is LineState.CLOSED:
        closed = Buyer.objects.filter(closed_at__isnull=False)
        # A manager does not need the contacts of lines that others, or an access, closed.
        return closed if viewer.is_admin else closed.filter(closed_by=viewer.user_id), _BY_END
    waiting = Buyer.objects.filter(waiting_since__isnull=False)
    claimed = Q(claimed_until__gt=now)
    match state:
        case LineState.CLAIMED:
            waiting = waiting.filter(claimed)
        case LineState.WAITING:
            waiting = waiting.exclude(claimed)
    return waiting, _BY_WAIT


def _line(buyer: Buyer, viewer: Identity, now: datetime) -> Line:
    since = buyer.waiting_since or buyers.first_opening_signal_at(buyer)
    state = LineState.WAITING
    if buyer.closed_at is not None:
        state = LineState.CLOSED
    elif buyer.claimed_until is not None and buyer.claimed_until > now:
        state = LineState.CLAIMED
    return Line(
        buyer=buyer,
        signals=_signals(buyer),
        phone=phones.key(buyer.phone) or buyer.phone,
        since=since,
        waits=_since(since, buyer.closed_at or now),
        state=state,
        is_mine=state is LineState.CLAIMED and buyer.claimed_by == viewer.user_id,
    )


def _signals(buyer: Buyer) -> tuple[Signal, ...]:
    """The signals, strongest first."""
    return tuple(
        Signal(kind, at, _detail(buyer, kind), _moment(buyer.gone.get(kind.value)))
        for kind in SignalKind
        if (at := buyer.signal_at(kind)) is not None
    )


def _detail(buyer: Buyer, kind: SignalKind) -> str:
    match kind:
        case SignalKind.CHOSE:
            return buyer.chose_how
        case SignalKind.WON:
            return str(buyer.won_amount or "")
    return ""


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _since(moment: datetime | None, now: datetime) -> timedelta:
    return max(timedelta(0), now - moment) if moment else timedelta(0)

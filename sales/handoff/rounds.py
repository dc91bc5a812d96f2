"""The worker's rounds through Landing, the students and the open lines.

`updated_at` has no index in production, so what has changed cannot be asked for. Each round reads
what is new, and then goes on through the rows of the last sixty days from where the round before
stopped: with the academy's hundreds of leads a week that is all of them each minute. A budget
bounds a round, whatever there is to read. A full pass of everything begins each night and goes on
with the rounds until it is done.

A page is read from Landing first. Then one transaction of Tripwire keeps it, with the place where
the next one begins, so that a round that dies is continued, and a page may be read twice.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections, transaction
from django.db.models import Q, QuerySet

from onai.db import postgres
from sales.handoff import buyers, contacts, landing_reader, matching
from sales.handoff.landing_reader import NOWHERE, Place, Reading
from sales.models import Buyer, BuyerContact, ContactKind, ReadingPosition, Student, StudentLead

logger = logging.getLogger(__name__)

WINDOW = timedelta(days=60)
PAGE = 1_000
# The pages of one sweep in one round.
PAGES = 10
_LONG_AGO, _NEVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
# A row may become visible after a younger one: its transaction took longer.
_LATE = timedelta(minutes=10)
_NEWEST = 200
# The sweeps that stop at their end and begin again the next night.
_OF_THE_NIGHT = ("old leads", "students", "buyers")


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a sweep: `keep` writes it, and `place` is where the next part begins."""

    keep: Callable[[], None]
    place: Any = None
    is_last: bool = False


def run_round() -> None:
    """One round: new rows, then the next pages of each sweep.

    While Landing is away, it does what needs Tripwire alone. Raises Tripwire's errors.
    """
    newest = Student.objects.without_staff().filter(student_lead=None).order_by("-created_at")
    matching.match_students(newest[:_NEWEST])
    _sweep("lines", _lines)
    _sweep("students", _students)
    # Under another name where other signals open a line, so that it begins at once.
    _sweep(f"buyers {','.join(settings.QUEUE_SIGNALS)}", _buyers)
    try:
        now = postgres.clock("landing")
    except (OperationalError, InterfaceError) as error:
        logger.warning("landing_not_read", extra={"error": type(error).__name__})
        connections["landing"].close_if_unusable_or_obsolete()
        return
    since = now - WINDOW
    _sweep("new leads", lambda place: _new_leads(place, since, now))
    _sweep("leads", lambda place: _leads(place, since))
    with transaction.atomic(using="tripwire"):
        _keep(landing_reader.newest_deals(_NEWEST))
    _sweep("deals", _deals)
    _sweep("known deals", _known_deals)
    _sweep("old leads", lambda place: _old_leads(place, since))


def begin_full_pass() -> None:
    """Make the next rounds read all rows once."""
    for position in ReadingPosition.objects.all():
        if _stops_at_its_end(position.sweep):
            position.place, position.is_running = None, True
            position.save()


def _stops_at_its_end(sweep: str) -> bool:
    return sweep.startswith(_OF_THE_NIGHT)


def _sweep(sweep: str, read: Callable[[Any], Page]) -> None:
    """Go on with a sweep from where it stopped, at most to its end."""
    position, _ = ReadingPosition.objects.get_or_create(sweep=sweep)
    for _number in range(PAGES if position.is_running else 0):
        page = read(position.place)
        position.place = page.place
        if page.is_last:
            position.finished_at = postgres.clock("tripwire")
            position.is_running = not _stops_at_its_end(sweep)
        with transaction.atomic(using="tripwire"):
            page.keep()
            position.save()
        if page.is_last:
            return


# --- Landing -----------------------------------------------------------------------------------


def _new_leads(place: Any, since: datetime, now: datetime) -> Page:
    """The new leads, with a short overlap: a row may become visible after a younger one."""
    begins = _place(place, since)
    rows = landing_reader.leads_after(begins, before=_NEVER, size=PAGE)
    if len(rows) == PAGE:
        return Page(lambda: _keep(rows), _place_of(rows[-1]))
    newest = max((min(_made(row), now) for row in rows), default=begins.created_at)
    ends = max(begins.created_at, newest - _LATE)
    return Page(lambda: _keep(rows), [ends.isoformat(), str(NOWHERE)], is_last=True)


def _leads(place: Any, since: datetime) -> Page:
    begins = _place(place, since)
    rows = landing_reader.leads_after(begins, before=_NEVER, size=PAGE)
    return _page_of_leads(rows, _known_between(begins, rows, _NEVER))


def _old_leads(place: Any, since: datetime) -> Page:
    begins = _place(place, _LONG_AGO)
    rows = landing_reader.marked_leads_after(begins, before=since, size=PAGE)
    marked = Q(chose_at__isnull=False) | Q(clicked_at__isnull=False)
    return _page_of_leads(rows, _known_between(begins, rows, since).filter(marked))


def _known_between(
    begins: Place, rows: list[Reading], before: datetime
) -> "QuerySet[BuyerContact]":
    """The stored leads whose creation time lies within this page."""
    return BuyerContact.objects.filter(
        kind=ContactKind.LEAD,
        missing_at=None,
        created_at__gte=begins.created_at,
        created_at__lt=_made(rows[-1]) if len(rows) == PAGE else before,
    )


def _page_of_leads(rows: list[Reading], known: "QuerySet[BuyerContact]") -> Page:
    """A page, and the stored leads that are missing from it: moved or deleted in Landing."""
    unseen = known.exclude(pk__in=[row.id for row in rows]).values_list("pk", flat=True)
    moved, missing = _read_again(list(unseen))
    is_last = len(rows) < PAGE
    place = None if is_last else _place_of(rows[-1])
    return Page(lambda: _keep([*rows, *moved], missing), place, is_last=is_last)


def _read_again(ids: list[UUID]) -> tuple[list[Reading], set[UUID]]:
    """Read these leads again; returns the current rows and those that were deleted."""
    rows = landing_reader.leads_with(ids) if ids else []
    return rows, set(ids) - {row.id for row in rows}


def _deals(place: Any) -> Page:
    rows = landing_reader.deals_after(int(place or -1), size=PAGE)
    is_last = len(rows) < PAGE
    return Page(lambda: _keep(rows), None if is_last else rows[-1].deal_key, is_last=is_last)


def _known_deals(place: Any) -> Page:
    """The stored deals, because some may have been deleted."""
    begins = _place(place, _LONG_AGO)
    known = BuyerContact.objects.filter(
        kind=ContactKind.DEAL, missing_at=None, created_at__gte=begins.created_at
    ).exclude(created_at=begins.created_at, pk__lte=begins.id)
    page = list(known.order_by("created_at", "pk")[:PAGE])
    numbers = [int(one.deal_key) for one in page if one.deal_key]
    rows = landing_reader.deals_with(numbers)
    missing = set() if rows is None else {one.pk for one in page} - {row.id for row in rows}
    is_last = len(page) < PAGE
    ends = None if is_last else [page[-1].created_at.isoformat(), str(page[-1].pk)]
    return Page(lambda: _keep(rows or [], missing), ends, is_last=is_last)


def _keep(rows: list[Reading], missing: Iterable[UUID] = ()) -> None:
    now, unsure = postgres.clock("tripwire"), landing_reader.unsure()
    changed = contacts.keep(rows, now=now, unsure=unsure)
    changed += contacts.keep_missing(missing, now=now)
    if changed:
        regrouped = buyers.regroup(changed)
        matching.match_buyers(list(Buyer.objects.filter(pk__in=regrouped, closed_at=None)))


# --- Tripwire ----------------------------------------------------------------------------------


def _lines(place: Any) -> Page:
    """The open lines, because a student may have been created by other software, or got another
    e-mail.
    """
    begins = _place(place, _LONG_AGO)
    lines = Buyer.objects.filter(waiting_since__gte=begins.created_at)
    lines = lines.exclude(waiting_since=begins.created_at, pk__lte=begins.id)
    page = list(lines.order_by("waiting_since", "pk")[:PAGE])
    is_last = len(page) < PAGE
    ends = None if is_last else [str(page[-1].waiting_since), str(page[-1].pk)]
    return Page(lambda: matching.match_buyers(page), ends, is_last=is_last)


def _students(place: Any) -> Page:
    students = Student.objects.without_staff().filter(pk__gt=place or NOWHERE)
    page = list(students.order_by("pk")[:PAGE])
    matched = set(StudentLead.objects.filter(student__in=page).values_list("student_id", flat=True))
    unmatched = [one for one in page if one.pk not in matched]
    return _by_id(page, lambda: matching.match_students(unmatched))


def _buyers(place: Any) -> Page:
    page = list(Buyer.objects.filter(pk__gt=place or NOWHERE).order_by("pk")[:PAGE])
    return _by_id(page, lambda: buyers.refresh_lines(page))


def _by_id(page: list[Any], keep: Callable[[], None]) -> Page:
    is_last = len(page) < PAGE
    return Page(keep, None if is_last else str(page[-1].pk), is_last=is_last)


# --- Places ------------------------------------------------------------------------------------


def _place(place: Any, otherwise: datetime) -> Place:
    """A kept place, but none before `otherwise`, where the sweep begins."""
    kept = Place(datetime.fromisoformat(place[0]), UUID(place[1])) if place else Place(otherwise)
    return kept if kept.created_at >= otherwise else Place(otherwise)


def _place_of(row: Reading) -> list[str]:
    return [_made(row).isoformat(), str(row.id)]


def _made(row: Reading) -> datetime:
    assert row.created_at is not None  # noqa: S101 - a lead has it
    return row.created_at

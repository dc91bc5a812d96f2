"""Watches which marks still arrive, compared with the rate of each in the past.

A reading is made of the two databases alone, so every process finds the same. It is kept for an
hour, for all processes where the cache is shared; while Landing does not answer, the last one
stands. "Now" is the clock of the database that records a mark: ours may differ.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import django.db
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone, translation

from funnel.landing.freshness import Answer, answer, last_figures, renew
from funnel.landing.statement import FiguresUnavailable
from funnel.landing.visibility import LeadsHidden
from funnel.signals import lead_reader
from funnel.signals.lead_reader import LEAD_MARKS, LONGEST_DELAY, LeadMarks, MailErrors, Unmailed
from funnel.signals.marks import RECORDERS, MarkId, Recorder, Series
from funnel.signals.table_reader import OTHER_RECORDERS, PAYMENT_STAGES
from funnel.stats.silence import (
    PAST,
    SLOW_OVER,
    Expectation,
    hour_of,
    is_silent,
    is_slow,
    moment_of,
)

logger = logging.getLogger(__name__)

KEPT = timedelta(hours=1)
# A mark that did not come for so long is silent, however rare it was.
WATCHED = PAST + LONGEST_DELAY
# The scan reaches further back, so that a mark that stopped has its full history.
SCANNED = WATCHED + timedelta(days=3)
# A mark that is recorded without its moment counts at that of its lead, and comes within so long
# after it as a rule. Where more than this share is so, later leads say nothing yet.
_SETTLED_AFTER, _MOST_UNTIMED = timedelta(hours=72), 0.1
# A smaller source is not watched by itself: events in four weeks.
_BIG_SOURCE = 28
_LAST_SIGHTING_KEPT = timedelta(days=1)


class State(StrEnum):
    """What became of a mark. `unknown`: its table or the right to read it is missing."""

    ALIVE = "alive"
    SLOW = "slow"
    SILENT = "silent"
    NEVER = "never"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Signal:
    """A mark, or the leads of one source, with its state.

    `expected_per_day` is of its own past, None where there is none. `lately` is how many came in
    the last three days. `unreadable` says why the state is unknown, in each language, because a
    reading is kept for everybody.
    """

    id: MarkId
    state: State
    last_seen: datetime | None = None
    expected_per_day: float | None = None
    lately: int = 0
    source: str | None = None
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def silent_since(self) -> datetime | None:
        """The last sighting of a mark that has fallen silent."""
        return self.last_seen if self.state is State.SILENT else None


@dataclass(frozen=True, slots=True)
class Reading:
    """The state of every mark and of every big source, and of the mailer, at `as_of`."""

    as_of: datetime
    signals: tuple[Signal, ...]
    sources: tuple[Signal, ...]
    unmailed: Unmailed
    errors: tuple[MailErrors, ...]

    @property
    def silent(self) -> tuple[Signal, ...]:
        """The marks and the sources that have fallen silent."""
        return tuple(one for one in (*self.signals, *self.sources) if one.state is State.SILENT)


def reading() -> Answer[Reading]:
    """The reading of this hour, or the last one while Landing does not answer.

    Raises FiguresUnavailable where there is none, and LeadsHidden where Landing hides its leads.
    """
    return answer("signals", _read, kind=Reading, kept=KEPT)


def last_reading() -> Reading | None:
    """The reading that is kept, for pages that must not wait for one."""
    return last_figures("signals", kind=Reading)


def renewed_reading() -> Reading:
    """A reading of this moment, which stands for the next hour. Raises as `reading` does."""
    return renew("signals", _read, kind=Reading, kept=KEPT)


def _read() -> Reading:
    now = lead_reader.clock()
    found = lead_reader.read_leads(now - SCANNED, now)
    series = dict(_series(found, now))
    if found.rows_are_filtered and not series[MarkId.LEADS]:
        raise LeadsHidden
    sources = {
        name: one for name, one in found.sources.items() if sum(one.counts.values()) >= _BIG_SOURCE
    }
    watched = sum(isinstance(one, Series) for one in series.values()) + len(sources)
    return Reading(
        as_of=now,
        signals=tuple(_signal(mark, series[mark], watched) for mark in MarkId),
        sources=tuple(
            replace(_signal(MarkId.LEADS, one, watched), source=name)
            for name, one in sources.items()
        ),
        unmailed=found.unmailed,
        errors=found.errors,
    )


def _series(
    found: LeadMarks, now: datetime
) -> Iterator[tuple[MarkId, Series | dict[str, str] | None]]:
    """The series of each mark; None for a mark that never came, and for one that cannot be read the
    reason, by language.
    """
    for mark in MarkId:
        if mark in LEAD_MARKS:
            recent = found.marks[mark]
            if mark is MarkId.PAYMENT_CHOSEN:
                recent = _with_stages(recent, now)
            yield mark, _or_older(mark, lead_reader.recorder(mark), recent, now)
            continue
        yield mark, _recorded(mark, {**OTHER_RECORDERS, **RECORDERS}[mark], now)


def _recorded(mark: MarkId, recorder: Recorder, now: datetime) -> Series | dict[str, str] | None:
    try:
        if recorder.unreadable():
            return dict(_in_each_language(recorder.unreadable))
        return _or_older(mark, recorder, recorder.hourly(now - SCANNED, None), now)
    except django.db.Error as error:
        logger.exception("mark_unread", extra={"mark": mark})
        raise FiguresUnavailable from error


def _in_each_language(told: Callable[[], str]) -> Iterator[tuple[str, str]]:
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            yield language, told()


def _with_stages(by_leads: Series, now: datetime) -> Series:
    """The chosen ways to pay, by the stages of leads where these are recorded, because stages have
    moments."""
    if PAYMENT_STAGES.unreadable():
        return by_leads
    by_stages = PAYMENT_STAGES.hourly(now - SCANNED, None)
    if by_stages.last_seen is None:
        return by_leads
    last = max(by_stages.last_seen, by_leads.last_seen or by_stages.last_seen)
    return replace(by_stages, last_seen=last)


def _or_older(mark: MarkId, recorder: Recorder, recent: Series, now: datetime) -> Series | None:
    """The recent series, or the one that ends with the last sighting before it."""
    if recent.last_seen is not None:
        return recent
    last = _last_sighting(mark, recorder, now - SCANNED)
    if last is None:
        return None
    return replace(recorder.hourly(last - SCANNED, last + LONGEST_DELAY), as_of=recent.as_of)


def _last_sighting(mark: MarkId, recorder: Recorder, before: datetime) -> datetime | None:
    """When the mark last came before the scan. Kept for a day, as it may take reading all leads."""
    key, kept = f"funnel:signals:last:{mark}", settings.FUNNEL_CACHE_SECONDS > 0
    written = cache.get(key) if kept else None
    if not isinstance(written, str):
        last = recorder.last_before(before)
        written = last.isoformat() if last else ""
        if kept:
            cache.set(key, written, _LAST_SIGHTING_KEPT.total_seconds())
    return datetime.fromisoformat(written) if written else None


def _signal(mark: MarkId, series: Series | dict[str, str] | None, watched: int) -> Signal:
    if isinstance(series, dict):
        return Signal(mark, State.UNKNOWN, unreadable=series)
    if series is None or series.last_seen is None:
        return Signal(mark, State.NEVER)
    now, last = series.as_of, min(series.last_seen, series.as_of)
    own = Expectation.of(_between(series, last - PAST, last), timezone.get_default_timezone())
    return Signal(
        mark,
        _state(series, own, last, watched),
        last_seen=last,
        expected_per_day=own.a_day if own else None,
        lately=sum(_between(series, now - SLOW_OVER, now).values()),
    )


def _state(series: Series, own: Expectation | None, last: datetime, watched: int) -> State:
    now = series.as_of
    if now - last > WATCHED:
        return State.SILENT
    if own is None:
        return State.ALIVE
    untimed = series.untimed > _MOST_UNTIMED * sum(series.counts.values())
    if is_silent(own, last, now - _SETTLED_AFTER if untimed else now, watched=watched):
        return State.SILENT
    if untimed:
        return State.ALIVE
    before = now - SLOW_OVER
    earlier = Expectation.of(_between(series, before - PAST, before), own.zone)
    lately = sum(_between(series, before, now).values())
    if earlier is None or not is_slow(earlier, lately, now, watched=watched):
        return State.ALIVE
    return State.ALIVE if _has_resumed(series, earlier, before, watched) else State.SLOW


def _has_resumed(series: Series, own: Expectation, since: datetime, watched: int) -> bool:
    """Whether the mark was silent at `since` or after it, so that its pace is not known yet."""
    earlier = [hour for hour in series.counts if hour <= hour_of(since)]
    hours = sorted({max(earlier), *(hour for hour in series.counts if hour > hour_of(since))})
    start, end = max(pairwise(hours), key=lambda pair: pair[1] - pair[0], default=(0, 0))
    return is_silent(own, moment_of(start), moment_of(end), watched=watched)


def _between(series: Series, since: datetime, until: datetime) -> dict[int, int]:
    """The counts of the hours after that of `since` up to that of `until`."""
    first, last = hour_of(since), hour_of(until)
    return {hour: n for hour, n in series.counts.items() if first < hour <= last}

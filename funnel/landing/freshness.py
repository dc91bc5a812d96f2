"""Keeps the figures of a question: counted once, then the answer to everybody for a while.

A finished answer is kept for `FUNNEL_CACHE_SECONDS`, and for days as the last good one. The last
good one is shown with its age while Landing does not answer, or while another request counts the
next. Lists of persons are never kept here: keys and answers hold nothing personal.

Answers are kept as JSON under their digest, and the digest, signed, under the question: whoever
writes to the shared cache can neither run code here nor change figures. An answer that cannot be
read counts as absent.
"""

import json
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache as memoised
from functools import lru_cache
from hashlib import sha256
from typing import Any, Generic, Protocol, TypeVar

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from pydantic import TypeAdapter, ValidationError

from funnel.landing import refresh, single_flight
from funnel.landing.statement import FiguresTakeTooLong, FiguresUnavailable
from onai.periods import business_day
from onai.templatetags.russian import ago, clock, moment_of_year

KEPT = timedelta(days=7)
# An address may say anything beside its question, and each is written for itself.
_MOST_TEXTS = 32
_CONTENT = "funnel:figures:"
# Raise this when figures change their meaning and not their shape.
_VERSION = 2


class Counted(Protocol):
    """Figures that know when the database counted them."""

    @property
    def as_of(self) -> datetime: ...


Figures = TypeVar("Figures", bound=Counted)


class Standing(StrEnum):
    """Whether figures are current, and why not."""

    CURRENT = "current"
    BEING_COUNTED = "being_counted"
    TOO_SLOW = "too_slow"
    UNAVAILABLE = "unavailable"


_WARNINGS: dict[Standing, str | Promise] = {
    Standing.BEING_COUNTED: _("Новые цифры ещё считаются. Показаны цифры на %(as_of)s, %(ago)s."),
    Standing.TOO_SLOW: _(
        "Новые цифры не успели посчитаться: база лидов занята."
        " Показаны цифры на %(as_of)s, %(ago)s."
    ),
    Standing.UNAVAILABLE: _("База лидов не отвечает. Показаны цифры на %(as_of)s, %(ago)s."),
}


@dataclass(frozen=True, slots=True)
class Answer(Generic[Figures]):
    """Figures, and whether they are current or the last good ones.

    `age` is the time since they were counted, by this process's clock; never negative.
    """

    figures: Figures
    standing: Standing
    age: timedelta
    texts: dict[Hashable, bytes]

    def text(self, name: Hashable, write: Callable[[Figures], bytes]) -> bytes:
        """The figures as `write` writes them in the reader's language, once for as long as this
        process has them."""
        name = (name, get_language())
        found = self.texts.get(name)
        if found is None:
            found = write(self.figures)
            if len(self.texts) < _MOST_TEXTS:
                self.texts[name] = found
        return found

    @property
    def stale(self) -> bool:
        return self.standing is not Standing.CURRENT

    @property
    def warning(self) -> str:
        """The note for a reader of stale figures."""
        as_of = timezone.localtime(self.figures.as_of)
        today = as_of.date() == timezone.localdate()
        return str(_WARNINGS[self.standing]) % {
            "as_of": clock(as_of) if today else moment_of_year(as_of),
            "ago": ago(self.age),
        }


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Figures]):
    """Figures in this process, and their written form."""

    figures: Figures
    texts: dict[Hashable, bytes] = field(default_factory=dict)


def answer(
    question: str,
    count: Callable[[], Figures],
    *,
    kind: type[Figures],
    only_current: bool = False,
    kept: timedelta | None = None,
    wider: Iterable[str] = (),
) -> Answer[Figures]:
    """The current figures, or the last good ones for this question, marked as stale.

    They are current for `FUNNEL_CACHE_SECONDS`, or for as long as `kept` where that is longer.

    `question` is the question as asked: a period by its name rather than by its days, so that an
    outage over midnight keeps yesterday's answer. `only_current` is for readers that cannot mark
    figures as stale. `wider` are other questions whose answers hold this one's, too: in an outage,
    their last good ones are as good. Raises what `count` raises when nothing is kept.
    """
    shelf = _Shelf(_name(question, kind), kind, kept or timedelta())
    current = shelf.current()
    if current is not None:
        return _answer(current, Standing.CURRENT)
    last = None if only_current else shelf.last()
    try:
        return _answer(_counted(shelf, count, may_wait=last is None), Standing.CURRENT)
    except single_flight.CountedByAnother as error:
        if last is None:
            raise FiguresTakeTooLong from error
        return _answer(last, Standing.BEING_COUNTED)
    except FiguresUnavailable as problem:
        if last is None and not only_current:
            held = (_Shelf(_name(one, kind), kind).last() for one in wider)
            last = max(filter(None, held), key=lambda one: one.figures.as_of, default=None)
        if last is None:
            raise
        slow = isinstance(problem, FiguresTakeTooLong)
        return _answer(last, Standing.TOO_SLOW if slow else Standing.UNAVAILABLE)


def last_figures(question: str, *, kind: type[Figures]) -> Figures | None:
    """The current figures or the last good ones, without asking the database."""
    shelf = _Shelf(_name(question, kind), kind)
    found = shelf.current() or shelf.last()
    return found.figures if found else None


def renew(
    question: str, count: Callable[[], Figures], *, kind: type[Figures], kept: timedelta
) -> Figures:
    """Figures counted now, and kept as the answer to everybody. Raises what `count` raises."""
    figures = count()
    _Shelf(_name(question, kind), kind, kept).keep(figures)
    return figures


def _answer(kept: _Kept[Figures], standing: Standing) -> Answer[Figures]:
    age = max(timedelta(), timezone.now() - kept.figures.as_of)
    return Answer(kept.figures, standing, age, kept.texts)


def _counted(
    shelf: "_Shelf[Figures]", count: Callable[[], Figures], *, may_wait: bool
) -> _Kept[Figures]:
    def count_and_keep() -> _Kept[Figures]:
        figures = count()
        shelf.keep(figures)
        return _Kept(figures)

    if not settings.FUNNEL_CACHE_SECONDS:
        # Every request gets figures of its own.
        return count_and_keep()
    return single_flight.run(shelf.place, count_and_keep, kept=shelf.current, may_wait=may_wait)


class _Shelf(Generic[Figures]):
    """Where the answers to one question are kept.

    The key of the current answer holds the last refresh that was granted before the request, so
    that after another refresh nothing older is found, whatever was being counted meanwhile. It also
    holds the day, because «today» is another question tomorrow.
    """

    def __init__(self, name: str, kind: type[Figures], kept: timedelta = timedelta()) -> None:
        seconds = settings.FUNNEL_CACHE_SECONDS
        self._seconds = max(seconds, kept.total_seconds()) if seconds else 0
        self.place = f"funnel:answer:{name}:{business_day()}:{refresh.last().timestamp()}"
        self._last_place = f"funnel:last-good:{name}"
        self._kind = kind

    def current(self) -> _Kept[Figures] | None:
        return self._read(self.place)

    def last(self) -> _Kept[Figures] | None:
        return self._read(self._last_place)

    def keep(self, figures: Figures) -> None:
        seconds, long = self._seconds, KEPT.total_seconds()
        written = _adapter(self._kind).dump_json(figures).decode()
        digest = sha256(written.encode()).hexdigest()
        cache.set(_CONTENT + digest, written, max(seconds, long))
        cache.set(self.place, _signed(self.place, digest), seconds)
        last = self.last()
        if last is None or last.figures.as_of <= figures.as_of:
            cache.set(self._last_place, _signed(self._last_place, digest), long)

    def _read(self, place: str) -> _Kept[Figures] | None:
        try:
            return _content(signing.Signer(salt=place).unsign(str(cache.get(place))), self._kind)
        except (signing.BadSignature, LookupError, ValidationError):
            return None


def _signed(place: str, digest: str) -> str:
    return signing.Signer(salt=place).sign(digest)


# Parsed once in a process: the answers to a few questions, for each page and the API.
@lru_cache(maxsize=32)
def _content(digest: str, kind: Any) -> _Kept[Any]:
    """The figures with this digest. Raises LookupError where the cache does not have them."""
    written = cache.get(_CONTENT + digest)
    if not isinstance(written, str) or sha256(written.encode()).hexdigest() != digest:
        raise LookupError(digest)
    return _Kept(_adapter(kind).validate_json(written))


@memoised
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _name(question: str, kind: Any) -> str:
    return sha256(f"{_VERSION} {_shape(kind)} {question}".encode()).hexdigest()


@memoised
def _shape(kind: Any) -> str:
    """A release that changes the figures uses another key, and never reads older answers."""
    return json.dumps(_adapter(kind).json_schema(), sort_keys=True)

"""The last good answer: shown, with its age, while Landing does not answer.

It is kept for days beside the cache of cachalot, and told to be old whenever it is shown. Lists of
persons are never kept here: these keys and answers hold nothing personal.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, is_dataclass
from datetime import datetime, timedelta
from enum import EnumType
from functools import cache as memoised
from hashlib import sha256
from typing import Any, Generic, Protocol, TypeVar, get_args, get_type_hints

from django.core.cache import cache
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from funnel.statement import FiguresUnavailable
from onai.templatetags.russian import ago

KEPT = timedelta(days=7)
# To be raised when the figures come to mean something else though they look the same.
_VERSION = 1


class Counted(Protocol):
    """Figures that know when the database counted them."""

    @property
    def as_of(self) -> datetime: ...


Figures = TypeVar("Figures", bound=Counted)


@dataclass(frozen=True, slots=True)
class Answer(Generic[Figures]):
    """Figures, and whether they are the last good ones instead of the present ones.

    `age` is how long ago they were counted, by this process's clock; never below zero.
    """

    figures: Figures
    stale: bool
    age: timedelta

    @property
    def warning(self) -> str:
        """What a reader of stale figures has to know."""
        as_of = timezone.localtime(self.figures.as_of)
        today = as_of.date() == timezone.localdate()
        return _("База лидов не отвечает. Показаны цифры на %(as_of)s, %(ago)s.") % {
            "as_of": date_format(as_of, "H:i" if today else "j E, H:i"),
            "ago": ago(self.age),
        }


def answer(
    question: str, compute: Callable[[], Figures], *, kind: type[Figures]
) -> Answer[Figures]:
    """What `compute` answers, or what it last answered to this question, marked as stale.

    `question` is what was asked as it was asked: a period by its name rather than by its days, so
    that an outage over midnight leaves yesterday's answer. Raises what `compute` raises when
    nothing is kept.
    """
    key = _key(question, kind)
    try:
        figures = compute()
    except FiguresUnavailable:
        kept = cache.get(key)
        if kept is None:
            raise
        return _answer(kept, stale=True)
    cache.set(key, figures, KEPT.total_seconds())
    return _answer(figures, stale=False)


def _answer(figures: Figures, *, stale: bool) -> Answer[Figures]:
    age = max(timedelta(), timezone.now() - figures.as_of)
    return Answer(figures, stale, age)


def _key(question: str, kind: Hashable) -> str:
    named = sha256(f"{_VERSION} {_shape(kind)} {question}".encode()).hexdigest()
    return f"funnel:last-good:{named}"


@memoised
def _shape(kind: Any) -> str:
    """A type by the names and types of all that is in it.

    So a release that changes it looks under another key, and never takes up what an older one kept.
    """
    if is_dataclass(kind):
        inner = [f"{name}: {_shape(hint)}" for name, hint in get_type_hints(kind).items()]
    elif isinstance(kind, EnumType):
        inner = list(kind.__members__)
    else:
        inner = [_shape(argument) for argument in get_args(kind)]
    return f"{kind!r}({', '.join(inner)})"

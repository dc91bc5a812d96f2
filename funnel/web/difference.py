"""The words, symbol and tone of a difference, decided here for every page.

▲ and ▼ stand for a difference beyond chance, ≈ for one within it; without a symbol there is no
test. The tone says which way is good: more figures are, longer times are not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from django.utils.formats import number_format
from django.utils.translation import gettext as _now

from funnel.question import FunnelQuestion
from funnel.report.time_to_buy import Times
from funnel.stats.comparison import Counted, Rate, Verdict
from funnel.stats.spans import Compare
from onai.templatetags.russian import duration

Tone = Literal["", "up", "down"]
_MARKS: dict[int, tuple[str, Tone]] = {0: ("", ""), 1: ("▲", "up"), -1: ("▼", "down")}


@dataclass(frozen=True, slots=True)
class Difference:
    """The text beside a figure. `symbol` is ▲, ▼, ≈ or empty."""

    words: str
    symbol: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a headline; `note` says what it consists of."""

    title: str
    text: str
    difference: Difference | None = None
    note: str = ""

    @property
    def is_long(self) -> bool:
        """Whether it needs smaller letters where four stand in a row, as a million tenge does."""
        return len(self.text) > 10


def in_full(of: Counted | Rate, written: Callable[[Any], str] = number_format) -> Difference:
    """The change of a figure that stands alone, and from what."""
    if of.verdict is Verdict.PERIOD_UNFINISHED:
        return Difference(_now("сравнивать рано"))
    if of.before is None:
        return Difference(_now("сравнить не с чем"))
    before = _now("было %(before)s") % {"before": written(of.before)}
    if of.verdict is Verdict.TOO_YOUNG:
        return Difference(_now("%(was)s, сравнивать рано") % {"was": before})
    a_day = " " + _now("в день") if isinstance(of, Counted) and of.by_rate else ""
    if of.is_same:
        return Difference(_now("как было") + a_day)
    grown = _grown(of)
    usual = _now("обычное колебание") if of.difference and _is_usual(of.verdict) else ""
    words = ", ".join(filter(None, (grown and grown + a_day, _base(of, written), usual)))
    return Difference(words, *_mark(of.verdict, of.marked))


def in_tile(of: Counted | Rate, to: str) -> Difference:
    """The change of a figure in a word or two; `to` says which days it is compared with."""
    if of.verdict in (Verdict.PERIOD_UNFINISHED, Verdict.TOO_YOUNG):
        return Difference(_now("сравнивать рано"))
    if of.before is None:
        return Difference(_now("сравнить не с чем"))
    if of.is_same:
        return Difference(_now("столько же"))
    if _is_usual(of.verdict):
        return Difference(_now("обычное колебание"))
    grown = _grown(of)
    if not grown:
        return Difference(_now("столько же"))
    a_day = _now("в день") if isinstance(of, Counted) and of.by_rate else ""
    words = " ".join(filter(None, (grown, a_day, to)))
    return Difference(words, *_mark(of.verdict, of.marked))


def compared_days(question: FunnelQuestion) -> str:
    """The days a question compares with, after a change: «к прошлым 30 дням»."""
    match question.compare:
        case Compare.LAST_MONTH:
            return _now("к прошлому месяцу")
        case Compare.LAST_YEAR:
            return _now("к прошлому году")
    count = question.period.days
    if count == 1:
        return _now("ко дню раньше")
    return _now("к прошлым %(days)s дням") % {"days": count}


def in_short(of: Counted | Rate, written: Callable[[Any], str] = number_format) -> Difference:
    """The same in a cell of a table."""
    if of.before is None:
        return Difference(_now("было —"))
    if of.is_same:
        return Difference(_now("как было"))
    return Difference(_base(of, written), *_mark(of.verdict, of.marked))


def of_median(times: Times) -> Difference:
    """The change of the median of the times to buy; longer is worse."""
    before = times.before
    if before is None or before.median is None:
        return Difference(_now("было —"))
    is_real = times.verdict is Verdict.BEYOND_CHANCE
    if before.median == times.now.median and not is_real:
        return Difference(_now("как было"))
    was = _now("было %(before)s") % {"before": duration(before.median)}
    if not is_real:
        return Difference(was, *_mark(times.verdict, 0))
    if times.is_longer:
        return Difference(_now("дольше, %(was)s") % {"was": was}, "▲", "down")
    return Difference(_now("быстрее, %(was)s") % {"was": was}, "▼", "up")


def of_time(before: timedelta | None) -> Difference | None:
    """The earlier value of a quarter of the times; quarters are not tested."""
    return Difference(_now("было %(before)s") % {"before": duration(before)}) if before else None


def _base(of: Counted | Rate, written: Callable[[Any], str]) -> str:
    """The compared figures: the one shown with the one before, or others instead."""
    if of.compared_instead:
        now, before = map(written, of.compared_instead)
        return _now("%(now)s против %(before)s") % {"now": now, "before": before}
    return _now("было %(before)s") % {"before": written(of.before)}


def _grown(of: Counted | Rate) -> str:
    """A count's change in percent, a conversion's in points; empty if rounded to zero."""
    change: Decimal | None
    if isinstance(of, Counted):
        change, unit = of.percent, "%"
    else:
        change, unit = of.difference, _now("п. п.")
    if not change:
        return ""
    sign = "+" if change > 0 else "\N{MINUS SIGN}"
    return f"{sign}{number_format(abs(change), force_grouping=True)}\N{NO-BREAK SPACE}{unit}"


def _is_usual(verdict: Verdict) -> bool:
    return verdict is Verdict.WITHIN_CHANCE


def _mark(verdict: Verdict, marked: int) -> tuple[str, Tone]:
    return ("≈", "") if _is_usual(verdict) else _MARKS[marked]

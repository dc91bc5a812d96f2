"""Sources as rows of one line: figures, the conversion drawn with its interval, and a verdict in a
word. The overview shows the best and worst, the page of sources all.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from django.core.paginator import Page, Paginator
from django.utils.formats import number_format
from django.utils.translation import gettext as _now

from funnel.report.accesses import Accesses
from funnel.report.sources import OtherSources, Source
from funnel.report.steps import Funnel
from funnel.stages import STAGES, Counting, StageId
from funnel.stats.comparison import AgainstOthers, Counted, Rate, Verdict
from funnel.web.difference import Difference, in_short, in_tile
from onai.templatetags.russian import percent, plural, tenge

_BEST, _WORST = 3, 2
_ROWS = 20
# Names in a sentence; the table has the others.
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Badge:
    """A verdict in a word; without a text there is none."""

    text: str
    tone: Literal["", "good", "bad", "look"] = ""


@dataclass(frozen=True, slots=True)
class IntervalBar:
    """A conversion as a bar and its 95 % limits as a line, in per cent of the widest of its table,
    as SVG writes them."""

    value: str
    low: str
    width: str


@dataclass(frozen=True, slots=True)
class Count:
    """A number, and the noun that stands behind it where there is no head above it."""

    text: str
    noun: str


@dataclass(frozen=True, slots=True)
class Detail:
    """One more figure of a source, with its list of people and its difference."""

    title: str
    text: str
    difference: Difference
    href: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """What a press on a source shows below it; `narrowed` is the page about this source alone."""

    figures: tuple[Detail, ...]
    narrowed: str


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source, or at the end of a table those that are not listed, together.

    `code` is how the landing page writes it where that is not its name. `accesses` is None where
    the database of students does not tell. `href` opens the source, or closes its `details`.
    """

    name: str
    code: str
    leads: Count
    purchases: Count
    accesses: Count | None
    conversion: str
    interval: IntervalBar
    revenue: str
    change: Difference
    verdict: Badge
    href: str = ""
    details: Details | None = None


@dataclass(frozen=True, slots=True)
class SourceTable:
    """One page of the sources' table."""

    lines: list[SourceLine]
    page: Page[Source]


def best_and_worst(rows: Sequence[Source]) -> list[Source]:
    """The three that surely sell best and the two that surely sell worst; all if they are few."""
    if len(rows) <= _BEST + _WORST:
        return list(rows)

    def limit(row: Source, *, low: bool) -> float:
        interval = row.funnel.conversion.interval
        if interval is None:
            return -1.0 if low else 2.0
        return interval.low if low else interval.high

    best = sorted(rows, key=lambda row: -limit(row, low=True))[:_BEST]
    others = [row for row in rows if row not in best]
    worst = sorted(others, key=lambda row: limit(row, low=False))[:_WORST]
    return [*best, *reversed(worst)]


def lines_of(
    rows: Sequence[Source],
    href: Callable[[str], str],
    *,
    opened: Accesses | None,
    details: Callable[[Source], Details | None] = lambda _source: None,
) -> list[SourceLine]:
    """The sources as lines. `href` is the address that a press on one leads to."""
    scale = widest(row.funnel.conversion for row in rows)

    def line(row: Source) -> SourceLine:
        told = line_of(
            row.funnel,
            scale,
            name=row.name,
            code=row.source if row.source != row.name else "",
            accesses=opened.of(row.source) if opened else None,
            verdict=verdict_of(row.against_others),
        )
        return replace(told, href=href(row.source), details=details(row))

    return [line(row) for row in rows]


def source_table(
    rows: Sequence[Source],
    others: OtherSources | None,
    href: Callable[[str], str],
    *,
    opened: Accesses | None,
    details: Callable[[Source], Details | None],
    number: int,
) -> SourceTable:
    """Page `number` of the sources; the last one ends with those that are not listed."""
    page = Paginator(rows, _ROWS).get_page(number)
    lines = lines_of(list(page), href, opened=opened, details=details)
    if others and not page.has_next():
        noun = plural(others.count, "источник,источника,источников")
        line = line_of(
            others.funnel,
            widest(row.funnel.conversion for row in page),
            name=_now("ещё %(count)s %(noun)s") % {"count": _number(others.count), "noun": noun},
            code=_now("по отдельности — в CSV"),
            accesses=opened.total - opened.not_matched - sum(opened.of(one.source) for one in rows)
            if opened
            else None,
            verdict=Badge(""),
        )
        lines.append(line)
    return SourceTable(lines, page)


def line_of(
    funnel: Funnel,
    scale: float,
    *,
    name: str,
    code: str = "",
    accesses: int | None = None,
    verdict: Badge,
) -> SourceLine:
    """A line of a funnel; `scale` is the conversion, 0 to 1, that is drawn as the whole width."""
    leads, bought = funnel.leads.now, funnel.purchases.now
    return SourceLine(
        name=name,
        code=code,
        leads=Count(_number(leads), plural(leads, "заявка,заявки,заявок")),
        purchases=Count(_number(bought), plural(bought, "покупка,покупки,покупок")),
        accesses=None
        if accesses is None
        else Count(_number(accesses), plural(accesses, "доступ,доступа,доступов")),
        conversion=percent(funnel.conversion.percent),
        interval=interval_bar(funnel.conversion, scale),
        revenue=tenge(funnel.revenue.now),
        change=in_tile(funnel.purchases, ""),
        verdict=verdict,
    )


def details_of(
    counting: Counting, funnel: Funnel, people: Callable[[StageId], str], narrowed: str
) -> Details:
    """Every step and figure of a source, each with its own difference. `people` is the address of
    a step's list."""

    def counted(title: str, of: Counted, href: str = "") -> Detail:
        return Detail(title, _number(of.now), in_short(of, _number), href)

    steps = [
        counted(str(STAGES[step.id].title), step.reached, people(step.id))
        if step.reached.now
        else counted(str(STAGES[step.id].title), step.reached)
        for step in funnel.steps
    ]
    if counting is Counting.REPORTED:
        steps.insert(0, counted(_now("Заявки"), funnel.leads))
    else:
        steps.append(counted(_now("Все покупки"), funnel.purchases))
    revenue = Detail(_now("Выручка"), tenge(funnel.revenue.now), in_short(funnel.revenue, tenge))
    conversion = Detail(
        _now("Заявка → покупка"),
        percent(funnel.conversion.percent),
        in_short(funnel.conversion, percent),
    )
    return Details((*steps, revenue, conversion), narrowed)


def widest(rates: Iterable[Rate]) -> float:
    """The upper limit that a table of conversions is drawn up to, 0 to 1."""
    return max((rate.interval.high for rate in rates if rate.interval), default=1.0) or 1.0


def interval_bar(rate: Rate, scale: float) -> IntervalBar:
    """The bar of a conversion where `scale`, 0 to 1, is the whole width."""
    if rate.interval is None or rate.percent is None:
        return IntervalBar("0%", "0%", "0%")

    def width(share: float) -> str:
        return f"{100 * min(1.0, share / scale):.2f}%"

    low, high = rate.interval.low, rate.interval.high
    return IntervalBar(width(float(rate.percent) / 100), width(low), width(high - low))


def verdict_of(of: AgainstOthers | None) -> Badge:
    """A row beside all others, in a word; nothing where it is the only one."""
    if of is None:
        return Badge("")
    if of.verdict is Verdict.TOO_FEW:
        return Badge(_now("рано судить"), "look")
    if of.verdict is not Verdict.BEYOND_CHANCE:
        return Badge(_now("как все"))
    return Badge(_now("лучше"), "good") if of.is_higher else Badge(_now("хуже"), "bad")


def verdicts_in_words(rows: Sequence[Source]) -> str:
    """Who sells better and who worse than all others; empty where there is nobody to compare."""
    compared = [row for row in rows if row.against_others]
    if not compared:
        return ""
    sure = [row for row in compared if _verdict(row) is Verdict.BEYOND_CHANCE]
    better = _names([row for row in sure if row.against_others and row.against_others.is_higher])
    worse = _names([row for row in sure if row.against_others and not row.against_others.is_higher])
    told = []
    if better:
        told.append(_now("Лучше остальных: %(names)s.") % {"names": better})
    if worse:
        told.append(_now("Хуже остальных: %(names)s.") % {"names": worse})
    return " ".join(told) or _now("Явно лучших и явно худших пока нет.")


def _verdict(row: Source) -> Verdict | None:
    return row.against_others.verdict if row.against_others else None


def _names(rows: Sequence[Source]) -> str:
    names = ", ".join(f"«{row.name}»" for row in rows[:_MOST_NAMES])
    rest = len(rows) - _MOST_NAMES
    return _now("%(names)s и ещё %(rest)s") % {"names": names, "rest": rest} if rest > 0 else names


def _number(count: int) -> str:
    return number_format(count, force_grouping=True)

"""Whose traffic sells: the funnel of every source, that is of every targetologist, side by side."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Count, Value
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from funnel.landing.statement import Found, JsonObject, Part, ask
from funnel.models import Lead, source_name
from funnel.report.counting import WAYS, Side, read_side, tally
from funnel.report.daily import Daily, daily_part, read_daily
from funnel.report.question import FunnelQuestion
from funnel.report.stage_report import share
from funnel.report.steps import Funnel, funnel_of
from funnel.stats.comparison import (
    AgainstOthers,
    Pair,
    Rate,
    Section,
    Shares,
    against_others,
    level_of,
    rate,
)
from funnel.stats.spans import Spans

# The one place where sources get a name for readers; one that is not here is shown as it is.
NAMES: dict[str, str | Promise] = {
    "proftest_kenesary": _("Кенесары"),
    "proftest_arystan": _("Арыстан"),
    "proftest_muha": _("Муха"),
    "proftest_unknown": _("Тест без таргетолога"),
    "expresscourse": _("Страница экспресс-курса"),
    "TF4": _("Команда TF4"),
    "": _("Без источника"),
}
_MOST_CHOICES = 200
# Anybody can put anything into a source, so how many there are is not ours to bound: the biggest
# are told one by one, and the others together.
LISTED_AT_MOST = 200
# A conversion of fewer leads is no more than what became of some people.
FEW_LEADS = 10
# Marks of a row beside those of its funnel: its two shares.
_SHARES = 2
# A source's leads in the period, and in the compared one.
_Both = tuple[Side, Side]


class SourceOrder(StrEnum):
    """By what the sources are sorted, best first.

    Conversions by the lower end of their interval, those of fewer than `FEW_LEADS` leads last.
    """

    PURCHASES = "purchases"
    LEADS = "leads"
    CONVERSION = "conversion"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Source:
    """One source. `source` is as the landing page wrote it, empty where it wrote none; the shares
    are of all leads and of all revenue that were asked about."""

    source: str
    funnel: Funnel
    share_of_leads: Rate
    share_of_revenue: Rate
    against_others: AgainstOthers | None

    @property
    def name(self) -> str:
        return readable(self.source)


@dataclass(frozen=True, slots=True)
class OtherSources:
    """The sources beside the biggest, `count` of them, as if they were one."""

    count: int
    funnel: Funnel
    share_of_leads: Rate
    share_of_revenue: Rate


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources asked about, best sellers first, and of very many the biggest, with all `others`
    together; where only some are asked about, all that one may choose."""

    rows: tuple[Source, ...]
    others: OtherSources | None
    choices: tuple[str, ...]

    def sorted_by(self, order: SourceOrder, *, containing: str = "") -> tuple[Source, ...]:
        """The rows whose name or source contains a text, in this order."""
        wanted = containing.casefold()
        rows = [
            row
            for row in self.rows
            if wanted in row.name.casefold() or wanted in row.source.casefold()
        ]
        match order:
            case SourceOrder.LEADS:
                rows.sort(key=lambda row: -row.funnel.leads.now)
            case SourceOrder.CONVERSION:
                rows.sort(key=lambda row: (row.funnel.leads.now < FEW_LEADS, -_surely(row.funnel)))
            case SourceOrder.NAME:
                rows.sort(key=lambda row: row.name.casefold())
            case SourceOrder.PURCHASES:
                pass
        return tuple(rows)


def readable(source: str) -> str:
    """The source's name for a reader; there is one to press also where it is written in spaces."""
    return str(NAMES.get(source, source if source.strip() else _("Пробелы вместо имени")))


def funnel_by_source(question: FunnelQuestion) -> Sources:
    """The sources asked about. Raises FiguresUnavailable."""
    parts = {"sources": sources_part(question), "daily": daily_part(question)}
    found = ask(question.leads_of_both_periods(), parts)
    return read_sources(question, found["sources"], read_daily(question, found["daily"]))


def sources_part(question: FunnelQuestion) -> Part:
    """Every source of either period; and, where only some are asked about, all of this one."""
    named = question.counted_leads_of_both_periods().annotate(source_name=source_name())
    now, before = question.sides()
    rows = named.values("source_name").annotate(
        row=JsonObject(
            Value("source"),
            "source_name",
            Value("now"),
            tally(question.counting, now),
            Value("before"),
            tally(question.counting, before),
        )
    )
    lists: dict[str, Any] = {"rows": rows.values("row")}
    if question.sources:
        everything = Lead.objects.created_in(question.period).annotate(source_name=source_name())
        lists["choices"] = (
            everything.values("source_name")
            .annotate(leads=Count("pk"))
            .order_by("-leads", "source_name")
            .values("source_name")[:_MOST_CHOICES]
        )
    return Part(lists=lists)


def read_sources(
    question: FunnelQuestion, found: Found, days: Daily, *, every_source: bool = False
) -> Sources:
    """The biggest sources and the others together, or with `every_source` all of them."""
    biggest = sorted(found.lists["rows"], key=_biggest_first)
    at_most = len(biggest) if every_source else LISTED_AT_MOST
    listed, others, noise = biggest[:at_most], biggest[at_most:], days.of_rows
    now, before = question.sides()
    marks = len(listed) * (WAYS[question.counting].marks + _SHARES)
    spans = replace(question.spans, level=level_of(Section.SOURCES, marks))
    against = replace(spans, level=level_of(Section.SOURCE_AGAINST_OTHERS, len(listed)))
    sides = [
        (
            read_side(question.counting, now, row["now"]),
            read_side(question.counting, before, row["before"]),
        )
        for row in (*listed, *([_together(others)] if others else ()))
    ]
    came = _Shared.of(sides, lambda side: side.shown.leads, lambda side: side.exposed.leads)
    sold = _Shared.of(sides, lambda side: side.shown.purchases, lambda side: side.aged.purchases)
    aged = sum(side.aged.purchases for side, _ in sides), sum(side.aged.leads for side, _ in sides)

    def counted(both: _Both) -> tuple[Funnel, Rate, Rate]:
        of_leads = came.share(spans, both, noise=noise.share_of_leads, aged=False)
        of_purchases = sold.share(spans, both, noise=noise.share_of_purchases, aged=True)
        funnel = funnel_of(question.counting, spans, *both, noise)
        return funnel, of_leads, _in_money(of_purchases, both, sides)

    rows = []
    for row, both in zip(listed, sides, strict=False):
        one = both[0].aged
        held = against_others(against, (one.purchases, one.leads), aged, noise=noise.conversion)
        rows.append(Source(row["source"], *counted(both), held))
    rows.sort(key=_best_first)
    together = OtherSources(len(others), *counted(sides[-1])) if others else None
    return Sources(tuple(rows), together, tuple(found.lists.get("choices", ())))


def _biggest_first(row: Mapping[str, Any]) -> tuple[Any, ...]:
    now, before = row["now"], row["before"]
    return -now["leads"], -now["purchases"], -before["leads"], row["source"]


def _together(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """What was counted of several sources, as of one."""
    sums: dict[str, Counter[str]] = {"now": Counter(), "before": Counter()}
    for row in rows:
        for side, counts in sums.items():
            counts.update(row[side])
    return {side: dict(counts) for side, counts in sums.items()}


@dataclass(frozen=True, slots=True)
class _Shared:
    """Something that the sources have parts of: as it is shown, and as it is compared."""

    shown: Callable[[Side], int]
    tested: Callable[[Side], int]
    all_shown: Pair
    all_tested: Pair

    @classmethod
    def of(
        cls, sides: Sequence[_Both], shown: Callable[[Side], int], tested: Callable[[Side], int]
    ) -> "_Shared":
        def total(count: Callable[[Side], int]) -> Pair:
            return Pair(sum(count(now) for now, _ in sides), sum(count(was) for _, was in sides))

        return cls(shown, tested, total(shown), total(tested))

    def share(self, spans: Spans, both: _Both, *, noise: float, aged: bool) -> Rate:
        now, before = both
        return rate(
            spans,
            Shares(Pair(self.shown(now), self.shown(before)), self.all_shown),
            Shares(Pair(self.tested(now), self.tested(before)), self.all_tested),
            is_proportion=True,
            decimals=1,
            noise=noise,
            aged=aged,
        )


def _in_money(of_purchases: Rate, both: _Both, sides: Sequence[_Both]) -> Rate:
    """The share of the purchases as one of the revenue, which differs where prices do."""

    def percent(place: int, known: Decimal | None) -> Decimal | None:
        revenue = sum(pair[place].money.revenue for pair in sides)
        own = both[place].money.revenue
        return share(own, revenue, decimals=1) if known is not None and revenue else known

    return replace(
        of_purchases,
        percent=percent(0, of_purchases.percent),
        before=percent(1, of_purchases.before),
    )


def _best_first(row: Source) -> tuple[Any, ...]:
    return -row.funnel.purchases.now, -row.funnel.leads.now, row.source


def _surely(funnel: Funnel) -> float:
    """What the conversion is at least: one purchase of one lead is not the best of all."""
    interval = funnel.conversion.interval
    return interval.low if interval else -1.0

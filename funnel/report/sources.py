"""Whose traffic sells: the funnel of every source, so of every targetologist, side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from funnel.report.counts.count_leads import CountedLeads, Plan
from funnel.report.counts.counting import (
    LEADS,
    PURCHASES,
    Counts,
    Side,
    Window,
    marks_of,
    name_of,
    side,
)
from funnel.report.counts.daily import Daily
from funnel.report.counts.statement import EVERY, SPAN, Statement
from funnel.report.steps import Funnel, funnel_of
from funnel.stages import Counting
from funnel.stats.comparison import (
    AgainstOthers,
    Pair,
    Rate,
    Section,
    Shares,
    against_others,
    level_of,
    rate,
    share,
)
from funnel.stats.spans import Spans

# The names of sources for readers; any other source is shown as stored.
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
# Anybody can invent sources, so their number is unbounded: the biggest are listed, and the others
# summed.
LISTED_AT_MOST = 200
# A conversion of fewer leads says little.
FEW_LEADS = 10
# Marks of a row beside those of its funnel: its two shares.
_SHARES = 2
# A source's leads in the period, and in the compared one.
_Both = tuple[Side, Side]


class SourceOrder(StrEnum):
    """An order of the sources, best first.

    Conversions are ordered by the lower end of their interval, those of fewer than `FEW_LEADS`
    leads last.
    """

    PURCHASES = "purchases"
    LEADS = "leads"
    CONVERSION = "conversion"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Source:
    """One source. `source` is as the landing page wrote it, empty where it wrote none; the shares
    are of all leads and of all revenue of the question.
    """

    source: str
    funnel: Funnel
    share_of_leads: Rate
    share_of_revenue: Rate
    against_others: AgainstOthers | None

    @property
    def name(self) -> str:
        """The source's name for a reader."""
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
    """The sources of the question, best sellers first. Of very many the biggest, with all `others`
    together; where some are chosen, also all that can be chosen.
    """

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


NO_SOURCES = Sources((), None, ())


def readable(source: str) -> str:
    """The source's name for a reader, never blank, so that there is something to press."""
    return str(NAMES.get(source, source if source.strip() else _("Пробелы вместо имени")))


def add_sources(made: Statement, plan: Plan, *, every_source: bool = False) -> None:
    """Have the sources counted: the biggest one by one and the others as one, or every source; and
    where only some are asked about, all of the period to choose from."""
    now, before = map(plan.places_in, plan.shown)
    made.parameters |= {"spans_now": now, "spans_before": before}
    made.parameters["most_sources"] = EVERY if every_source else LISTED_AT_MOST
    columns = [f"{count} as c{number}" for number, count in enumerate(plan.columns.sums)]
    counts = [f"sum(c{number})" for number in range(len(columns))]
    names = plan.columns.names
    counting = plan.question.counting
    leads, bought = (f"c{names.index(name_of(counting, one))}" for one in (LEADS, PURCHASES))
    made.table(
        "by_source",
        f"select {SPAN} as span, coalesce(source, '') as source,"
        f" {', '.join(columns)} from by_time where {SPAN} > 0"
        " group by 1, 2",
    )
    made.table(
        "biggest_sources",
        "select source, row_number() over (order by"
        f" coalesce(sum({leads}) filter (where span = any(%(spans_now)s)), 0) desc,"
        f" coalesce(sum({bought}) filter (where span = any(%(spans_now)s)), 0) desc,"
        f" coalesce(sum({leads}) filter (where span = any(%(spans_before)s)), 0) desc,"
        f" source) as place from by_source group by source having sum({leads}) > 0",
    )
    made.answers["sources_in_all"] = "(select count(*) from biggest_sources)"
    # Whichever way is counted, a source is one of as many that are compared.
    made.answers["sources_compared"] = (
        "(select least(count(distinct source), %(most_sources)s) from by_source)"
    )
    listed = "case when place <= %(most_sources)s then source end"
    made.rows(
        "sources",
        (listed, "span", *counts),
        f"from by_source join biggest_sources using (source) group by {listed}, span",
    )
    if plan.question.sources:
        inside = made.inside("choices", plan.shown[:1], ())
        made.rows(
            "choices",
            ("source",),
            "from (select coalesce(source, '') as source from landing_leads"
            f" where {inside} group by 1 order by count(*) desc, 1 limit {_MOST_CHOICES}) as named",
        )


def read_sources(found: CountedLeads, days: Daily, reported: Daily) -> Sources:
    """The sources asked about. `days` are of the question's way to count; a source is compared with
    the others as `reported`, so that its verdict is the same whichever way is counted.
    """
    question, plan, noise = found.plan.question, found.plan, days.of_rows
    counted = found.by_key("sources")
    others = counted.pop(None, None)
    marks = len(counted) * (marks_of(question.counting) + _SHARES)
    spans = replace(question.spans, level=level_of(Section.SOURCES, marks))
    compared = found.rows["sources_compared"]
    against = replace(spans, level=level_of(Section.SOURCE_AGAINST_OTHERS, compared))
    sides = [
        (side(question.counting, one, plan.now), side(question.counting, one, plan.before))
        for one in (*counted.values(), *([others] if others else ()))
    ]
    came = _Shared.of(sides, lambda side: side.shown.leads, lambda side: side.exposed.leads)
    sold = _Shared.of(sides, lambda side: side.shown.purchases, lambda side: side.aged.purchases)
    everybody = _bought(found.totals, plan.now)

    def of(both: _Both) -> tuple[Funnel, Rate, Rate]:
        of_leads = came.share(spans, both, noise=noise.share_of_leads, aged=False)
        of_purchases = sold.share(spans, both, noise=noise.share_of_purchases, aged=True)
        funnel = funnel_of(question.counting, spans, *both, noise)
        return funnel, of_leads, _in_money(of_purchases, both, sides)

    rows = []
    for (source, counts), both in zip(counted.items(), sides, strict=False):
        own, spread = _bought(counts, plan.now), reported.of_rows.conversion
        held = against_others(against, own, everybody, noise=spread)
        rows.append(Source(source, *of(both), held))
    rows.sort(key=_best_first)
    left = found.rows["sources_in_all"] - len(counted)
    together = OtherSources(left, *of(sides[-1])) if others else None
    choices = tuple(source for (source,) in found.rows.get("choices", ()))
    return Sources(tuple(rows), together, choices)


def _bought(counts: Counts, window: Window) -> tuple[int, int]:
    """The purchases and leads of a window, as reported, at the age of comparison."""
    aged = side(Counting.REPORTED, counts, window).aged
    return aged.purchases, aged.leads


@dataclass(frozen=True, slots=True)
class _Shared:
    """The whole that the sources are parts of: as shown, and as compared."""

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
    """The share of the purchases as a share of the revenue, which differs where prices do."""

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
    """The lower end of the conversion: one purchase of one lead is not the best of all."""
    interval = funnel.conversion.interval
    return interval.low if interval else -1.0

"""Whose traffic sells: the funnel of every source, that is of every targetologist, side by side."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.db.models import Count, Value
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from funnel.comparison import AgainstOthers, Counted, Rate, Spans, against_others, rate
from funnel.counting import tally
from funnel.models import Lead, source_name, within
from funnel.question import FunnelQuestion
from funnel.statement import Found, JsonObject, Part, ask
from funnel.steps import Funnel, read_funnel

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
# A conversion of fewer leads is no more than what became of some people.
FEW_LEADS = 10


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
    are of all leads and of all purchases, and so of all revenue, that were asked about."""

    source: str
    funnel: Funnel
    share_of_leads: Rate
    share_of_revenue: Rate
    against_others: AgainstOthers | None

    @property
    def name(self) -> str:
        return readable(self.source)


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources asked about, best sellers first; where only some are, all that one may choose."""

    rows: tuple[Source, ...]
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
    parts = {"sources": sources_part(question)}
    return read_sources(question, ask(question.leads_of_both_periods(), parts)["sources"])


def sources_part(question: FunnelQuestion) -> Part:
    """Every source of either period; and, where only some are asked about, all of this one."""
    named = question.counted_leads_of_both_periods().annotate(source_name=source_name())
    rows = named.values("source_name").annotate(
        row=JsonObject(
            Value("source"),
            "source_name",
            Value("now"),
            tally(question.counting, within(question.period)),
            Value("before"),
            tally(question.counting, within(question.compared)),
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


def read_sources(question: FunnelQuestion, found: Found) -> Sources:
    spans = replace(question.spans, among=len(found.lists["rows"]))
    funnels = [
        (row["source"], read_funnel(question, row, among=spans.among))
        for row in found.lists["rows"]
    ]
    leads = _total(funnel.leads for _, funnel in funnels)
    purchases = _total(funnel.purchases for _, funnel in funnels)
    rows = [
        Source(
            source=source,
            funnel=funnel,
            share_of_leads=_share(spans, funnel.leads, leads),
            share_of_revenue=_share(spans, funnel.purchases, purchases),
            against_others=against_others(
                funnel.conversion, purchases[0], leads[0], among=spans.among
            ),
        )
        for source, funnel in funnels
    ]
    rows.sort(key=_best_first)
    return Sources(tuple(rows), tuple(found.lists.get("choices", ())))


def _total(counts: Iterable[Counted]) -> tuple[int, int]:
    """Now and before."""
    both = [(one.now, one.before or 0) for one in counts]
    return sum(now for now, _ in both), sum(before for _, before in both)


def _share(spans: Spans, one: Counted, total: tuple[int, int]) -> Rate:
    now, before = (one.now, total[0]), (one.before or 0, total[1])
    return rate(spans, now, before, is_proportion=True, decimals=1)


def _best_first(row: Source) -> tuple[Any, ...]:
    return -row.funnel.purchases.now, -row.funnel.leads.now, row.source


def _surely(funnel: Funnel) -> float:
    """What the conversion is at least: one purchase of one lead is not the best of all."""
    interval = funnel.conversion.interval
    return interval.low if interval else -1.0

"""Everything a page of the funnel needs, of one moment: one statement."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count

from funnel.landing.statement import Part, ask
from funnel.landing.visibility import LeadsHidden
from funnel.models import Lead, within
from funnel.report.daily import daily_part, read_daily
from funnel.report.over_time import OverTime, over_time_part, read_over_time
from funnel.report.question import FunnelQuestion
from funnel.report.sources import Sources, read_sources, sources_part
from funnel.report.stage_report import FunnelReport, read_report, report_part
from funnel.report.steps import Funnel, read_steps, steps_part
from funnel.report.time_to_buy import TimeToBuy, read_time_to_buy, time_to_buy_part
from funnel.report.utm import MarkTable, read_utm, utm_part


@dataclass(frozen=True, slots=True)
class FunnelAnswers:
    """The answers to `question`; `report` is as reported, whatever way of counting it asks for, and
    `leads` are all that came in its days."""

    question: FunnelQuestion
    leads: int
    report: FunnelReport
    funnel: Funnel
    sources: Sources
    over_time: OverTime
    time_to_buy: TimeToBuy
    utm: tuple[MarkTable, ...]
    # What part of the purchases comes by the age that figures are compared at, 0 to 1.
    come_by_age: float | None

    @property
    def as_of(self) -> datetime:
        """When the database counted."""
        return self.report.as_of


def answers(question: FunnelQuestion, *, everything: bool = False) -> FunnelAnswers:
    """Count everything about the question, of many sources and marks the biggest or all.

    Raises FiguresUnavailable, and LeadsHidden instead of telling zeros of leads that
    we may not see.
    """
    found = ask(
        question.leads_of_both_periods(),
        {
            "report": report_part(question.period, question.leads()),
            "funnel": steps_part(question),
            "sources": sources_part(question),
            "time": over_time_part(question),
            "buying": time_to_buy_part(question),
            "utm": utm_part(question, every_value=everything),
            "daily": daily_part(question),
            "came": Part(
                figures={"leads": Count("pk", filter=within(question.period))},
                lists={"first": Lead.objects.order_by("created_at").values_list("created_at")[:1]},
            ),
        },
    )
    if found["came"].rows_are_filtered and not found["came"].lists["first"]:
        raise LeadsHidden
    for first in found["came"].lists["first"]:
        question = replace(question, data_since=datetime.fromisoformat(first))
    days = read_daily(question, found["daily"])
    return FunnelAnswers(
        question=question,
        leads=found["came"].figures["leads"],
        report=read_report(question.period, found["report"]),
        funnel=read_steps(question, found["funnel"], days),
        sources=read_sources(question, found["sources"], days, every_source=everything),
        over_time=read_over_time(question, found["time"], days),
        time_to_buy=read_time_to_buy(question, found["buying"], every_source=everything),
        utm=read_utm(question, found["utm"], days, every_value=everything),
        come_by_age=days.come_by_age,
    )

"""The answers to a question, of one moment: one statement for the requested topics."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from funnel.landing.visibility import LeadsHidden
from funnel.question import FunnelQuestion
from funnel.report.counts.count_leads import CountedLeads, Plan, count, statement_of
from funnel.report.counts.counting import LEADS, name_of
from funnel.report.counts.daily import Daily, read_daily
from funnel.report.counts.statement import Statement
from funnel.report.over_time import OverTime, read_over_time
from funnel.report.purchase_days import PurchaseDays, add_purchase_days, read_purchase_days
from funnel.report.sources import NO_SOURCES, Sources, add_sources, read_sources
from funnel.report.stage_report import FunnelReport, read_report
from funnel.report.steps import Funnel, read_steps
from funnel.report.time_to_buy import NO_TIMES, TimeToBuy, add_times, read_time_to_buy
from funnel.report.utm import MARK_TEXTS, MarkTable, add_marks, read_utm
from funnel.stages import Counting
from funnel.stats.comparison import Section


class Topic(StrEnum):
    """A part of the answers beside the report, by the word of the API's `include`.

    The steps (`FUNNEL`) are counted for every question: they say whether anybody came.
    """

    FUNNEL = "funnel"
    SOURCES = "sources"
    OVER_TIME = "overTime"
    PURCHASE_DAYS = "purchaseDays"
    TIME_TO_BUY = "timeToBuy"
    UTM = "utm"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class FunnelAnswers:
    """The answers to `question`; a topic that was not requested is empty.

    `path` is how far those came who took the test, whatever way of counting the question has.
    `report` is as reported, whatever way of counting the question has, and `leads` are all that
    came in its days. `come_by_age` is the share of the purchases, 0 to 1, that comes by the age at
    which figures are compared.
    """

    question: FunnelQuestion
    as_of: datetime
    leads: int
    report: FunnelReport
    funnel: Funnel
    sources: Sources
    over_time: OverTime
    purchase_days: PurchaseDays
    time_to_buy: TimeToBuy
    utm: tuple[MarkTable, ...]
    path: Funnel | None
    come_by_age: float | None


def answers(
    question: FunnelQuestion,
    topics: Collection[Topic] = tuple(Topic),
    *,
    everything: bool = False,
) -> FunnelAnswers:
    """Count the requested topics: the biggest sources and marks or, with `everything`, all.

    Raises FiguresUnavailable, and LeadsHidden instead of reporting zeros for leads that we may not
    see.
    """
    plan, made = _planned(question, topics, everything=everything)
    found = count(plan, made)
    if found.rows_are_filtered and found.first_lead is None:
        raise LeadsHidden
    question = replace(question, data_since=found.first_lead)
    found = replace(found, plan=replace(plan, question=question))
    days = read_daily(found, question.counting)
    funnel = read_steps(found, days, question.counting)
    came = found.totals.between(plan.now.days.start, plan.now.shown)
    return FunnelAnswers(
        question=question,
        as_of=found.as_of,
        leads=came[name_of(Counting.REPORTED, LEADS)],
        report=read_report(found),
        funnel=funnel,
        sources=_sources(found, days) if Topic.SOURCES in topics else NO_SOURCES,
        over_time=OverTime(question.unit, ())
        if Topic.OVER_TIME not in topics
        else read_over_time(found, days),
        purchase_days=read_purchase_days(found)
        if Topic.PURCHASE_DAYS in topics
        else PurchaseDays(),
        time_to_buy=read_time_to_buy(found) if Topic.TIME_TO_BUY in topics else NO_TIMES,
        utm=read_utm(found, days) if Topic.UTM in topics else (),
        path=_path(found, funnel) if Topic.PATH in topics else None,
        come_by_age=days.come_by_age,
    )


def _sources(found: CountedLeads, days: Daily) -> Sources:
    if found.plan.question.counting is Counting.REPORTED:
        return read_sources(found, days, days)
    return read_sources(found, days, read_daily(found, Counting.REPORTED))


def _path(found: CountedLeads, funnel: Funnel) -> Funnel:
    """How far those came who took the test; where that is the question, its own funnel."""
    if found.plan.question.counting is Counting.COHORT:
        return funnel
    return read_steps(
        found, read_daily(found, Counting.COHORT), Counting.COHORT, section=Section.PATH
    )


def statement_for(
    question: FunnelQuestion, topics: Collection[Topic]
) -> tuple[str, Mapping[str, object]]:
    """The statement and its parameters, to examine rather than to run."""
    _, made = _planned(question, topics, everything=False)
    return made.text, made.parameters


def _planned(
    question: FunnelQuestion, topics: Collection[Topic], *, everything: bool
) -> tuple[Plan, Statement]:
    by_bucket = bool({Topic.OVER_TIME, Topic.PURCHASE_DAYS, Topic.TIME_TO_BUY} & set(topics))
    by_source = bool({Topic.SOURCES, Topic.UTM} & set(topics))
    ways = (question.counting, *([Counting.COHORT] if Topic.PATH in topics else ()))
    plan = Plan.of(question, by_bucket=by_bucket, ways=ways)
    texts = MARK_TEXTS if Topic.UTM in topics else None
    made = statement_of(plan, by_source=by_source, texts=texts)
    if Topic.SOURCES in topics:
        add_sources(made, plan, every_source=everything)
    if Topic.UTM in topics:
        add_marks(made, plan, every_value=everything)
    if Topic.PURCHASE_DAYS in topics:
        add_purchase_days(made, plan)
    if Topic.TIME_TO_BUY in topics:
        add_times(made, plan, every_source=everything)
    return plan, made

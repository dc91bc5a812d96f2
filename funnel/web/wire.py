"""The funnel in the wire format of the traffic dashboard, whose keys never change.

The keys of the report come first and are always as reported. Beside them stand the answers to
the question of the address. Percents are numbers from 0, spans of time are in seconds.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from funnel.landing.freshness import Answer, Figures
from funnel.report.answers import FunnelAnswers
from funnel.report.buckets import Bucket
from funnel.report.over_time import OverTime
from funnel.report.sources import OtherSources, Source
from funnel.report.stage_report import FunnelReport, Stage
from funnel.report.steps import Funnel
from funnel.report.time_to_buy import Quartiles, Times, TimeToBuy
from funnel.report.utm import MarkTable
from funnel.stages import STAGES, StageId
from funnel.stats.comparison import AgainstOthers, Counted, Rate, Tested
from funnel.stats.spans import Cuts
from onai.periods import Period
from onai.web.timestamps import utc_timestamp


def answers(found: FunnelAnswers) -> dict[str, Any]:
    """The report, and everything else about the question."""
    return {
        **funnel(found.report),
        **_question(found),
        "funnel": _funnel(found.funnel),
        "sources": [_source(row) for row in found.sources.rows],
        "otherSources": _other_sources(found.sources.others),
        "overTime": _over_time(found.over_time),
        "timeToBuy": _time_to_buy(found.time_to_buy),
        "utm": {table.mark.value: _marks(table) for table in found.utm},
    }


def funnel(report: FunnelReport) -> dict[str, Any]:
    """The whole report. `timestamp` is when the database counted, in UTC."""
    return {
        "success": True,
        "stages": [stage(report, one) for one in report.stages],
        "totalRevenue": report.revenue,
        "totalConversions": report.purchases,
        "overallConversionRate": float(report.overall_conversion),
        "timestamp": utc_timestamp(report.as_of),
    }


def freshness(answered: Answer[Figures]) -> dict[str, Any]:
    """Whether the figures are the last good ones, and since when, in UTC."""
    if not answered.stale:
        return {"stale": False}
    told = {
        "code": "figures_stale",
        "message": answered.warning,
        "asOf": utc_timestamp(answered.figures.as_of),
    }
    return {"stale": True, "warning": told}


def stage(report: FunnelReport, one: Stage) -> dict[str, Any]:
    """One stage, with its metrics."""
    wording = STAGES[one.id]
    return {
        "id": one.id.value,
        "title": wording.api_title,
        "emoji": wording.emoji,
        "description": str(wording.description),
        "metrics": _metrics(report, one),
        "conversionRate": one.conversion_rate,
        "status": one.status.value,
    }


def _metrics(report: FunnelReport, one: Stage) -> dict[str, int]:
    if one.id is StageId.PROFTEST:
        return {"visitors": one.reached, "passed": one.reached}
    if one.id is StageId.EXPRESS:
        return {"views": one.reached, "avgValue": report.price}
    return {"purchases": one.reached, "revenue": report.revenue}


def _question(found: FunnelAnswers) -> dict[str, Any]:
    question = found.question
    return {
        "period": _period(question.period),
        "compared": {
            **_period(question.compared),
            "with": question.compare.value,
            **_cuts(question.cuts(), found.come_by_age),
        },
        "source": list(question.sources),
        "count": question.counting.value,
        "by": question.unit.value,
    }


def _cuts(cuts: Cuts, come_by_age: float | None) -> dict[str, Any]:
    return {
        "until": utc_timestamp(cuts.before) if cuts.running else None,
        "ageHours": cuts.hours,
        "purchasesByThen": None if come_by_age is None else round(100 * come_by_age, 1),
    }


def _period(period: Period) -> dict[str, Any]:
    return {
        "from": period.first_day.isoformat(),
        "to": period.last_day.isoformat(),
        "days": period.days,
    }


def _funnel(one: Funnel) -> dict[str, Any]:
    return {
        "leads": _counted(one.leads),
        "steps": [
            {
                "id": step.id.value,
                "title": str(STAGES[step.id].title),
                "reached": _counted(step.reached),
                "conversion": _rate(step.conversion) if step.conversion else None,
            }
            for step in one.steps
        ],
        "purchases": _counted(one.purchases),
        "purchasesOutsideSteps": one.outside_steps,
        "revenue": _counted(one.revenue),
        "conversion": _rate(one.conversion),
        "overallConversion": _rate(one.overall),
    }


def _counted(count: Counted) -> dict[str, Any]:
    return {
        "now": count.now,
        "before": count.before,
        "change": count.difference,
        "changePercent": _number(count.percent),
        "verdict": count.verdict.value,
        "pValue": count.p_value,
        "tested": _tested(count.tested),
    }


def _tested(tested: Tested | None) -> dict[str, Any] | None:
    if tested is None:
        return None
    return {
        "now": tested.now,
        "before": tested.before,
        "days": round(tested.days, 3),
        "daysBefore": round(tested.days_before, 3),
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "now": _number(rate.percent),
        "before": _number(rate.before),
        "change": _number(rate.difference),
        "low": _number(rate.low),
        "high": _number(rate.high),
        "verdict": rate.verdict.value,
        "pValue": rate.p_value,
        "tested": {"now": _number(rate.tested), "before": _number(rate.tested_before)},
    }


def _source(row: Source) -> dict[str, Any]:
    return {
        "source": row.source,
        "name": row.name,
        "shareOfLeads": _rate(row.share_of_leads),
        "shareOfRevenue": _rate(row.share_of_revenue),
        **_funnel(row.funnel),
        "againstOthers": _against_others(row.against_others),
    }


def _other_sources(others: OtherSources | None) -> dict[str, Any] | None:
    if others is None:
        return None
    return {
        "count": others.count,
        "shareOfLeads": _rate(others.share_of_leads),
        "shareOfRevenue": _rate(others.share_of_revenue),
        **_funnel(others.funnel),
    }


def _against_others(one: AgainstOthers | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {"others": float(one.others), "verdict": one.verdict.value, "pValue": one.p_value}


def _marks(table: MarkTable) -> dict[str, Any]:
    return {
        "values": [
            {
                "value": row.value,
                **_funnel(row.funnel),
                "againstOthers": _against_others(row.against_others),
            }
            for row in table.marked
        ],
        "without": _funnel(table.without.funnel) if table.without else None,
        "thereAreMore": table.there_are_more,
        "others": _funnel(table.others) if table.others else None,
    }


def _over_time(over_time: OverTime) -> list[dict[str, Any]]:
    return [{**_bucket(point.bucket), **_funnel(point.funnel)} for point in over_time.points]


def _bucket(bucket: Bucket) -> dict[str, Any]:
    return {
        "from": bucket.first_day.isoformat(),
        "to": bucket.last_day.isoformat(),
        "isCut": bucket.is_cut,
        "isRunning": bucket.is_running,
        "isToCome": bucket.is_to_come,
        "compared": _period(bucket.compared) if bucket.compared else None,
    }


def _time_to_buy(times: TimeToBuy) -> dict[str, Any]:
    return {
        "all": _times(times.all),
        "sources": [
            {"source": one.source, "name": one.name, **_times(one.times)} for one in times.by_source
        ],
        "overTime": [{**_bucket(one.bucket), **_times(one.times)} for one in times.over_time],
    }


def _times(times: Times) -> dict[str, Any]:
    return {
        **_quartiles(times.now),
        "before": _quartiles(times.before) if times.before else None,
        "changeSeconds": _seconds(times.shift),
        "isLonger": times.is_longer,
        "verdict": times.verdict.value,
        "pValue": times.p_value,
    }


def _quartiles(one: Quartiles) -> dict[str, Any]:
    return {
        "purchases": one.purchases,
        "timed": one.timed,
        "withoutMoment": one.without_moment,
        "beforeLead": one.before_lead,
        "lowerSeconds": _seconds(one.lower),
        "medianSeconds": _seconds(one.median),
        "upperSeconds": _seconds(one.upper),
    }


def _seconds(time: timedelta | None) -> int | None:
    return None if time is None else int(time.total_seconds())


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)

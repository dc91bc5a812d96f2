"""The funnel in the wire format of the traffic dashboard, whose keys never change."""

from datetime import UTC, datetime
from typing import Any

from funnel.freshness import Answer, Figures
from funnel.report import FunnelReport, Stage, StageId
from funnel.wording import WORDING


def funnel(report: FunnelReport) -> dict[str, Any]:
    """The whole funnel. `timestamp` is when the database counted, in UTC."""
    return {
        "success": True,
        "stages": [stage(report, one) for one in report.stages],
        "totalRevenue": report.revenue,
        "totalConversions": report.purchases,
        "overallConversionRate": float(report.overall_conversion),
        "timestamp": _moment(report.as_of),
    }


def freshness(answered: Answer[Figures]) -> dict[str, Any]:
    """Whether the figures are the last good ones, and since when, in UTC."""
    if not answered.stale:
        return {"stale": False}
    told = {
        "code": "figures_stale",
        "message": answered.warning,
        "asOf": _moment(answered.figures.as_of),
    }
    return {"stale": True, "warning": told}


def stage(report: FunnelReport, one: Stage) -> dict[str, Any]:
    """One stage, with its metrics."""
    wording = WORDING[one.id]
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
    match one.id:
        case StageId.PROFTEST:
            return {"visitors": one.reached, "passed": one.reached}
        case StageId.EXPRESS:
            return {"views": one.reached, "avgValue": report.price}
        case StageId.PAYMENT:
            return {"purchases": one.reached, "revenue": report.revenue}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

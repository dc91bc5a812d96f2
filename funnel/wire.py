"""The funnel in the wire format of the traffic dashboard, whose keys never change."""

from datetime import UTC
from typing import Any

from funnel.report import FunnelReport, Stage, StageId
from funnel.wording import WORDING


def funnel(report: FunnelReport) -> dict[str, Any]:
    """The whole funnel. `timestamp` is when the database counted, in UTC."""
    as_of = report.as_of.astimezone(UTC).isoformat(timespec="milliseconds")
    return {
        "success": True,
        "stages": [stage(report, one) for one in report.stages],
        "totalRevenue": report.revenue,
        "totalConversions": report.purchases,
        "overallConversionRate": float(report.overall_conversion),
        "timestamp": as_of.replace("+00:00", "Z"),
    }


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

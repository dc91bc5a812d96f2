"""The funnel's page and its API, both drawn from the same report."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from funnel import wire
from funnel.picture import draw
from funnel.report import FunnelReport, StageId, funnel_report
from onai.errors import NotFound
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.periods import Period

_REPORTED_DAYS = 30


def _report() -> FunnelReport:
    return funnel_report(Period.last_days(_REPORTED_DAYS))


@role_required("admin")
@require_safe
def page(request: IdentifiedRequest) -> HttpResponse:
    report = _report()
    return render(request, "funnel/page.html", {"report": report, "stages": draw(report)})


@role_required("admin")
@require_safe
def api_funnel(request: IdentifiedRequest) -> HttpResponse:
    return _json(wire.funnel(_report()))


@role_required("admin")
@require_safe
def api_stage(request: IdentifiedRequest, stage_id: str) -> HttpResponse:
    if stage_id not in set(StageId):
        raise NotFound(_("Такого этапа у воронки нет."))
    report = _report()
    stage = next(stage for stage in report.stages if stage.id == stage_id)
    return _json({"success": True, "stage": wire.stage(report, stage)})


def _json(body: dict[str, object]) -> HttpResponse:
    return JsonResponse(body, json_dumps_params={"ensure_ascii": False})

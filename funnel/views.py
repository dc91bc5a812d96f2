"""The funnel's page and its API, both drawn from the same report."""

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from funnel import refresh, wire
from funnel.freshness import Answer, answer
from funnel.picture import draw
from funnel.report import FunnelReport, StageId, funnel_report
from onai.errors import NotFound
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.periods import Period

_REPORTED_DAYS = 30


def _report(request: IdentifiedRequest) -> Answer[FunnelReport]:
    """The report that `request` asks for, or the last good one while Landing is down."""
    refresh.take_up(request)
    return answer(
        f"report of {_REPORTED_DAYS} days",
        lambda: funnel_report(Period.last_days(_REPORTED_DAYS)),
        kind=FunnelReport,
    )


@role_required("admin")
@require_safe
def page(request: IdentifiedRequest) -> HttpResponse:
    answered = _report(request)
    report = answered.figures
    context = {
        "report": report,
        "stages": draw(report),
        "answer": answered,
        "refused_since": refresh.refused_since(request),
    }
    return render(request, "funnel/page.html", context)


@role_required("admin")
@require_POST
def refresh_figures(request: IdentifiedRequest) -> HttpResponse:
    """Has the database asked again, and leads back to the question it was asked from."""
    query = QueryDict(request.POST.get("query", "")[:2_000]).urlencode()
    back = HttpResponseRedirect(f"{reverse('funnel')}{'?' if query else ''}{query}")
    refresh.tell(back, refresh.ask_again())
    return back


@role_required("admin")
@require_safe
def api_funnel(request: IdentifiedRequest) -> HttpResponse:
    answered = _report(request)
    return _json(wire.funnel(answered.figures), answered)


@role_required("admin")
@require_safe
def api_stage(request: IdentifiedRequest, stage_id: str) -> HttpResponse:
    if stage_id not in set(StageId):
        raise NotFound(_("Такого этапа у воронки нет."))
    answered = _report(request)
    report = answered.figures
    stage = next(stage for stage in report.stages if stage.id == stage_id)
    return _json({"success": True, "stage": wire.stage(report, stage)}, answered)


def _json(body: dict[str, object], answered: Answer[FunnelReport]) -> HttpResponse:
    told = {**body, **wire.freshness(answered)}
    response = JsonResponse(told, json_dumps_params={"ensure_ascii": False})
    if answered.stale:
        response["Warning"] = '110 - "Response is Stale"'
    return response

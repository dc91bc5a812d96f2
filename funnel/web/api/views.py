"""The funnel as JSON, from the same answers as its pages."""

from dataclasses import replace

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from funnel.landing.statement import FiguresTakeTooLong, FiguresUnavailable, LeadsUnreadable
from funnel.landing.visibility import LeadsHidden
from funnel.report.answers import FunnelAnswers
from funnel.stages import STAGES_OF, Counting, StageId
from funnel.web.api import wire
from funnel.web.forms import ApiForm, PageForm
from funnel.web.views import answered, in_order
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.web.api.openapi import Operation, describes
from onai.web.api.shapes import json_text
from onai.web.problems import NotFound

_PROBLEMS = (FiguresUnavailable, FiguresTakeTooLong, LeadsUnreadable, LeadsHidden)


@role_required("admin")
@require_safe
@describes(Operation(wire.FunnelAnswerShape, query=(ApiForm,), problems=_PROBLEMS))
def funnel(request: IdentifiedRequest) -> HttpResponse:
    """The three stages, revenue and overall conversion, and what is asked for beside them.

    While Landing cannot answer, or another is counting the next figures, the last good answer to
    the same question comes, of at most seven days: `stale` is true then. Never a row of zeros.
    """
    form = ApiForm(request.GET)
    found = answered(request, form, form.strict_question(), form.topics)

    def written(figures: FunnelAnswers) -> bytes:
        ordered = replace(found, figures=in_order(figures, form))
        return json_text(wire.funnel_answer(ordered, form.topics)).encode()

    # The warning about stale figures says how old they are now.
    content = written(found.figures) if found.stale else found.text(form.order, written)
    return _json(content, stale=found.stale)


@role_required("admin")
@require_safe
@describes(Operation(wire.StageAnswerShape, query=(PageForm,), problems=(NotFound, *_PROBLEMS)))
def stage(request: IdentifiedRequest, stage_id: str) -> HttpResponse:
    """One stage: `proftest`, `express` or `payment`."""
    if stage_id not in {one.id for one in STAGES_OF[Counting.REPORTED]}:
        raise NotFound(_("Такого этапа у воронки нет."))
    form = PageForm(request.GET)
    found = answered(request, form, form.strict_question(), ())
    return _json(json_text(wire.stage_answer(found, StageId(stage_id))).encode(), stale=found.stale)


def _json(content: bytes, *, stale: bool) -> HttpResponse:
    response = HttpResponse(content, content_type="application/json")
    if stale:
        response["Warning"] = '110 - "Response is Stale"'
    return response

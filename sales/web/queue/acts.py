"""Acts on a line of the queue: claim, release, close, reopen, add by hand."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from sales.handoff import line_acts, queue
from sales.models import ClosingReason
from sales.web.queue.forms import ClosingForm, ReportForm
from sales.web.queue.rows import line_row


@dataclass(frozen=True, slots=True)
class _Page:
    """The words of a form's page."""

    title: str | Promise
    button: str | Promise
    busy: str | Promise


_CLOSING = _Page(_("Закрыть без доступа"), _("Закрыть"), _("Закрываем…"))
_REPORT = _Page(_("Кто оплатил и ждёт доступа"), _("Добавить в очередь"), _("Добавляем…"))


@role_required("admin", "sales")
@require_POST
def claim(request: IdentifiedRequest, buyer_id: UUID) -> HttpResponse:
    line_acts.claim(buyer_id, request.identity)
    return redirect("queue")


@role_required("admin", "sales")
@require_POST
def release(request: IdentifiedRequest, buyer_id: UUID) -> HttpResponse:
    line_acts.release(buyer_id, request.identity)
    return redirect("queue")


@role_required("admin", "sales", keeps_text=True)
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: IdentifiedRequest, buyer_id: UUID) -> HttpResponse:
    """Show the form that asks for the reason; a POST closes the line."""
    line = queue.line(buyer_id, request.identity)
    form = ClosingForm(_sent(request), initial=request.typed)
    if request.method == "POST" and not request.refusal and form.is_valid():
        reason = ClosingReason(form.cleaned_data["reason"])
        line_acts.close(buyer_id, request.identity, reason=reason, note=form.cleaned_data["note"])
        return redirect(f"{reverse('queue')}?{urlencode({'closed': str(buyer_id)})}")
    row = line_row(line, request.identity)
    context = {"page": _CLOSING, "row": row, "form": form, "problem": request.refusal}
    return render(request, "sales/queue_form.html", context, status=_status(request, form.errors))


@role_required("admin", "sales")
@require_POST
def reopen(request: IdentifiedRequest, buyer_id: UUID) -> HttpResponse:
    queue.line(buyer_id, request.identity)  # A manager opens again what they have closed.
    line_acts.reopen(buyer_id, request.identity)
    return redirect("queue")


@role_required("admin", "sales", keeps_text=True)
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: IdentifiedRequest) -> HttpResponse:
    """Show the form for a person who paid; a POST adds them to the queue."""
    form = ReportForm(_sent(request), initial=request.typed)
    if request.method == "POST" and not request.refusal and form.is_valid():
        line_acts.report(form.report, request.identity)
        return redirect("queue")
    context = {"page": _REPORT, "form": form, "problem": request.refusal}
    return render(request, "sales/queue_form.html", context, status=_status(request, form.errors))


def _sent(request: IdentifiedRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _status(request: IdentifiedRequest, errors: object) -> int:
    if request.refusal:
        return request.refusal.status
    return 400 if errors else 200

"""The page of a request to create or change a student: its progress and its outcome."""

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.web.problems import NotFound
from sales.models import RequestKind, RequestState, StudentRequest
from sales.permissions import SomebodyElsesStudent, may_act_on
from sales.provisioning import open_requests, student_requests
from sales.web import password_once

# After these the student's card shows what has changed.
_SHOWN_ON_CARD = (RequestKind.STATUS, RequestKind.CORRECTION, RequestKind.HANDOVER)


@role_required("admin", "sales")
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("password")
def progress(
    request: IdentifiedRequest, request_id: UUID, *, of_creation: bool
) -> HttpResponseBase:
    """The outcome of a request, or that it is open. The password is shown once. A POST ends the
    request.
    """
    if request.method == "POST":
        return end(request, request_id, of_creation=of_creation)
    found = _request_or_404(request, request_id, of_creation)
    if found.state == RequestState.DONE and found.kind in _SHOWN_ON_CARD:
        return redirect_to_result(found)
    reached = student_requests.progress_of(found)
    if reached.student is not None and not may_act_on(request.identity, reached.student):
        raise SomebodyElsesStudent  # Handed over meanwhile, so no longer the user's to see.
    is_shown = found.is_creation or student_requests.is_latest_password(found)
    context = {
        "title": _title(found),
        "student_request": found,
        "refusal": reached.refusal,
        "student": reached.student,
        "letter": reached.letter,
        "password": password_once.read(request, request.path) if is_shown else None,
        "platform_url": settings.PLATFORM_LOGIN_URL,
        "may_be_ended_at": open_requests.may_be_ended_at(found),
        "now": timezone.now(),
    }
    template = "sales/creation.html" if found.is_creation else "sales/changed.html"
    response = render(request, template, context)
    if not found.is_open and request.method == "GET":
        password_once.take_back(response, request.path)
    return response


@role_required("admin")
@require_POST
def end(request: IdentifiedRequest, request_id: UUID, *, of_creation: bool) -> HttpResponse:
    """End a request that nobody can finish, so that its student or address is free again."""
    found = _request_or_404(request, request_id, of_creation)
    if found.is_open:
        open_requests.end(found, by=request.identity.user_id)
    return redirect(found)


def redirect_to_result(change: StudentRequest) -> HttpResponseRedirect:
    """Redirect to the page that shows the outcome of a change."""
    if change.state == RequestState.DONE and change.kind in _SHOWN_ON_CARD:
        card = reverse("student", args=[change.student_id])
        return HttpResponseRedirect(f"{card}?done={change.pk}")
    return HttpResponseRedirect(change.get_absolute_url())


def _title(found: StudentRequest) -> str | Promise:
    is_creation = found.is_creation
    match found.state:
        case RequestState.OPEN:
            return _("Создаётся") if is_creation else _("Меняется")
        case RequestState.REFUSED:
            return _("Не создан") if is_creation else _("Не изменилось")
    if is_creation:
        return _("Доступ открыт")
    return _("Доступ удалён") if found.kind == RequestKind.DELETION else _("Пароль сменён")


def _request_or_404(
    request: IdentifiedRequest, request_id: UUID, of_creation: bool
) -> StudentRequest:
    found = student_requests.find(request_id, request.identity)
    if found is None or found.is_creation != of_creation:
        raise NotFound
    return found

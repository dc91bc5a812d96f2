"""The pages by which a student is changed."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from onai.identity import passwords
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.identity.staff import register
from onai.web.problems import BadRequest, Problem, set_retry_after
from sales.models import RequestKind, Student, StudentRequest
from sales.permissions import student_for
from sales.provisioning import student_requests
from sales.provisioning.change_student import change_student
from sales.web import shown_password
from sales.web.change_forms import (
    ChangeForm,
    CorrectionForm,
    DeletionForm,
    HandoverForm,
    NewPasswordForm,
    StatusForm,
)
from sales.web.forms import of_student
from sales.web.request_views import redirect_to_result


@dataclass(frozen=True, slots=True)
class _Page:
    """The words of one act's page. `hurts` marks an act that cannot be taken back."""

    title: str | Promise
    button: str | Promise
    busy: str | Promise
    template: str
    hurts: bool = False


_STATUS = _Page(_("Статус студента"), _("Сменить статус"), _("Меняем…"), "sales/change_status.html")
_PASSWORD = _Page(
    _("Сменить пароль"),
    _("Сменить и отправить письмо"),
    _("Меняем…"),
    "sales/change_password.html",
)
_CORRECTION = _Page(_("Исправить данные"), _("Сохранить"), _("Сохраняем…"), "sales/correct.html")
_HANDOVER = _Page(
    _("Передать другому менеджеру"), _("Передать"), _("Передаём…"), "sales/hand_over.html"
)
_DELETION = _Page(
    _("Удалить студента"),
    _("Удалить навсегда"),
    _("Удаляем…"),
    "sales/delete_student.html",
    hurts=True,
)


@role_required("admin", "sales", keeps_text=True)
@require_http_methods(["GET", "HEAD", "POST"])
def status(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    student = student_for(request.identity, student_id)
    # The card's button for blocking names the status.
    wanted = request.GET.get("status") or student.status
    form = StatusForm(request.POST or None, initial={"status": wanted, **request.typed})
    return _answer(request, student, form, _STATUS)


@role_required("admin", "sales", keeps_text=True)
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("form")
def password(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    student = student_for(request.identity, student_id)
    passwords.find_out_rules(request.access_token)
    if request.method != "POST" or "suggest" in request.POST or request.refusal:
        suggested = NewPasswordForm(student=student, initial={"password": passwords.suggest()})
        return _page(request, student, suggested, _PASSWORD, problem=request.refusal)
    form = NewPasswordForm(request.POST, student=student)
    response = _answer(request, student, form, _PASSWORD)
    if isinstance(response, HttpResponseRedirect):
        shown_password.give(request, response, response.url, form.cleaned_data["password"])
    return response


@role_required("admin", "sales", keeps_text=True)
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    student = student_for(request.identity, student_id)
    initial = {**of_student(student), **request.typed}
    form = CorrectionForm(request.POST or None, student=student, initial=initial)
    return _answer(request, student, form, _CORRECTION)


@role_required("admin", keeps_text=True)
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    student = student_for(request.identity, student_id)
    form = HandoverForm(request.POST or None, staff=register.all_staff(), initial=request.typed)
    return _answer(request, student, form, _HANDOVER)


@role_required("admin", keeps_text=True)
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    earlier = _earlier_deletion(request, student_id)
    if earlier is not None:
        return redirect_to_result(earlier)
    student = student_for(request.identity, student_id)
    form = DeletionForm(request.POST or None, student=student, initial=request.typed)
    return _answer(request, student, form, _DELETION)


def _earlier_deletion(request: IdentifiedRequest, student_id: UUID) -> StudentRequest | None:
    """The deletion that was already carried out when its button was tapped again."""
    if request.method != "POST":
        return None
    earlier = student_requests.find(_attempt(request), request.identity)
    if earlier is None or earlier.student_id != student_id:
        return None
    return earlier if earlier.kind == RequestKind.DELETION else None


def _answer(
    request: IdentifiedRequest,
    student: Student,
    form: ChangeForm,
    page: _Page,
) -> HttpResponse:
    """Show the page of an act, or carry the act out and redirect to its outcome."""
    if request.method != "POST" or request.refusal:
        return _page(request, student, form, page, problem=request.refusal)
    if not form.is_valid():
        return _page(request, student, form, page, status=400)
    try:
        asker, attempt = request.identity, _attempt(request)
        change = change_student(student.pk, form.change(asker), asker=asker, attempt=attempt)
        return redirect_to_result(change)
    except Problem as problem:
        for name, sentence in problem.fields.items():
            if name in form.fields:
                form.add_error(name, str(sentence))
        return _page(request, student, form, page, problem=problem)


def _attempt(request: IdentifiedRequest) -> UUID:
    try:
        return UUID(request.POST.get("attempt", ""))
    except ValueError as error:
        raise BadRequest from error


def _page(
    request: IdentifiedRequest,
    student: Student,
    form: forms.Form,
    page: _Page,
    *,
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "student": student,
        "form": form,
        "page": page,
        "problem": problem,
        # After a refusal it can be repeated, as another attempt.
        "attempt": uuid4() if problem else request.POST.get("attempt") or uuid4(),
    }
    status = problem.status if problem else status
    response = render(request, page.template, context, status=status)
    set_retry_after(response, problem)
    return response

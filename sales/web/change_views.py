"""The pages on which a student is changed, and the page that tells how it went."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onai.identity import password_rules
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.identity.staff import register
from onai.web.problems import BadRequest, NotFound, Problem, tell_when_to_retry
from sales import passwords
from sales.models import Change, ChangeKind, IntentionState, Student
from sales.permissions import SomebodyElsesStudent, may_act_on, student_for
from sales.provisioning import account_errors, changes
from sales.provisioning import change_refusals as refusals
from sales.provisioning.recording import find_change, is_latest_password
from sales.staff import manager_named
from sales.web import password_once
from sales.web.change_forms import (
    CorrectionForm,
    DeletionForm,
    HandoverForm,
    NewPasswordForm,
    StatusForm,
)

# After these one goes back to the student's card, which shows what has changed.
_SHOWN_ON_CARD = (ChangeKind.STATUS, ChangeKind.CORRECTION, ChangeKind.HANDOVER)


@dataclass(frozen=True, slots=True)
class _Page:
    """How the page of one act speaks. `hurts` marks what cannot be taken back."""

    title: str | Promise
    button: str | Promise
    busy: str | Promise
    template: str
    hurts: bool = False


_STATUS = _Page(_("Статус студента"), _("Сменить статус"), _("Меняем…"), "sales/change_status.html")
_PASSWORD = _Page(
    _("Новый пароль"),
    _("Сменить и отправить письмо"),
    _("Меняем…"),
    "sales/change_password.html",
)
_CORRECTION = _Page(
    _("Исправить имя или почту"), _("Сохранить"), _("Сохраняем…"), "sales/correct.html"
)
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
    form = StatusForm(request.POST or None, initial={"status": student.status, **request.typed})
    return _answer(
        request,
        student,
        form,
        _STATUS,
        lambda attempt: changes.change_status(
            student_id, form.new_status, asker=request.identity, attempt=attempt
        ),
    )


@role_required("admin", "sales", keeps_text=True)
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("form", "password")
def password(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    student = student_for(request.identity, student_id)
    password_rules.find_out(request.access_token)
    if request.method != "POST" or "suggest" in request.POST or request.refusal:
        suggested = NewPasswordForm(student=student, initial={"password": passwords.suggest()})
        return _page(request, student, suggested, _PASSWORD, problem=request.refusal)
    form = NewPasswordForm(request.POST, student=student)
    response = _answer(
        request,
        student,
        form,
        _PASSWORD,
        lambda attempt: changes.reset_password(
            student_id, form.cleaned_data["password"], asker=request.identity, attempt=attempt
        ),
    )
    if isinstance(response, HttpResponseRedirect):
        password_once.give(response, response.url, form.cleaned_data["password"])
    return response


@role_required("admin", "sales", keeps_text=True)
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    student = student_for(request.identity, student_id)
    known = {"email": student.email, "full_name": student.full_name, **request.typed}
    form = CorrectionForm(request.POST or None, student=student, initial=known)
    return _answer(
        request,
        student,
        form,
        _CORRECTION,
        lambda attempt: changes.correct(
            student_id,
            email=form.cleaned_data["email"],
            full_name=form.cleaned_data["full_name"],
            asker=request.identity,
            attempt=attempt,
        ),
    )


@role_required("admin", keeps_text=True)
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    student = student_for(request.identity, student_id)
    form = HandoverForm(request.POST or None, staff=register.everybody(), initial=request.typed)

    def act(attempt: UUID) -> Change:
        manager = manager_named(request.identity, UUID(form.cleaned_data["manager_id"]))
        return changes.hand_over(student_id, manager, asker=request.identity, attempt=attempt)

    return _answer(request, student, form, _HANDOVER, act)


@role_required("admin", keeps_text=True)
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    earlier = _earlier_deletion(request, student_id)
    if earlier is not None:
        return _follow(earlier)
    student = student_for(request.identity, student_id)
    form = DeletionForm(request.POST or None, student=student, initial=request.typed)
    return _answer(
        request,
        student,
        form,
        _DELETION,
        lambda attempt: changes.delete_student(student_id, asker=request.identity, attempt=attempt),
    )


def _earlier_deletion(request: IdentifiedRequest, student_id: UUID) -> Change | None:
    """What a second tap on the button has come too late for: there is no student any more."""
    if request.method != "POST":
        return None
    earlier = find_change(_attempt(request), request.identity)
    known = earlier is not None and (earlier.student_id, earlier.kind) == (
        student_id,
        ChangeKind.DELETION,
    )
    return earlier if known else None


@role_required("admin", "sales")
@require_safe
def change(request: IdentifiedRequest, change_id: UUID) -> HttpResponse:
    """How a change ended, or that it has not yet. A new password is on it once."""
    found = find_change(change_id, request.identity)
    if found is None:
        raise NotFound
    if found.state == IntentionState.DONE and found.kind in _SHOWN_ON_CARD:
        return _follow(found)
    is_open = found.state == IntentionState.OPEN
    student = Student.objects.filter(pk=found.student_id).first()
    if student is not None and not may_act_on(request.identity, student):
        raise SomebodyElsesStudent  # Handed over meanwhile, and no more the asker's to see.
    context = {
        "change": found,
        "is_open": is_open,
        "may_be_ended_at": found.created_at + account_errors.NOTHING_UNDER_WAY_AFTER,
        "now": timezone.now(),
        "refusal": None if is_open or not found.refusal else refusals.by_code(found.refusal),
        "student": student,
        "letter": student.latest_letter if student else None,
        "password": password_once.read(request, request.path)
        if is_latest_password(found)
        else None,
        "platform_url": settings.PLATFORM_LOGIN_URL,
    }
    response = render(request, "sales/changed.html", context)
    if not is_open and request.method == "GET":
        password_once.take_back(response, request.path)
    return response


@role_required("admin")
@require_POST
def end_change(request: IdentifiedRequest, change_id: UUID) -> HttpResponse:
    """End a change that nobody can finish, so that its student is free again."""
    found = find_change(change_id, request.identity)
    if found is None:
        raise NotFound
    ended = changes.give_up(change_id, by=request.identity.user_id)
    found.refresh_from_db()
    if not ended and found.state == IntentionState.OPEN:
        raise refusals.ChangeTooNew
    return redirect("change", change_id)


def _answer(
    request: IdentifiedRequest,
    student: Student,
    form: forms.Form,
    page: _Page,
    act: Callable[[UUID], Change],
) -> HttpResponse:
    """The page of an act, or the act and then how it went."""
    if request.method != "POST" or request.refusal:
        return _page(request, student, form, page, problem=request.refusal)
    if not form.is_valid():
        return _page(request, student, form, page, status=400)
    try:
        return _follow(act(_attempt(request)))
    except Problem as problem:
        for name, sentence in problem.fields.items():
            if name in form.fields:
                form.add_error(name, str(sentence))
        return _page(request, student, form, page, problem=problem)


def _follow(change: Change) -> HttpResponseRedirect:
    if change.state == IntentionState.DONE and change.kind in _SHOWN_ON_CARD:
        card = reverse("student", args=[change.student_id])
        return HttpResponseRedirect(f"{card}?done={change.pk}")
    return HttpResponseRedirect(reverse("change", args=[change.pk]))


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
        # Refused, it may be asked for again, as another attempt.
        "attempt": uuid4() if problem else request.POST.get("attempt") or uuid4(),
    }
    status = problem.status if problem else status
    response = render(request, page.template, context, status=status)
    tell_when_to_retry(response, problem)
    return response

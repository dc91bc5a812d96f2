"""«Письмо не дошло?»: a student's letter once more, to another address, or with a new password."""

from uuid import UUID, uuid4

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from onai.identity import passwords
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.web.problems import BadRequest, Problem, set_retry_after
from sales import letters, messenger, supabase_users
from sales.letters.addresses import is_suppressed, other_addresses
from sales.models import Student
from sales.permissions import student_for
from sales.provisioning.change_student import change_student
from sales.provisioning.send_letter_again import (
    attempt_for,
    can_be_sent_again,
    send_letter_again,
)
from sales.web import shown_password
from sales.web.change_forms import NewAddressForm
from sales.web.letters.state import letter_notice
from sales.web.request_views import redirect_to_result


@role_required("admin", "sales")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def letter(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    """The page with three ways to get a letter to the student. A POST sends it again, or to another
    address."""
    student = student_for(request.identity, student_id)
    passwords.find_out_rules(request.access_token)
    if request.method != "POST":
        suggested = {"email": request.GET.get("email", ""), "password": passwords.suggest()}
        return _page(request, student, NewAddressForm(student=student, initial=suggested))
    if request.POST.get("how") == "address":
        return _send_to_another_address(request, student)
    return _send_again(request, student)


def _send_again(request: IdentifiedRequest, student: Student) -> HttpResponse:
    try:
        send_letter_again(
            student.pk,
            asker=request.identity,
            attempt=_attempt(request),
            despite_list="despite_list" in request.POST,
        )
    except Problem as problem:
        form = NewAddressForm(student=student, initial={"password": passwords.suggest()})
        return _page(request, student, form, problem=problem)
    return redirect("student", student.pk)


@sensitive_variables("form")
def _send_to_another_address(request: IdentifiedRequest, student: Student) -> HttpResponse:
    form = NewAddressForm(request.POST, student=student)
    if not form.is_valid():
        return _page(request, student, form, status=400)
    asker = request.identity
    try:
        change = change_student(
            student.pk, form.change(asker), asker=asker, attempt=_attempt(request)
        )
    except Problem as problem:
        for name, sentence in problem.fields.items():
            form.add_error(name if name in form.fields else "email", str(sentence))
        return _page(request, student, form, problem=problem)
    response = redirect_to_result(change)
    if change.reissues and form.cleaned_data["password"]:
        shown_password.give(request, response, response.url, form.cleaned_data["password"])
    return response


def _attempt(request: IdentifiedRequest) -> UUID:
    try:
        return UUID(request.POST["attempt"]) if request.POST.get("attempt") else uuid4()
    except ValueError as error:
        raise BadRequest from error


def _page(
    request: IdentifiedRequest,
    student: Student,
    form: NewAddressForm,
    *,
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponse:
    latest = student.latest_letter
    is_same_attempt = form.is_bound and problem is None
    context = {
        "student": student,
        "notice": letter_notice(student, latest, request.identity),
        "form": form,
        "problem": problem,
        "attempt": attempt_for(latest),
        "address_attempt": request.POST.get("attempt") if is_same_attempt else uuid4(),
        "can_be_sent_again": latest is not None and can_be_sent_again(student, latest),
        "kept_hours": round(letters.PASSWORD_KEPT.total_seconds() / 3600),
        "is_suppressed": is_suppressed(student.email),
        "what_is_sent": _what_is_sent(student),
        "others": other_addresses([student]).get(student.pk, []),
        "message": messenger.reminder(student, language=letters.language_of(student)),
    }
    status = problem.status if problem else status
    response = render(request, "sales/letter_again.html", context, status=status)
    set_retry_after(response, problem)
    return response


def _what_is_sent(student: Student) -> str:
    """What a letter to another address holds, and what of the former one still works."""
    if supabase_users.last_sign_in_at(student.user_id) is not None:
        return _("Вход уже был: на новый адрес уйдёт новый логин, пароль останется прежним.")
    return _(
        "Входа ещё не было: на новый адрес уйдут логин и новый пароль, а тот, что в прежнем"
        " письме, перестанет действовать."
    )

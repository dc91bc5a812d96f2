"""The API that creates a student. It shares its form and its function with the page."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from onai.identity import passwords
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.web.address_form import InvalidInput, refuse_errors
from onai.web.api.openapi import Operation, describes
from onai.web.api.shapes import BadJson, NotJson, read_body
from onai.web.problems import BadRequest
from onai.web.request_limits import BodyTooLarge, LengthRequired
from sales.provisioning import problems, student_requests
from sales.provisioning.create_student import create_student
from sales.web.forms import StudentForm
from sales.web.wire import CreatedStudent, StudentToCreate, created

_LONGEST_KEY = 255
_NOT_OF_CREATION = (problems.StudentGone, problems.DeletionForbidden, problems.PasswordLost)


class EmailInDoubt(InvalidInput):
    code = "email_in_doubt"
    message = _("В адресе, похоже, опечатка.")
    advice = _('Исправьте его или отправьте ещё раз с "confirm_email": true.')


class BadIdempotencyKey(BadRequest):
    code = "bad_idempotency_key"
    message = _("Idempotency-Key — от 1 до 255 печатных символов ASCII.")


CREATION = Operation(
    answer=CreatedStudent,
    body=StudentToCreate,
    status=201,
    headers=(
        (
            "Idempotency-Key",
            "the same request with it gets the same answer for 30 days, another body is 409",
        ),
    ),
    problems=(
        *(EmailInDoubt, BadJson, BadIdempotencyKey, NotJson, BodyTooLarge, LengthRequired),
        *(one for one in problems.Refused.__subclasses__() if one not in _NOT_OF_CREATION),
        *(problems.InProgress, problems.KeyUsedOtherwise, problems.StillCreating),
        *(problems.OnlyAdminsAdopt, problems.NothingToAdopt),
    ),
)


@role_required("admin", "sales")
@require_POST
@sensitive_variables("form")
@describes(CREATION)
def create(request: IdentifiedRequest) -> HttpResponse:
    """Create a student.

    A body is at most 16 KB. `still_creating` means that the outcome is not known yet: repeat the
    request with the same key to learn it. Any other refusal has created nothing.
    """
    key = _idempotency_key(request)
    body = read_body(request, StudentToCreate)
    passwords.find_out_rules(request.access_token)
    form = StudentForm(body)
    doubtful = list(form.errors) == ["email"] and form.asks_about_email
    refuse_errors(form, refusal=EmailInDoubt if doubtful else InvalidInput)
    progress = create_student(
        form.new_student(request.identity), asker=request.identity, idempotency_key=key
    )
    if progress.request.answer is not None:
        return _created(progress.request.answer)
    if progress.request.is_open:
        raise problems.StillCreating
    if progress.student is None:
        raise problems.KeyUsedOtherwise(_("Студент, созданный с этим ключом, уже удалён."))
    answer = created(progress.student, progress.letter).model_dump(mode="json")
    if key is not None:
        student_requests.remember_answer(progress.request, answer)
    return _created(answer)


def _created(answer: Mapping[str, Any]) -> HttpResponse:
    """The answer to a creation, or to its first request: a kept answer may be of another version
    and have another order of keys."""
    in_order = {"ensure_ascii": False, "sort_keys": True}
    response = JsonResponse(answer, status=201, json_dumps_params=in_order)
    response["Location"] = reverse("student", args=[answer["user"]["id"]])
    return response


def _idempotency_key(request: HttpRequest) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not (1 <= len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        raise BadIdempotencyKey
    return key

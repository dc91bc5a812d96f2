"""The API that creates a student. It shares its form and its function with the page."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from onai.identity import password_rules
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.web.address_form import InvalidInput, refuse_errors
from onai.web.problems import BadRequest, Problem, Sentence
from onai.web.request_limits import BodyTooLarge, LengthRequired
from sales.provisioning import problems, student_requests
from sales.provisioning.create_student import create_student
from sales.web import wire
from sales.web.forms import StudentForm

_LARGEST_BODY_BYTES = 16 * 1024
_LONGEST_KEY = 255
_TEXTS = ("email", "full_name", "password", "manager_id")
_YES_OR_NO = ("adopt", "confirm_email")


class NotJson(Problem):
    status = 415
    code = "not_json"
    message = _("Тело запроса должно быть JSON с Content-Type: application/json.")


class BadJson(BadRequest):
    code = "bad_json"
    message = _("Тело запроса не читается как объект JSON в UTF-8.")


class EmailInDoubt(InvalidInput):
    code = "email_in_doubt"
    message = _("В адресе, похоже, опечатка.")
    advice = _('Исправьте его или отправьте ещё раз с "confirm_email": true.')


class BadIdempotencyKey(BadRequest):
    code = "bad_idempotency_key"
    message = _("Idempotency-Key — от 1 до 255 печатных символов ASCII.")


@role_required("admin", "sales")
@require_POST
@sensitive_variables("form")
def create(request: IdentifiedRequest) -> HttpResponse:
    key = _idempotency_key(request)
    body = _body(request)
    password_rules.find_out(request.access_token)
    form = _form(body)
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
    answer = wire.created(progress.student, progress.letter)
    if key is not None:
        student_requests.remember_answer(progress.request, answer)
    return _created(answer)


def _created(answer: Any) -> HttpResponse:
    # A repeated answer comes from the database, which keeps no order of its keys.
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


@sensitive_variables()
def _body(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object, with keys and types we know and no others."""
    if request.content_type != "application/json":
        raise NotJson
    if not request.META.get("CONTENT_LENGTH"):
        raise LengthRequired
    if int(request.META["CONTENT_LENGTH"]) > _LARGEST_BODY_BYTES:
        raise BodyTooLarge(_("Тело запроса больше 16 КБ."))
    try:
        body = json.loads(request.body.decode("utf-8"), object_pairs_hook=_once_each)
        json.dumps(body, ensure_ascii=False).encode()  # no half characters, as \ud800 is one
    except (ValueError, RecursionError) as error:
        raise BadJson from error
    if not isinstance(body, dict):
        raise BadJson
    if wrong := _wrong_fields(body):
        raise InvalidInput(fields=wrong)
    return body


def _wrong_fields(body: dict[str, Any]) -> dict[str, Sentence]:
    wrong: dict[str, Sentence] = {
        name: _("Такого поля нет.") for name in body if name not in (*_TEXTS, *_YES_OR_NO)
    }
    for name in _TEXTS:
        if not isinstance(body.get(name), str | None):
            wrong[name] = _("Здесь должна быть строка.")
    for name in _YES_OR_NO:
        if not isinstance(body.get(name), bool | None):
            wrong[name] = _("Здесь должно быть true или false.")
    return wrong


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _form(body: dict[str, Any]) -> StudentForm:
    return StudentForm({name: value for name, value in body.items() if value is not None})

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
from onai.web.problems import BadRequest, Problem, Sentence
from onai.web.request_limits import BodyTooLarge, LengthRequired
from sales.models import IntentionState
from sales.provisioning import refusals
from sales.provisioning.creation import create_student
from sales.provisioning.intentions import remember_answer
from sales.staff import manager_named
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
    if not form.is_valid():
        doubtful = form.asks_about_email and list(form.errors) == ["email"]
        refusal = refusals.EmailInDoubt if doubtful else refusals.InvalidInput
        raise refusal(fields=_sentences(form))
    creation = create_student(
        form.new_student,
        asker=request.identity,
        manager=manager_named(request.identity, form.cleaned_data["manager_id"]),
        idempotency_key=key,
        adopt=form.cleaned_data["adopt"],
    )
    if creation.answer is not None:
        return _created(creation.answer)
    if creation.state == IntentionState.OPEN:
        raise refusals.StillCreating
    if creation.student is None:
        raise refusals.KeyUsedOtherwise(_("Студент, созданный с этим ключом, уже удалён."))
    answer = wire.created(creation.student, creation.letter)
    if key is not None:
        remember_answer(creation.id, answer)
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
        raise refusals.InvalidInput(fields=wrong)
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


def _sentences(form: StudentForm) -> dict[str, str]:
    return {name: " ".join(map(str, errors)) for name, errors in form.errors.items()}

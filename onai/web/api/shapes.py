"""The JSON API: the shapes of what it reads and answers, and how they are read and written.

Shapes are pydantic models: what is answered and what `/api/openapi.json` says of it are one thing.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from pydantic import (
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from onai.web.address_form import InvalidInput
from onai.web.problems import BadRequest, Problem, Sentence
from onai.web.request_limits import BodyTooLarge, LengthRequired

_LARGEST_BODY_BYTES = 16 * 1024
_WRONG: Mapping[str, Sentence] = {
    "extra_forbidden": _("Такого поля нет."),
    "string_type": _("Здесь должна быть строка."),
    "bool_type": _("Здесь должно быть true или false."),
}


def utc_timestamp(moment: datetime) -> str:
    """A moment as the API writes it: `2025-12-22T18:55:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(utc_timestamp)]
Seconds = Annotated[timedelta, PlainSerializer(lambda span: int(span.total_seconds()), int)]
# A text that may be a lazy translation, and one that is null where it is empty.
Text = Annotated[str, BeforeValidator(str)]
TextOrNull = Annotated[str | None, BeforeValidator(lambda text: text or None)]


class Shape(BaseModel):
    """A JSON object with camelCase keys, made of the attributes of another object."""

    model_config = ConfigDict(
        from_attributes=True,
        frozen=True,
        alias_generator=AliasGenerator(serialization_alias=to_camel),
        serialize_by_alias=True,
    )


class Merged:
    """Several objects as one: an attribute is of the first that has it."""

    def __init__(self, *parts: object) -> None:
        self._parts = parts

    def __getattr__(self, name: str) -> Any:
        for part in self._parts:
            if hasattr(part, name):
                return getattr(part, name)
        raise AttributeError(name)


class Body(BaseModel):
    """A JSON object that is sent to the API: these keys, of these types, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NotJson(Problem):
    status = 415
    code = "not_json"
    message = _("Тело запроса должно быть JSON с Content-Type: application/json.")


class BadJson(BadRequest):
    code = "bad_json"
    message = _("Тело запроса не читается как объект JSON в UTF-8.")


def json_text(shape: Shape) -> str:
    """The shape as JSON. Keys that were not set are left out."""
    return shape.model_dump_json(exclude_unset=True)


def json_answer(shape: Shape, *, status: int = 200) -> HttpResponse:
    """The shape as a response."""
    return HttpResponse(json_text(shape), content_type="application/json", status=status)


@sensitive_variables()
def read_body(request: HttpRequest, kind: type[Body]) -> dict[str, Any]:
    """The request's JSON object without what is null. Raises a Problem where it does not fit."""
    if request.content_type != "application/json":
        raise NotJson
    if not request.META.get("CONTENT_LENGTH"):
        raise LengthRequired
    if int(request.META["CONTENT_LENGTH"]) > _LARGEST_BODY_BYTES:
        raise BodyTooLarge(_("Тело запроса больше 16 КБ."))
    try:
        body = json.loads(request.body.decode("utf-8"), object_pairs_hook=_each_key_once)
        json.dumps(body, ensure_ascii=False).encode()  # no half characters, as \ud800 is one
    except (ValueError, RecursionError) as error:
        raise BadJson from error
    if not isinstance(body, dict):
        raise BadJson
    try:
        return kind.model_validate(body).model_dump(exclude_none=True)
    except ValidationError as error:
        wrong = {str(one["loc"][0]): _WRONG[one["type"]] for one in error.errors()}
    # Not from the error, which holds what was sent: a password, for one.
    raise InvalidInput(fields=wrong)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found

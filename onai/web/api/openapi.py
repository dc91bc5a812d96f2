"""What the API says of itself, made from the code: `/api/openapi.json`, in OpenAPI 3.1."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django import forms
from django.http import QueryDict
from django.urls import URLPattern, URLResolver, get_resolver
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from onai.web.address_form import AddressForm, InvalidInput
from onai.web.api.shapes import Body, Shape
from onai.web.problems import (
    BadRequest,
    DatabaseBusy,
    DatabaseUnavailable,
    MethodNotAllowed,
    Problem,
    ProblemShape,
    SignInRequired,
    WrongRole,
)

_ABOUT = """\
Send `Authorization: Bearer <access token>` (from Supabase Auth, \
`POST /auth/v1/token?grant_type=password`), or the browser's session, which then needs the CSRF \
token to write. Moments are in UTC, days are business days in Almaty, both ends included. \
Parameters of other names are ignored, since links are sent on with `utm_…` and the like; one that \
takes a single value and is given several that differ is `invalid_input`. More keys may be added \
to an answer; none is taken away.\
"""
_ANYWHERE = (BadRequest, SignInRequired, WrongRole, MethodNotAllowed, DatabaseUnavailable)
_SCHEMAS = "#/components/schemas/"
_View = TypeVar("_View", bound=Callable[..., Any])
_Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """What an address answers, and what it reads: a query by forms, or a body.

    `problems` are those that only this address knows.
    """

    answer: type[Shape]
    query: tuple[type[AddressForm], ...] = ()
    body: type[Body] | None = None
    status: int = 200
    problems: tuple[type[Problem], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


def describes(operation: Operation) -> Callable[[_View], _View]:
    """Say of a view of the API what it reads and answers; its docstring says what it is for."""

    def decorate(view: _View) -> _View:
        vars(view)["operation"] = operation
        return view

    return decorate


@cache
def description(session_cookie: str) -> _Json:
    """The whole API. `session_cookie` is the name of the cookie that a browser signs in with."""
    described = [
        (path, view, view.operation)
        for path, view in sorted(_views(get_resolver().url_patterns), key=lambda one: one[0])
        if hasattr(view, "operation")
    ]
    return {
        "openapi": "3.1.0",
        "info": {"title": "onAI sales desk", "version": "1", "description": _ABOUT},
        "security": [{"bearer": []}, {"session": []}],
        "paths": {
            path: {"post" if operation.body else "get": _operation(path, view, operation)}
            for path, view, operation in described
        },
        "components": {
            "schemas": _schemas(operation for _path, _view, operation in described),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "session": {"type": "apiKey", "in": "cookie", "name": session_cookie},
            },
        },
    }


def _views(patterns: Iterable[URLPattern | URLResolver], prefix: str = "/") -> Iterator[Any]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, path)
        else:
            yield re.sub(r"<\w+:(\w+)>", r"{\1}", path), pattern.callback


def _schemas(operations: Iterable[Operation]) -> _Json:
    models: list[tuple[type[BaseModel], Any]] = [(ProblemShape, "serialization")]
    for operation in operations:
        models.append((operation.answer, "serialization"))
        if operation.body:
            models.append((operation.body, "validation"))
    _by_model, found = models_json_schema(models, ref_template=f"{_SCHEMAS}{{model}}")
    schemas: _Json = found["$defs"]
    return schemas


def _operation(path: str, view: Any, operation: Operation) -> _Json:
    summary, _blank, more = inspect.getdoc(view).partition("\n\n")  # type: ignore[union-attr]
    described: _Json = {
        "operationId": view.__name__,
        "summary": _one_line(summary),
        "description": "\n\n".join(
            filter(None, (_one_line(more), f"For: {', '.join(sorted(view.roles))}."))
        ),
        "parameters": _parameters(path, operation),
        "responses": _responses(operation),
    }
    if operation.body:
        described["requestBody"] = {"required": True, "content": _content(operation.body)}
    return described


def _one_line(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _parameters(path: str, operation: Operation) -> list[_Json]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    in_headers = [
        {"name": name, "in": "header", "description": said, "schema": {"type": "string"}}
        for name, said in operation.headers
    ]
    in_query = [
        {"name": name, "in": "query", "description": form.parameters[name], "schema": schema}
        for form in operation.query
        for name, schema in _fields(form)
    ]
    return [*in_path, *in_headers, *in_query]


def _fields(form: type[AddressForm]) -> Iterator[tuple[str, _Json]]:
    for name, field in form(QueryDict()).fields.items():
        yield name, _schema_of(field)


def _schema_of(field: forms.Field) -> _Json:
    match field:
        case forms.ChoiceField():
            choices: Any = field.choices
            return {"type": "string", "enum": [str(value) for value, _label in choices if value]}
        case forms.DateField():
            return {"type": "string", "format": "date"}
        case forms.IntegerField():
            return {"type": "integer", "minimum": field.min_value, "maximum": field.max_value}
        case forms.CharField(max_length=int(longest)):
            return {"type": "string", "maxLength": longest}
        case _ if isinstance(field.widget, forms.MultipleHiddenInput):
            return {"type": "array", "items": {"type": "string"}}
    return {"type": "string"}


def _responses(operation: Operation) -> _Json:
    codes: dict[int, list[str]] = {}
    problems: list[type[Problem]] = [*_ANYWHERE, DatabaseBusy, *operation.problems]
    if operation.query or operation.body:
        problems.append(InvalidInput)
    for problem in problems:
        codes.setdefault(problem.status, []).append(problem.code)
    good = {"description": "The answer", "content": _content(operation.answer)}
    return {
        str(operation.status): good,
        **{
            str(status): {
                "description": ", ".join(f"`{code}`" for code in dict.fromkeys(codes[status])),
                "content": _content(ProblemShape),
            }
            for status in sorted(codes)
        },
    }


def _content(shape: type[BaseModel]) -> _Json:
    return {"application/json": {"schema": {"$ref": f"{_SCHEMAS}{shape.__name__}"}}}

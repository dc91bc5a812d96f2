"""Failures that a person should hear of, and the one place that turns them into answers.

Code raises a `Problem` where it knows of one; here it becomes a page, or JSON under `/api/` and
`/webhooks/`.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import django.db
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

from onai.db import outage

logger = logging.getLogger(__name__)

Sentence = str | Promise


@dataclass(frozen=True, slots=True)
class Link:
    """A page that a problem leads to."""

    text: Sentence
    address: str


class Problem(Exception):
    """A failure with a sentence for the person who met it.

    `status` is the HTTP status, `code` a stable word for programs, `message` the Russian
    sentence, `advice` what the person can do, `fields` the sentences beside bad input fields,
    `link` a page that says more.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    message: Sentence = _("Что-то сломалось на нашей стороне.")
    advice: Sentence = _("Мы уже видим эту ошибку. Попробуйте ещё раз через минуту.")
    retry_after_seconds: int | None = None

    def __init__(
        self,
        message: Sentence | None = None,
        *,
        fields: Mapping[str, Sentence] | None = None,
        link: Link | None = None,
    ) -> None:
        self.message = message or type(self).message
        self.fields = dict(fields or {})
        self.link = link
        super().__init__(str(self.code))


class ProblemShape(BaseModel):
    """A failure, anywhere in the API. `error` is a sentence for a person, `code` a stable word for
    programs; `fields` has a sentence for each field or parameter that is wrong."""

    success: Literal[False]
    error: str
    code: str
    fields: dict[str, str] | None = None


class BadRequest(Problem):
    status = 400
    code = "bad_request"
    message = _("Такой запрос сервер не понимает.")
    advice = _("Вернитесь назад, обновите страницу и попробуйте ещё раз.")


class SignInRequired(Problem):
    status = 401
    code = "sign_in_required"
    message = _("Нужно войти.")
    advice = _("Войдите и повторите запрос.")


class WrongRole(Problem):
    status = 403
    code = "wrong_role"
    message = _("У вашей учётной записи нет доступа к этому разделу.")
    advice = _("Войдите под другой учётной записью или попросите доступ у администратора.")


class StaleForm(Problem):
    status = 403
    code = "csrf_failed"
    message = _("Страница устарела, поэтому форма не отправлена.")
    advice = _("Вернитесь назад, обновите страницу и отправьте форму ещё раз.")


class NotFound(Problem):
    status = 404
    code = "not_found"
    message = _("Такой страницы нет.")
    advice = _("Проверьте адрес или начните с главной.")


class MethodNotAllowed(Problem):
    status = 405
    code = "method_not_allowed"
    message = _("По этому адресу так обратиться нельзя.")
    advice = _("Вернитесь назад и нажмите кнопку ещё раз.")


class DatabaseUnavailable(Problem):
    status = 503
    code = "database_unavailable"
    message = _("База данных сейчас не отвечает.")
    advice = _("Данные не потеряны. Попробуйте ещё раз через минуту.")
    retry_after_seconds = 30


class DatabaseBusy(DatabaseUnavailable):
    """The database is there, but would take longer than anybody should wait."""

    code = "database_busy"
    message = _("База данных отвечает слишком медленно.")


def is_api(request: HttpRequest) -> bool:
    """Whether the client is a program, which gets failures in JSON."""
    return request.path.startswith(("/api/", "/webhooks/"))


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The response for `problem`, as a page or as JSON."""
    response: HttpResponse
    if is_api(request):
        fields = {name: str(text) for name, text in problem.fields.items()} or None
        shape = ProblemShape(
            success=False, error=str(problem.message), code=problem.code, fields=fields
        )
        content = shape.model_dump_json(exclude_none=True)
        response = HttpResponse(content, "application/json", problem.status)
    else:
        response = render(request, "problem.html", {"problem": problem}, status=problem.status)
    if problem.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    set_retry_after(response, problem)
    response["Cache-Control"] = "private, no-store"
    return response


def set_retry_after(response: HttpResponse, problem: Problem | None) -> None:
    """Send `Retry-After` where the problem knows a time; also for pages that show it in place."""
    if problem is not None and problem.retry_after_seconds is not None:
        response["Retry-After"] = str(problem.retry_after_seconds)


class ProblemMiddleware:
    """Turns an exception of a view into an answer. Anything unknown stays a crash."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405:
            told = answer(request, MethodNotAllowed())
            told["Allow"] = response["Allow"]
            return told
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Problem):
            return answer(request, exception)
        if isinstance(exception, Http404):
            return answer(request, NotFound())
        if isinstance(exception, PermissionDenied):
            return answer(request, WrongRole())
        if isinstance(exception, django.db.DataError) and request.method in ("GET", "HEAD"):
            # Not an outage, but a value in the address that no row can hold. The database's message
            # is not logged, because it may quote a search.
            logger.error("value_refused_by_database", extra={"page": request.path})
            return answer(request, BadRequest())
        if isinstance(exception, django.db.OperationalError | django.db.InterfaceError):
            logger.error("database_unavailable", exc_info=exception)
            slow = outage.reason(exception) in (outage.Reason.SLOW, outage.Reason.DEADLINE)
            return answer(request, DatabaseBusy() if slow else DatabaseUnavailable())
        return None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, BadRequest())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, Problem())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    # Django's own record holds the address, also after the dash.
    logger.warning("form_refused", extra={"reason": reason.partition(" - ")[0]})
    # A program without a session is told so, and not that its page is old.
    nobody = is_api(request) and getattr(request, "identity", None) is None
    return answer(request, SignInRequired() if nobody else StaleForm())

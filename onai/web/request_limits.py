"""Which requests are accepted: for a host of ours, short, and readable.

No form of the product needs more than 64 KB, and none accepts a file.
"""

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest as UnreadableRequest
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.translation import gettext_lazy as _

from onai.web.problems import BadRequest, Problem, answer, is_api

logger = logging.getLogger(__name__)

_MOST_DIGITS = 18


class BodyTooLarge(Problem):
    status = 413
    code = "body_too_large"
    message = _("Запрос слишком большой.")
    advice = _("Отправьте меньше текста: форме хватает 64 КБ, файлы сайт не принимает.")


class LengthRequired(Problem):
    status = 411
    code = "length_required"
    message = _("Тело запроса нужно отправить с заголовком Content-Length.")


class RequestLimitsMiddleware:
    """Refuses a body that is too large before a byte of it is read, and a request that cannot be
    parsed.

    Host, query and body are parsed here once, so that no view and no error page fails over them. In
    development Django's own answer to too many fields is a page that parses them again.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _drop_disguised_cookies(request)
        problem = _length_problem(request) or _parsing_problem(request)
        return answer(request, problem) if problem else self.get_response(request)


def _drop_disguised_cookies(request: HttpRequest) -> None:
    """Leave out cookies with characters that none of ours has.

    Django strips every kind of space off a cookie's name, a browser only its own. To the browser a
    name behind U+2000 does not begin with `__Host-`, so a neighbouring host may set it.
    """
    cookies = request.META.get("HTTP_COOKIE", "")
    if not (cookies.isascii() and cookies.isprintable()):
        ours = (one for one in cookies.split(";") if one.isascii() and one.isprintable())
        request.META["HTTP_COOKIE"] = ";".join(ours)


def _length_problem(request: HttpRequest) -> Problem | None:
    if "Transfer-Encoding" in request.headers:
        return LengthRequired()  # Django treats a body of unknown length as empty.
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return BadRequest()
    if len(length) > _MOST_DIGITS or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return BodyTooLarge()
    return None


def _parsing_problem(request: HttpRequest) -> Problem | None:
    try:
        request.get_host()
        # The body first, because a body in memory can be read again.
        request.body, request.GET, request.POST  # noqa: B018
    except MultiPartParserError as error:
        # The API does not read forms, and says itself what it accepts.
        return None if is_api(request) else _unreadable(error)
    except (SuspiciousOperation, UnreadableRequest, UnreadablePostError) as error:
        return _unreadable(error)
    return None


def _unreadable(error: Exception) -> Problem:
    logger.warning("request_refused", extra={"reason": type(error).__name__})
    return BadRequest()

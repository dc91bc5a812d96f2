"""Webhooks of other services: Resend reports what became of a letter."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import resend
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from onai.web.problems import BadRequest, NotFound, Problem
from sales.letters import events

logger = logging.getLogger(__name__)

_SIGNED_HEADERS = ("id", "timestamp", "signature")


class WrongSignature(Problem):
    status = 401
    code = "wrong_signature"
    message = _("Подпись события неверна, устарела или её нет.")
    advice = _("Сверьте RESEND_WEBHOOK_SECRET с вебхуком в Resend.")


class UnreadableEvent(BadRequest):
    code = "unreadable_event"
    message = _("Тело события не читается как объект JSON в UTF-8.")


@csrf_exempt
@require_POST
@sensitive_variables("event")
def resend_event(request: HttpRequest) -> HttpResponse:
    """Store a signed event of Resend's, and answer at once; the worker does the rest.

    The sender has no account and is identified by the signature. Repeated and unknown events are
    answered 200, because Resend would send them again otherwise.
    """
    if not settings.RESEND_WEBHOOK_SECRET:
        raise NotFound
    event = _verified(request, settings.RESEND_WEBHOOK_SECRET)
    events.receive(request.headers["svix-id"], event)
    return JsonResponse({"success": True})


@sensitive_variables()
def _verified(request: HttpRequest, secret: str) -> Mapping[str, Any]:
    """The event of a request that was signed within the last five minutes. Raises a `Problem`."""
    headers = {name: request.headers.get(f"svix-{name}", "") for name in _SIGNED_HEADERS}
    if not all(headers.values()):
        raise WrongSignature
    try:
        # The raw body: JSON that was parsed and written again has another signature.
        payload = request.body.decode()
        if not payload:
            raise UnreadableEvent
        event: object = resend.Webhooks.verify(
            {
                "payload": payload,
                "headers": {
                    "id": headers["id"],
                    "timestamp": headers["timestamp"],
                    "signature": headers["signature"],
                },
                "webhook_secret": secret,
            }
        )
    except (UnicodeDecodeError, RecursionError):
        raise UnreadableEvent from None
    except ValueError as error:
        if isinstance(error.__cause__, json.JSONDecodeError):
            raise UnreadableEvent from None
        logger.warning("letter_event_refused", extra={"reason": str(error)[:100]})
        raise WrongSignature from None
    if not isinstance(event, Mapping):
        raise UnreadableEvent
    return event

"""Resend's API, as far as the product and its tests use it."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from onai.local.auth.keys import Keys
from onai.local.auth.wire import read_json
from onai.local.mail import webhook
from onai.local.mail.models import Letter, Suppression

_KEY_LENGTH = 256
_KEY_LIVES = timedelta(hours=24)
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


class Refusal(Exception):
    """A refusal in Resend's words."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(name)
        self.body = {"statusCode": status, "name": name, "message": message}


View = Callable[..., dict[str, Any]]


def _answers(method: str, *, full_access: bool = True) -> Callable[[View], Callable[..., Any]]:
    """Make an endpoint of the API. `full_access`: a key that may only send is refused."""

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @wraps(view)
        def answer(request: HttpRequest, **path: Any) -> HttpResponse:
            try:
                if request.method != method:
                    raise Refusal(
                        405, "method_not_allowed", "Method is not allowed for the requested path"
                    )
                _check_api_key(request, full_access=full_access)
                return JsonResponse(view(request, **path))
            except Refusal as refused:
                return JsonResponse(refused.body, status=refused.body["statusCode"])

        return answer

    return decorate


@_answers("POST", full_access=False)
def emails(request: HttpRequest) -> dict[str, Any]:
    letter, is_new = _accept(request)
    if is_new:
        webhook.send_own_events(letter)
    return {"id": str(letter.id)}


@_answers("GET")
def email(request: HttpRequest, letter_id: UUID) -> dict[str, Any]:
    letter = Letter.objects.filter(pk=letter_id).first()
    if letter is None:
        raise Refusal(404, "not_found", "Email not found")
    return {
        "object": "email",
        "id": str(letter.pk),
        "message_id": f"<{letter.pk}@onai.test>",
        "to": letter.recipients,
        "from": letter.sender,
        "created_at": letter.created_at.isoformat(),
        "subject": letter.subject,
        "html": letter.html,
        "text": letter.text,
        "bcc": [],
        "cc": [],
        "reply_to": letter.reply_to.split(", ") if letter.reply_to else [],
        "last_event": letter.last_event,
        "scheduled_at": None,
        "tags": letter.tags,
    }


@_answers("GET")
def domains(request: HttpRequest) -> dict[str, Any]:
    domain = parseaddr(settings.RESEND_FROM_EMAIL)[1].partition("@")[2]
    ours = {"id": str(UUID(int=1)), "name": domain, "status": "verified", "region": "eu-west-1"}
    return {"object": "list", "has_more": False, "data": [ours]}


@_answers("GET")
def suppressions(request: HttpRequest) -> dict[str, Any]:
    data = [
        {"object": "suppression", "id": one.email, "email": one.email, "origin": one.origin}
        for one in Suppression.objects.order_by("created_at")
    ]
    return {"object": "list", "has_more": False, "data": data}


@_answers("DELETE")
def suppression(request: HttpRequest, email: str) -> dict[str, Any]:
    deleted, _by_model = Suppression.objects.filter(email=email.lower()).delete()
    if not deleted:
        raise Refusal(404, "not_found", "Suppression not found")
    return {"object": "suppression", "id": email, "deleted": True}


def _accept(request: HttpRequest) -> tuple[Letter, bool]:
    """The letter, and whether it is new under its idempotency key."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= _KEY_LENGTH:
        raise Refusal(400, "invalid_idempotency_key", "The key must be between 1-256 chars")
    letter = _read(request.body)
    letter.idempotency_key = key
    Letter.objects.filter(idempotency_key=key, created_at__lt=timezone.now() - _KEY_LIVES).update(
        idempotency_key=None
    )
    try:
        with transaction.atomic(using="mailbox"):
            letter.save(force_insert=True)
    except IntegrityError:
        return _sent_before(letter), False
    return letter, True


def _sent_before(letter: Letter) -> Letter:
    first = Letter.objects.get(idempotency_key=letter.idempotency_key)
    if first.fingerprint != letter.fingerprint:
        raise Refusal(
            409,
            "invalid_idempotent_request",
            "This idempotency key has been used with a different request body",
        )
    return first


def _check_api_key(request: HttpRequest, *, full_access: bool) -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Refusal(401, "missing_api_key", "Missing API Key")
    keys = Keys.load(settings.LOCAL_DIR)
    if key.strip() == keys.resend_sending_key:
        if full_access:
            raise Refusal(
                401, "restricted_api_key", "This API key is restricted to only send emails."
            )
    elif key.strip() != keys.resend_key:
        raise Refusal(403, "invalid_api_key", "API key is invalid")


def _read(body: bytes) -> Letter:
    try:
        sent = read_json(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "validation_error", "The request body is not JSON") from error
    if not isinstance(sent, dict):
        raise Refusal(422, "validation_error", "The request body is not an object")
    for name in ("from", "to", "subject"):
        if not sent.get(name):
            raise Refusal(422, "missing_required_field", f"Missing `{name}` field.")
    if not sent.get("html") and not sent.get("text"):
        raise Refusal(422, "missing_required_field", "Missing `html` or `text` field.")
    recipients = sent["to"] if isinstance(sent["to"], list) else [sent["to"]]
    reply_to = sent.get("reply_to") or []
    answers = reply_to if isinstance(reply_to, list) else [reply_to]
    addresses = {"from": [sent["from"]], "to": recipients, "reply_to": answers}
    for name, address in ((name, one) for name, all_of in addresses.items() for one in all_of):
        if "@" not in parseaddr(str(address))[1]:
            raise Refusal(422, "validation_error", f"Invalid `{name}` field.")
    tags = sent.get("tags") or []
    if not isinstance(tags, list) or not all(map(_is_tag, tags)):
        raise Refusal(
            422,
            "validation_error",
            "Tags should only contain ASCII letters, numbers, underscores, or dashes.",
        )
    return Letter(
        tags=tags,
        sender=sent["from"],
        recipients=recipients,
        reply_to=", ".join(answers),
        subject=sent["subject"],
        html=sent.get("html") or "",
        text=sent.get("text") or "",
        fingerprint=hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest(),
    )


def _is_tag(tag: object) -> bool:
    return isinstance(tag, dict) and all(
        isinstance(tag.get(name), str) and _TAG.fullmatch(tag[name]) for name in ("name", "value")
    )

"""`POST /emails` as Resend documents it, and the mailbox that shows what was sent."""

import hashlib
import json
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from onai.local.auth.keys import Keys
from onai.local.auth.wire import read_json
from onai.local.mail.models import Letter

_KEY_LENGTH = 256
_KEY_LIVES = timedelta(hours=24)


class Refusal(Exception):
    """A refusal in Resend's words."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(name)
        self.body = {"statusCode": status, "name": name, "message": message}


def emails(request: HttpRequest) -> HttpResponse:
    try:
        return JsonResponse({"id": str(_accept(request).id)})
    except Refusal as refused:
        return JsonResponse(refused.body, status=refused.body["statusCode"])


def _accept(request: HttpRequest) -> Letter:
    if request.method != "POST":
        raise Refusal(405, "method_not_allowed", "Method is not allowed for the requested path")
    _check_api_key(request)
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
        return _sent_before(letter)
    return letter


def _sent_before(letter: Letter) -> Letter:
    first = Letter.objects.get(idempotency_key=letter.idempotency_key)
    if first.fingerprint != letter.fingerprint:
        raise Refusal(
            409,
            "invalid_idempotent_request",
            "This idempotency key has been used with a different request body",
        )
    return first


def _check_api_key(request: HttpRequest) -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Refusal(401, "missing_api_key", "Missing API Key")
    if key.strip() != Keys.load(settings.LOCAL_DIR).resend_key:
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
    return Letter(
        sender=sent["from"],
        recipients=recipients,
        reply_to=", ".join(answers),
        subject=sent["subject"],
        html=sent.get("html") or "",
        text=sent.get("text") or "",
        fingerprint=hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest(),
    )


def mailbox(request: HttpRequest) -> HttpResponse:
    return render(request, "local/mailbox.html", {"letters": Letter.objects.all()})


def letter(request: HttpRequest, letter_id: str) -> HttpResponse:
    found = get_object_or_404(Letter, pk=letter_id)
    return render(request, "local/letter.html", {"letter": found})


def letter_html(request: HttpRequest, letter_id: str) -> HttpResponse:
    """The letter's own HTML, alone, which may run no script."""
    response = HttpResponse(get_object_or_404(Letter, pk=letter_id).html)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return response


def mailbox_json(request: HttpRequest) -> HttpResponse:
    letters: list[dict[str, Any]] = [
        {
            "id": str(one.id),
            "from": one.sender,
            "to": one.recipients,
            **({"reply_to": one.reply_to} if one.reply_to else {}),
            "subject": one.subject,
            "html": one.html,
            "text": one.text,
            "created_at": one.created_at.isoformat(),
            "idempotency_key": one.idempotency_key,
        }
        for one in Letter.objects.all()
    ]
    return JsonResponse(letters, safe=False, json_dumps_params={"ensure_ascii": False})

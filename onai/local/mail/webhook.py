"""Delivery events of a captured letter, and the signed webhook that reports them to the product."""

import base64
import hashlib
import hmac
import json
import logging
import threading
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any
from uuid import uuid4

import httpx
from django.conf import settings
from django.db import connections

from onai.local.auth.keys import Keys
from onai.local.mail.models import Letter, Suppression

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 10
_SUPPRESSED = {
    "type": "OnAccountSuppressionList",
    "message": "The address is on the suppression list of the account.",
}
_BOUNCE = {
    "type": "Permanent",
    "subType": "NoEmail",
    "message": "The recipient's email provider sent a hard bounce message.",
    "diagnosticCode": ["smtp; 550 5.1.1 user unknown"],
}
# The data of an event beside those of the letter.
_DETAILS: dict[str, dict[str, Any]] = {
    "bounced": {"bounce": _BOUNCE},
    "suppressed": {"suppressed": _SUPPRESSED},
}
EVENTS = ("delivered", "delivery_delayed", "bounced", "complained", "suppressed")
# After these events nothing is sent to the address any more.
_SUPPRESSING = {"bounced": "bounce", "complained": "complaint"}
# Resend's addresses for tests, and the events of a letter to each.
_TEST_RECIPIENTS = {
    "delivered": ("delivered",),
    "bounced": ("bounced",),
    "complained": ("delivered", "complained"),
    "suppressed": ("suppressed",),
}


def signed(body: bytes, *, secret: str, moment: datetime | None = None) -> dict[str, str]:
    """The headers of a delivery with this body."""
    message_id = f"msg_{uuid4().hex}"
    timestamp = str(int((moment or datetime.now(UTC)).timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "svix-id": message_id,
        "svix-timestamp": timestamp,
        "svix-signature": f"v1,{signature}",
    }


def tell(letter: Letter, event: str) -> int | None:
    """Make an event happen to a letter, and send its webhook; returns the product's HTTP status.

    None where the product does not answer, or its address is not set (`LOCAL_SITE`).
    """
    now = datetime.now(UTC)
    Letter.objects.filter(pk=letter.pk).update(last_event=event)
    if origin := _SUPPRESSING.get(event):
        for address in letter.recipients:
            Suppression.objects.get_or_create(email=_bare(address), defaults={"origin": origin})
    if not settings.LOCAL_SITE:
        return None
    body = json.dumps(_event(letter, event, now), ensure_ascii=False).encode()
    headers = signed(body, secret=Keys.load(settings.LOCAL_DIR).resend_webhook_secret)
    address = f"{settings.LOCAL_SITE}/webhooks/resend"
    try:
        answer = httpx.post(address, content=body, headers=headers, timeout=_TIMEOUT_SECONDS)
    except httpx.HTTPError:
        return None
    return answer.status_code


def send_own_events(letter: Letter) -> None:
    """Send the events that follow from a letter's address, after the answer to its sender."""
    events = ("sent", *_own_events(letter))
    if settings.LOCAL_SITE:
        threading.Thread(target=_tell_apart, args=[letter, events], daemon=True).start()
    else:
        _tell_all(letter, events)


def _own_events(letter: Letter) -> tuple[str, ...]:
    addresses = [_bare(address) for address in letter.recipients]
    if Suppression.objects.filter(email__in=addresses).exists():
        return ("suppressed",)
    for address in addresses:
        name, _at, domain = address.partition("@")
        if domain == "resend.dev":
            return _TEST_RECIPIENTS.get(name.partition("+")[0], ())
    return ()


def _tell_all(letter: Letter, events: tuple[str, ...]) -> None:
    for event in events:
        tell(letter, event)


def _tell_apart(letter: Letter, events: tuple[str, ...]) -> None:
    """As `_tell_all`, in a thread of its own."""
    try:
        _tell_all(letter, events)
    finally:
        connections.close_all()


def _event(letter: Letter, event: str, now: datetime) -> dict[str, Any]:
    return {
        "type": f"email.{event}",
        "created_at": _moment(now),
        "data": {
            "email_id": str(letter.pk),
            "message_id": f"<{letter.pk}@onai.test>",
            "created_at": _moment(letter.created_at),
            "from": letter.sender,
            "to": letter.recipients,
            "subject": letter.subject,
            "tags": {tag["name"]: tag["value"] for tag in letter.tags},
            **_DETAILS.get(event, {}),
        },
    }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _bare(address: str) -> str:
    return parseaddr(str(address))[1].lower()

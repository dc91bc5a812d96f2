"""Sends one letter through Resend's SDK, with explicit time-outs, and asks what became of it.

It reports the outcome of an attempt. It does not know what the letter says, or when to try again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import resend
from django.conf import settings
from django.utils import timezone
from django.utils.http import parse_http_date_safe
from django.views.decorators.debug import sensitive_variables
from resend.exceptions import ResendError
from resend.http_client import HTTPClient

from onai.web.http_client import http_client

_LONGEST_REASON = 200
# Refusals that do not concern the letter: our key, an unverified domain, a wrong address of the
# API.
_OURS_BY_STATUS = (401, 403, 404, 405)
_OURS_BY_KIND = {
    "missing_api_key",
    "invalid_api_key",
    "restricted_api_key",
    "suspended_api_key",
    "invalid_permission",
    "invalid_access",
    "invalid_from_address",
    "invalid_region",
    "invalid_idempotency_key",
}
_QUOTA = {"rate_limit_exceeded", "daily_quota_exceeded", "monthly_quota_exceeded"}
_FIELDS = {"from", "sender", "to", "reply_to", "subject", "html", "text", "headers", "tags"}
# "Invalid `from` field", "Missing "to" parameter", "The from address is…"
_FIELD = re.compile(
    r"""[`'"](?P<quoted>\w+)[`'"]|\b(?P<bare>\w+)\s+(?:field|address|parameter|property)\b""",
)
_STATUSES = {str(status) for status in range(100, 600)}


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """A letter as HTML and as text. It has no repr, so that no log shows it.

    `reply_to` is the address for answers; where it is empty, they go to the sender.
    `tags` come back in every event about it: ASCII letters, digits, `_` and `-`.
    """

    to: str
    subject: str
    html: str
    text: str
    reply_to: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class NotSentYet(Exception):
    """Resend did not accept the letter, or the outcome is unknown: try again.

    `reason` is a short word for logs, `retry_after` the delay that Resend asked for. `refused`: the
    letter was certainly not accepted. `ours`: our key or sender was refused and not the letter, so
    it will be accepted once that is mended.
    """

    def __init__(
        self,
        reason: str,
        retry_after: timedelta | None = None,
        *,
        refused: bool = False,
        ours: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.refused = refused
        self.ours = ours


class AlreadyTaken(Exception):
    """Resend accepted other content under this key before; that letter was sent."""


class NotTold(Exception):
    """Resend does not say what became of a letter. `forbidden`: it never will with this key."""

    def __init__(self, reason: str, *, forbidden: bool = False) -> None:
        super().__init__(reason)
        self.forbidden = forbidden


class LetterRefused(Exception):
    """Resend will never accept this letter as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def send(letter: Letter, *, idempotency_key: str) -> str:
    """Hand the letter to Resend and return its id there.

    Within 24 hours a letter with the same key is sent once, however often this is called. Raises
    `NotSentYet`, `LetterRefused`, or `AlreadyTaken` when the content has changed in between.
    """
    _configure()
    parameters: resend.Emails.SendParams = {
        "from": settings.RESEND_FROM_EMAIL,
        "to": [letter.to],
        "subject": letter.subject,
        "html": letter.html,
        "text": letter.text,
        "tags": [{"name": name, "value": value} for name, value in letter.tags.items()],
    }
    if letter.reply_to:
        parameters["reply_to"] = letter.reply_to
    try:
        answer = resend.Emails.send(parameters, {"idempotency_key": idempotency_key})
    except ResendError as error:
        raise _failure(error) from error
    # The SDK's types promise a field; the answer may be any JSON.
    if not isinstance(answer, Mapping) or not isinstance(answer.get("id"), str):
        raise NotSentYet("no id in the answer")
    return answer["id"]


@sensitive_variables("answer")
def last_event(resend_id: str) -> str:
    """The last event of a letter, in Resend's word: `delivered`. Raises `NotTold`.

    Only a key with full access may ask. The answer holds the letter itself, which goes no further.
    """
    _configure()
    try:
        answer = resend.Emails.get(resend_id)
    except ResendError as error:
        status, kind = _status(error), str(error.error_type)
        forbidden = status in _OURS_BY_STATUS[:2]
        raise NotTold(f"{status} {kind}"[:_LONGEST_REASON], forbidden=forbidden) from None
    if not isinstance(answer, Mapping):
        raise NotTold("no letter in the answer")
    return str(answer.get("last_event") or "")


def _configure() -> None:
    resend.api_key = settings.RESEND_API_KEY
    resend.api_url = settings.RESEND_API_URL
    resend.default_http_client = _Client()


def _failure(error: ResendError) -> NotSentYet | LetterRefused | AlreadyTaken:
    # All are copied from the answer, which may hold anything.
    status = _status(error)
    kind, message = str(error.error_type), str(error.message)
    field = _field_named_in(message)
    reason = f"{status} {kind}{f' {field}' if field else ''}"[:_LONGEST_REASON]
    wait = _retry_after(httpx.Headers(error.headers))
    if kind == "invalid_idempotent_request":
        return AlreadyTaken()
    if kind in _QUOTA or status == 429:
        return NotSentYet(reason, wait, refused=True)
    # Another attempt with this key is running at Resend: a temporary refusal.
    if status == 408 or status >= 500 or status < 400 or kind == "concurrent_idempotent_requests":
        return NotSentYet(reason, wait)
    if _is_ours(status, kind, field) or "not verified" in message:
        return NotSentYet(reason, wait, refused=True, ours=True)
    return LetterRefused(reason)


def _status(error: ResendError) -> int:
    return int(error.code) if str(error.code) in _STATUSES else 500


def _is_ours(status: int, kind: str, field: str) -> bool:
    """Whether a refusal (4xx) concerns our key, sender or address of Resend, and not the letter."""
    if status in _OURS_BY_STATUS or kind in _OURS_BY_KIND:
        return True
    return field not in ("", "to")


def _field_named_in(message: str) -> str:
    """The field of a letter that the message of a refusal names; else empty."""
    for found in _FIELD.finditer(message):
        name = (found["quoted"] or found["bare"]).lower()
        if name in _FIELDS:
            return "from" if name == "sender" else name
    return ""


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    """`Retry-After`, in seconds or as a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "")
    if value.isascii() and value.isdigit():
        return timedelta(seconds=int(value[:9]))
    moment = parse_http_date_safe(value)
    if moment is None:
        return None
    return max(timedelta(), timedelta(seconds=moment - timezone.now().timestamp()))


class _Client(HTTPClient):
    """The SDK's way to the network: over the connections of this process."""

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        json: dict[str, object] | list[object] | None = None,
        files: dict[str, Any] | None = None,
        data: dict[str, str] | None = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        answer = connections().request(
            method, url, headers=dict(headers), json=json, files=files, data=data
        )
        return answer.content, answer.status_code, dict(answer.headers)


def connections() -> httpx.Client:
    """The HTTP connections to Resend."""
    return http_client(connect=settings.RESEND_CONNECT_TIMEOUT, read=settings.RESEND_READ_TIMEOUT)

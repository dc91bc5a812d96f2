"""Events about letters, as Resend sends them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.test import Client

from onai.local.mail.webhook import signed
from tests.settings import TEST_KEYS
from tests.support.desk import GOOD, Desk, Row

PATH = "/webhooks/resend"
SECRET = TEST_KEYS.resend_webhook_secret
BOUNCE: dict[str, Any] = {
    "bounce": {
        "type": "Permanent",
        "subType": "NoEmail",
        "message": f"550 5.1.1 <{GOOD['email']}>: user unknown",
        "diagnosticCode": [f"smtp; 550 5.1.1 <{GOOD['email']}>"],
    }
}
SUPPRESSED: dict[str, Any] = {
    "suppressed": {"type": "OnAccountSuppressionList", "message": "on the list"}
}


def event_of(
    letter: Row,
    kind: str,
    *,
    after: timedelta = timedelta(0),
    resend_id: str | None = None,
    **details: Any,
) -> dict[str, Any]:
    """An event of a letter, at a moment counted from now."""
    now = datetime.now(UTC)
    return {
        "type": f"email.{kind}",
        "created_at": (now + after).isoformat().replace("+00:00", "Z"),
        "data": {
            "email_id": resend_id or letter["resend_id"] or str(uuid4()),
            "message_id": "<1@onai.test>",
            "created_at": now.isoformat(),
            "from": "onAI Academy <hello@onai.test>",
            "to": [letter["recipient"]],
            "subject": "Ваш доступ к экспресс-курсу onAI Academy",
            "tags": {"letter_id": str(letter["id"])},
            **details,
        },
    }


def send(event: Any, *, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Any:
    """Post an event, signed, to the webhook; the answer. `headers` are added to the signed ones."""
    content = json.dumps(event).encode() if body is None else body
    return Client().post(
        PATH,
        content,
        content_type="application/json",
        headers={**signed(content, secret=SECRET), **(headers or {})},
    )


def sent_letter(desk: Desk, student_id: UUID) -> Row:
    """One more letter of a student, accepted by Resend."""
    return desk.row(
        "insert into sales_letters (id, student_id, recipient, full_name, sealed_password,"
        " asked_by, idempotency_key, state, attempts, problem, refused, due_at,"
        " give_up_at, leased_until, sent_at, resend_id)"
        " values (gen_random_uuid(), %s, %s, 'Ару', '', gen_random_uuid(), gen_random_uuid(),"
        " 'sent', 1, '', false, now(), now(), now(), now(), gen_random_uuid()::text) returning *",
        student_id,
        GOOD["email"],
    )

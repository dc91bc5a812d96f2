"""The demo's acts on students that are not settled: a creation and a change of status under way,
and a creation that was refused.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from onai.local.demo_data.names import name_of

_NAMESPACE = UUID("5c1b5d52-7d37-4c5e-9d83-0a4b8c1a6e90")
# Nobody takes up a request whose lease has not ended, so these stay under way.
_LEASED_FOR_GOOD = datetime(2126, 1, 1, tzinfo=UTC)

Row = dict[str, Any]


def unsettled_requests(now: datetime, *, manager_id: UUID, paused: Row) -> list[Row]:
    """The rows of `sales_requests`, asked for by one manager; `paused` is the row of their student
    whose status is being changed.
    """
    creation = _request("creation", manager_id, now - timedelta(minutes=14), person=82)
    refused = _request("creation", manager_id, now - timedelta(hours=3), person=83)
    change = _request("status", manager_id, now - timedelta(minutes=2), person=84)
    return [
        {**creation, "new_email": creation["email"]},
        {
            **refused,
            "state": "refused",
            "refusal": "email_taken",
            "leased_until": refused["created_at"],
            "closed_at": refused["created_at"] + timedelta(minutes=1),
        },
        {
            **change,
            "student_id": paused["id"],
            "account_id": paused["user_id"],
            "email": paused["email"],
            "full_name": paused["full_name"],
            "new_status": "active",
        },
    ]


def _request(kind: str, manager_id: UUID, asked_at: datetime, *, person: int) -> Row:
    return {
        "id": uuid5(_NAMESPACE, f"request {person}"),
        "kind": kind,
        "state": "open",
        "account_id": uuid5(_NAMESPACE, f"account {person}"),
        "email": f"student{person}@onai.test",
        "full_name": name_of(person),
        "asked_by": manager_id,
        "fingerprint": "",
        "leased_until": _LEASED_FOR_GOOD,
        # More than one, so that a refusal was not told at once.
        "attempts": 2,
        "created_at": asked_at,
    }

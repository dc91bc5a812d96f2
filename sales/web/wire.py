"""A created student in the wire format of the predecessor, whose keys never change."""

from typing import Any

from onai.web.timestamps import utc_timestamp
from sales.models import LetterState, Student, WelcomeLetter


def created(student: Student, letter: WelcomeLetter | None) -> dict[str, Any]:
    """The answer to a creation. `created_at` is in UTC."""
    return {
        "success": True,
        "user": {
            "id": str(student.pk),
            "user_id": str(student.user_id),
            "email": student.email,
            "full_name": student.full_name,
            "status": student.status,
            "manager_name": student.manager_name,
            "granted_by": str(student.granted_by) if student.granted_by else None,
            "created_at": utc_timestamp(student.created_at),
        },
        "emailSent": letter is not None and letter.state == LetterState.SENT,
    }

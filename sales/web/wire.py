"""A created student in the wire format of the predecessor, whose keys never change."""

from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from onai.web.api.shapes import Body, Moment, Shape
from sales.models import LetterState, Student, WelcomeLetter


class StudentToCreate(Body):
    """The student to create. `manager_id` is the caller by default; a manager may name only
    themselves, an admin any staff member."""

    model_config = ConfigDict(json_schema_extra={"required": ["email", "full_name", "password"]})

    email: str | None = None
    full_name: str | None = None
    password: str | None = None
    manager_id: str | None = None
    phone: str | None = Field(None, description="in any spelling; kept as `+77000000011`")
    language: str | None = Field(
        None, description="of the letters: `ru` (the default), `kk` or `en`"
    )
    adopt: bool | None = Field(None, description="take over an account without a student; admins")
    confirm_email: bool | None = Field(
        None, description="take an address whose domain is nearly a common one (`gmial.com`)"
    )


class CreatedUser(Shape):
    """The student, with keys as in the table."""

    model_config = ConfigDict(alias_generator=None)

    id: UUID
    user_id: UUID
    email: str
    full_name: str
    status: str | None
    manager_name: str | None
    granted_by: UUID | None
    created_at: Moment | None


class CreatedStudent(Shape):
    success: Literal[True]
    user: CreatedUser
    email_sent: bool = Field(description="false while the letter waits")


def created(student: Student, letter: WelcomeLetter | None) -> CreatedStudent:
    is_sent = letter is not None and letter.state == LetterState.SENT
    user = CreatedUser.model_validate(student)
    return CreatedStudent(success=True, user=user, email_sent=is_sent)

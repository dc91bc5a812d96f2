"""The rows of Tripwire as Django models."""

from sales.models.letters import UNSEALABLE, LetterKind, LetterState, WelcomeLetter
from sales.models.requests import RequestKind, RequestState, StudentRequest
from sales.models.students import (
    CREATED,
    LAST_ACTIVE,
    LONG_PAST,
    NAME,
    ActionType,
    ActivityEntry,
    Student,
    StudentPhone,
    StudentQuerySet,
    StudentStatus,
)

__all__ = [
    "CREATED",
    "LAST_ACTIVE",
    "LONG_PAST",
    "NAME",
    "UNSEALABLE",
    "ActionType",
    "ActivityEntry",
    "LetterKind",
    "LetterState",
    "RequestKind",
    "RequestState",
    "Student",
    "StudentPhone",
    "StudentQuerySet",
    "StudentRequest",
    "StudentStatus",
    "WelcomeLetter",
]

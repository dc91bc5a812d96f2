"""The rows of Tripwire as Django models."""

from sales.models.letters import UNSEALABLE, LetterKind, LetterState, WelcomeLetter
from sales.models.requests import RequestKind, RequestState, StudentRequest
from sales.models.students import (
    CREATED,
    LAST_ACTIVE,
    LONG_PAST,
    NAME,
    SEARCHED,
    UNSENT,
    ActionType,
    ActivityEntry,
    DailyTotal,
    MonthlyTotal,
    Student,
    StudentStatus,
)

__all__ = [
    "CREATED",
    "LAST_ACTIVE",
    "LONG_PAST",
    "NAME",
    "SEARCHED",
    "UNSEALABLE",
    "UNSENT",
    "ActionType",
    "ActivityEntry",
    "DailyTotal",
    "LetterKind",
    "LetterState",
    "MonthlyTotal",
    "RequestKind",
    "RequestState",
    "Student",
    "StudentRequest",
    "StudentStatus",
    "WelcomeLetter",
]

"""The rows of Tripwire, as Django knows them."""

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
from sales.models.under_way import (
    UNSEALABLE,
    Change,
    ChangeKind,
    Intention,
    IntentionState,
    LetterKind,
    LetterState,
    WelcomeLetter,
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
    "Change",
    "ChangeKind",
    "DailyTotal",
    "Intention",
    "IntentionState",
    "LetterKind",
    "LetterState",
    "MonthlyTotal",
    "Student",
    "StudentStatus",
    "WelcomeLetter",
]

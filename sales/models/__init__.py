"""The rows of Tripwire as Django models."""

from sales.models.handoff import (
    Ambiguity,
    Buyer,
    BuyerContact,
    ClosingReason,
    ContactKind,
    MatchedBy,
    ReadingPosition,
    SignalKind,
    StudentLead,
)
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
    "Ambiguity",
    "Buyer",
    "BuyerContact",
    "ClosingReason",
    "ContactKind",
    "LetterKind",
    "LetterState",
    "MatchedBy",
    "ReadingPosition",
    "RequestKind",
    "RequestState",
    "SignalKind",
    "Student",
    "StudentLead",
    "StudentPhone",
    "StudentQuerySet",
    "StudentRequest",
    "StudentStatus",
    "WelcomeLetter",
]

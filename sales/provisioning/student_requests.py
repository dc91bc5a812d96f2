"""The requests to create or change a student: records, finds and closes them.

It asks our own database only; `create_student` and `change_student` carry the requests through.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.views.decorators.debug import sensitive_variables

from onai import encryption
from onai.identity.accounts import OutcomeUnclear
from onai.identity.roles import Identity
from onai.web.problems import DatabaseUnavailable, Problem
from sales import adoption
from sales.models import RequestKind, RequestState, Student, StudentRequest, WelcomeLetter
from sales.provisioning import problems

logger = logging.getLogger(__name__)

# How long a refusal is shown that came after the user had left.
_REFUSALS_SHOWN = timedelta(days=1)
_FINGERPRINT = "student request"
# The changes after which a student has another password.
_GIVES_PASSWORD = Q(kind=RequestKind.PASSWORD) | Q(reissues=True)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a request has come, with its results: the student, and the letter to them."""

    request: StudentRequest
    student: Student | None = None
    letter: WelcomeLetter | None = None

    @property
    def refusal(self) -> Problem | None:
        """Why it was refused."""
        is_refused = self.request.state == RequestState.REFUSED
        return problems.of_request(self.request) if is_refused else None


# --- Recording, and the way from there ---------------------------------------------------------


def begin(
    record: Callable[[], tuple[StudentRequest, bool]],
    carry_through: Callable[[StudentRequest], Progress],
) -> Progress:
    """Record a request and carry it through, unless it was recorded before.

    Returns an open request while the outcome is unknown; the worker will find out. Raises a
    `Problem` when nothing was done, `DatabaseUnavailable` among them.
    """
    try:
        adoption.require_fit()
        request, is_new = record()
    except (OperationalError, InterfaceError) as error:
        # If it was recorded all the same, the same form or key leads back to it.
        logger.error("database_unavailable", exc_info=error)
        raise DatabaseUnavailable from error
    if not is_new:
        return Progress(request)
    try:
        return carry_through(request)
    except OutcomeUnclear:
        logger.warning(log_event(request, "left_open"), extra=log_fields(request))
    except (InterfaceError, DatabaseError) as error:
        # Also where a table forbids a change that cannot be taken back: an admin can end it from
        # its page.
        logger.error(log_event(request, "interrupted"), extra=log_fields(request))
        logger.debug("interrupted", exc_info=error)
    return Progress(request)  # as it was recorded, without asking a database that may be gone


@sensitive_variables("content")
def record(
    content: str,
    find_earlier: Callable[[], StudentRequest | None],
    make: Callable[[str], StudentRequest],
    *,
    former_content: tuple[str, str] | None = None,
) -> tuple[StudentRequest, bool]:
    """The request, and whether it is new and so ours to carry through.

    `make` writes it with the given fingerprint, or raises a `Problem`. Raises `KeyUsedOtherwise` or
    `AttemptUsed` where the earlier request has other content.
    """
    earlier = find_earlier()
    if earlier is None:
        try:
            return make(encryption.fingerprint(content, purpose=_FINGERPRINT)), True
        except Problem:
            # The cause may be this very request, which came twice at once.
            earlier = find_earlier()
            if earlier is None:
                raise
    candidates = [(content, _FINGERPRINT), *([former_content] if former_content else [])]
    if not any(
        encryption.has_fingerprint(text, earlier.fingerprint, purpose=purpose)
        for text, purpose in candidates
    ):
        if earlier.is_creation:
            raise problems.KeyUsedOtherwise
        raise problems.AttemptUsed(link=problems.link_to(earlier))
    if earlier.state == RequestState.REFUSED:
        raise problems.of_request(earlier)
    return earlier, False


@sensitive_variables()
def content_of(asked: object, *about: UUID) -> str:
    """The content that two requests must share to be the same: every field of the dataclass that
    takes part in `==`.

    A field that is None is left out, so that requests recorded before it existed stay the same.
    """
    return json.dumps([type(asked).__name__, *map(str, about), _compared(asked)])


@sensitive_variables()
def _compared(value: object) -> object:
    if is_dataclass(value):
        compared = (field.name for field in fields(value) if field.compare)
        values = {name: getattr(value, name) for name in compared}
        return {name: _compared(one) for name, one in values.items() if one is not None}
    return value if isinstance(value, str | bool | None) else str(value)


# --- Their passwords ---------------------------------------------------------------------------


@sensitive_variables("password")
def seal(password: str, kind: RequestKind) -> str:
    """The password as it waits in the row; empty where there is none."""
    return encryption.seal(password, purpose=_purpose(kind)) if password else ""


@sensitive_variables()
def password_of(request: StudentRequest) -> str:
    """The password of an open request; empty where it has none. Raises `Unsealable`."""
    sealed = request.sealed_password
    return encryption.unseal(sealed, purpose=_purpose(request.kind)) if sealed else ""


def _purpose(kind: str) -> str:
    # Two, because rows sealed by earlier versions have to open.
    return "intended password" if kind == RequestKind.CREATION else "changed password"


# --- Finding them ------------------------------------------------------------------------------


def find(request_id: UUID, asker: Identity) -> StudentRequest | None:
    """A request that somebody made themselves, or anybody's for an admin."""
    return _own(StudentRequest.objects.filter(pk=request_id), asker).first()


def progress_of(request: StudentRequest) -> Progress:
    """How far a request has come, with its student and the newest letter."""
    if not request.is_creation:
        student = request.students().first()
        return Progress(request, student, student.latest_letter if student else None)
    if request.state != RequestState.DONE:
        return Progress(request)
    student = Student.objects.filter(user_id=request.account_id).first()
    letters = WelcomeLetter.objects.filter(student=student).order_by("created_at")
    return Progress(request, student, letters.first() if student else None)


def open_request_of(student: Student) -> StudentRequest | None:
    """The open change of a student."""
    return StudentRequest.objects.filter(student_id=student.pk, state=RequestState.OPEN).first()


def is_latest_password(request: StudentRequest, student: Student | None) -> bool:
    """Whether the student got no other new password after this request's."""
    others = StudentRequest.objects.filter(
        _GIVES_PASSWORD, student_id=student.pk if student else None, state=RequestState.DONE
    )
    return not others.filter(closed_at__gt=request.closed_at or Now()).exists()


def with_shown_password(
    student: Student, asker: Identity, since: timedelta
) -> StudentRequest | None:
    """The request by which this user gave the student's newest password, not longer ago."""
    gave = Q(kind=RequestKind.CREATION, account_id=student.user_id) | (
        _GIVES_PASSWORD & Q(student_id=student.pk)
    )
    newest = StudentRequest.objects.filter(
        gave, state=RequestState.DONE, closed_at__gt=Now() - since
    ).order_by("-closed_at")
    found = newest.first()
    return found if found is not None and found.asked_by == asker.user_id else None


def unsettled(asker: Identity) -> list[StudentRequest]:
    """Requests whose outcome a user may not know yet: open, or refused within the last 24 hours.

    The user's own; for an admin everybody's. Newest first, at most twenty.
    """
    recent = Q(state=RequestState.OPEN) | Q(
        state=RequestState.REFUSED,
        attempts__gt=1,  # else they were told at once
        closed_at__gt=Now() - _REFUSALS_SHOWN,
    )
    return list(_own(StudentRequest.objects.filter(recent), asker).order_by("-created_at")[:20])


def _own(requests: "QuerySet[StudentRequest]", asker: Identity) -> "QuerySet[StudentRequest]":
    return requests if asker.is_admin else requests.filter(asked_by=asker.user_id)


# --- Closing them ------------------------------------------------------------------------------


def close(request: StudentRequest, refusal: Problem | None = None) -> None:
    """Close an open request, as done or with the reason of its refusal."""
    state = RequestState.REFUSED if refusal else RequestState.DONE
    StudentRequest.objects.filter(pk=request.pk, state=RequestState.OPEN).update(
        state=state,
        refusal=refusal.code if refusal else None,
        sealed_password="",
        closed_at=Now(),
        # A refused request can be repeated with the same key.
        idempotency_key=None if refusal else request.idempotency_key,
    )
    request.state, request.refusal = state, refusal.code if refusal else None


def remember_answer(request: StudentRequest, answer: Mapping[str, Any]) -> None:
    """Keep the answer, so that a repeated request gets the same."""
    try:
        StudentRequest.objects.filter(pk=request.pk).update(answer=answer)
    except (OperationalError, InterfaceError) as error:
        # The student exists, so a repeated request is answered from the rows themselves.
        logger.warning("answer_not_kept", exc_info=error)


def log_event(request: StudentRequest, what: str) -> str:
    """The name of an event in the log."""
    return f"{'creation' if request.is_creation else 'change'}_{what}"


def log_fields(request: StudentRequest) -> dict[str, object]:
    """The fields of such an event."""
    return {"request_id": str(request.pk), "kind": request.kind, "attempts": request.attempts}

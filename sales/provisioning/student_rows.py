"""Writes our own rows for a request, in one transaction with its log entry and its letter."""

import logging
from typing import Any

import psycopg
from django.db import DatabaseError, transaction
from django.db.models.functions import Now
from django.views.decorators.debug import sensitive_variables

from onai.prices import price_on
from sales import activity, letters, supabase_users
from sales.handoff.matching import Decider, match_students, tie
from sales.models import (
    ActionType,
    LetterKind,
    MatchedBy,
    RequestKind,
    Student,
    StudentPhone,
    StudentRequest,
    StudentStatus,
    WelcomeLetter,
)
from sales.provisioning import account_references, platform_tables, problems, student_requests

logger = logging.getLogger(__name__)

# Classes of SQLSTATE: bad data, integrity, missing rights or columns, a policy, a trigger's error.
_FORBIDDEN = ("22", "23", "42", "44", "P0")


# --- A creation --------------------------------------------------------------------------------


def enrol(request: StudentRequest) -> Student:
    """Create the student's row, its log entry, and the rows that the platform needs.

    Raises Django's `DatabaseError`, which `lacks_account` and `is_forbidden` explain.
    """
    student = Student(
        user_id=request.account_id,
        email=request.email,
        full_name=request.full_name,
        granted_by=request.new_manager_id,
        manager_name=request.new_manager_name,
        price=price_on(),
    )
    student.save(force_insert=True)
    StudentPhone.keep(student, request.new_phone)
    _tie_to_buyer(student, request)
    activity.log(
        ActionType.USER_CREATED,
        by=request.asked_by,
        account_id=request.account_id,
        email=request.email,
        full_name=request.full_name,
        granted_by=str(request.new_manager_id),
        manager_name=request.new_manager_name,
        adopted=request.adopts,
    )
    platform_tables.enrol(request.account_id, email=request.email, full_name=request.full_name)
    student.refresh_from_db()
    return student


def _tie_to_buyer(student: Student, request: StudentRequest) -> None:
    """Close the buyer's line in the queue."""
    by = Decider(request.asked_by)
    if request.buyer_id is None or not tie(student, request.buyer_id, MatchedBy.LEAD_ID, by):
        match_students([student])


# --- A change ----------------------------------------------------------------------------------


@sensitive_variables("password")
def apply(change: StudentRequest, password: str) -> tuple[StudentRequest, WelcomeLetter | None]:
    """Make the change in our rows and close it; returns the closed request and the letter to send.

    Repeated, it does nothing. Raises Django's `IntegrityError` where another student has the new
    e-mail.
    """
    with transaction.atomic(using="tripwire"):
        # Locks are taken in the order of recording a change: the student first.
        student = change.students().select_for_update().first()
        kept = StudentRequest.objects.select_for_update().get(pk=change.pk)
        if not kept.is_open:
            return kept, None
        if student is None and kept.kind != RequestKind.DELETION:
            student_requests.close(kept, problems.StudentGone(kept.kind))
            return kept, None
        student_requests.close(kept)
        if student is None:
            # The rows were deleted with the account.
            gone = account_references.log_needs_accounts()
            _log(kept, ActionType.USER_DELETED, is_gone=gone)
            platform_tables.forget(kept.account_id)
            return kept, None
        _change_rows(kept, student)
        if kept.new_status == StudentStatus.BLOCKED:
            _end_sessions(student)
        return kept, _letter(kept, student, password)


def _change_rows(change: StudentRequest, student: Student) -> None:
    match change.kind:
        case RequestKind.STATUS:
            _log(change, ActionType.STATUS_CHANGED, before=student.status, after=change.new_status)
            _update(student, status=change.new_status)
        case RequestKind.PASSWORD:
            _log(change, ActionType.PASSWORD_RESET)
        case RequestKind.CORRECTION:
            _correct(change, student)
        case RequestKind.HANDOVER:
            before, after = student.manager_name, change.new_manager_name
            ids = {"granted_by": str(change.new_manager_id), "before_by": str(student.granted_by)}
            _log(change, ActionType.STATUS_CHANGED, before=before, after=after, **ids)
            _update(student, granted_by=change.new_manager_id, manager_name=after)
        case RequestKind.DELETION:
            _log(change, ActionType.USER_DELETED)
            Student.objects.filter(pk=student.pk).delete()
            platform_tables.forget(change.account_id)


@sensitive_variables("password")
def _letter(change: StudentRequest, student: Student, password: str) -> WelcomeLetter | None:
    """The letter about the change, where there is one."""
    if change.kind == RequestKind.PASSWORD:
        return letters.write(
            student, password=password, asked_by=change.asked_by, kind=LetterKind.NEW_PASSWORD
        )
    if change.reissues:
        return letters.write(student, password=password, asked_by=change.asked_by)
    if change.new_email is not None:
        return letters.write_to_new_address(student, asked_by=change.asked_by)
    return None


def _correct(change: StudentRequest, student: Student) -> None:
    before = {"email": student.email, "full_name": student.full_name, "phone": student.phone}
    email, full_name, phone = change.new_email, change.new_full_name, change.new_phone
    new = {name: value for name, value in (("email", email), ("full_name", full_name)) if value}
    after = new if phone is None else {**new, "phone": phone}
    _log(
        change,
        ActionType.STATUS_CHANGED,
        before={name: before[name] for name in after},
        after=after,
    )
    _update(student, **new)
    if phone is not None:
        StudentPhone.keep(student, phone)
    if email is not None:
        StudentRequest.objects.filter(pk=change.pk).update(
            former_address_due=True, leased_until=Now()
        )
        platform_tables.free_address(email)
    platform_tables.correct(change.account_id, email=email, full_name=full_name)


def _update(student: Student, **values: Any) -> None:
    for name, value in values.items():
        setattr(student, name, value)
    Student.objects.filter(pk=student.pk).update(**values, updated_at=Now())


def _end_sessions(student: Student) -> None:
    if not supabase_users.end_sessions(student.user_id):
        # A ban stops their renewal, so they end within an hour.
        logger.warning("sessions_not_ended", extra={"user_id": str(student.user_id)})


def _log(change: StudentRequest, action: ActionType, **details: Any) -> None:
    activity.log(
        action,
        by=change.asked_by,
        account_id=change.account_id,
        email=change.email,
        full_name=change.full_name,
        change=change.kind,
        **details,
    )


# --- What a database error means ---------------------------------------------------------------


def lacks_account(error: DatabaseError) -> bool:
    """Whether the student was not inserted because the account does not exist (any more)."""
    cause = error.__cause__
    return (
        isinstance(cause, psycopg.errors.ForeignKeyViolation)
        and cause.diag.table_name == Student._meta.db_table
        and "(user_id)" in (cause.diag.message_detail or "")
    )


def is_forbidden(error: DatabaseError) -> bool:
    """Whether the tables will never accept it: a constraint, a trigger, a grant. Logs it."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error) or not (cause.sqlstate or "").startswith(_FORBIDDEN):
        return False
    # Without its text, which holds the row.
    about = {
        "error": type(cause).__name__,
        "table": cause.diag.table_name or "",
        "column": cause.diag.column_name or "",
        "constraint": cause.diag.constraint_name or "",
    }
    logger.error("rows_forbidden", extra=about)
    return True

"""What a change makes of our own rows: in one transaction with its log entry and its letter."""

import logging
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.views.decorators.debug import sensitive_variables

from sales import activity, letters, supabase_users
from sales.models import (
    ActionType,
    Change,
    ChangeKind,
    IntentionState,
    LetterKind,
    Student,
    StudentStatus,
    WelcomeLetter,
)
from sales.provisioning import account_references, platform_tables
from sales.provisioning import change_refusals as refusals

logger = logging.getLogger(__name__)


@sensitive_variables("password")
def apply(change: Change, password: str) -> WelcomeLetter | None:
    """Make the change in our rows and close it; answers the letter to send.

    Repeated, it does nothing. Raises Django's `IntegrityError` where a new e-mail is another
    student's already.
    """
    with transaction.atomic(using="tripwire"):
        # The student first, as whoever records a change does.
        student = Student.objects.select_for_update().filter(pk=change.student_id).first()
        kept = Change.objects.select_for_update().get(pk=change.pk)
        if kept.state != IntentionState.OPEN:
            return None
        if student is None and kept.kind != ChangeKind.DELETION:
            _close(kept, IntentionState.REFUSED, refusal=refusals.StudentGone.code)
            return None
        _close(kept, IntentionState.DONE)
        if student is None:
            # The rows went with the account.
            gone = account_references.log_needs_accounts()
            _log(kept, ActionType.USER_DELETED, is_gone=gone)
            platform_tables.forget(kept.account_id)
            return None
        _change_rows(kept, student)
        if kept.new_status == StudentStatus.BLOCKED:
            _end_sessions(student)
        return _letter(kept, student, password)


def _change_rows(change: Change, student: Student) -> None:
    match change.kind:
        case ChangeKind.STATUS:
            _log(change, ActionType.STATUS_CHANGED, before=student.status, after=change.new_status)
            _update(student, status=change.new_status)
        case ChangeKind.PASSWORD:
            _log(change, ActionType.PASSWORD_RESET)
        case ChangeKind.CORRECTION:
            _correct(change, student)
        case ChangeKind.HANDOVER:
            before, after = student.manager_name, change.new_manager_name
            ids = {"granted_by": str(change.new_manager_id), "before_by": str(student.granted_by)}
            _log(change, ActionType.STATUS_CHANGED, before=before, after=after, **ids)
            _update(student, granted_by=change.new_manager_id, manager_name=after)
        case ChangeKind.DELETION:
            _log(change, ActionType.USER_DELETED)
            Student.objects.filter(pk=student.pk).delete()
            platform_tables.forget(change.account_id)


@sensitive_variables("password")
def _letter(change: Change, student: Student, password: str) -> WelcomeLetter | None:
    """The letter that tells of the change, where one does."""
    if change.kind == ChangeKind.PASSWORD:
        return letters.write(
            student, password=password, asked_by=change.asked_by, kind=LetterKind.NEW_PASSWORD
        )
    if change.new_email is not None:
        return letters.write_to_new_address(student, asked_by=change.asked_by)
    return None


def _correct(change: Change, student: Student) -> None:
    before = {"email": student.email, "full_name": student.full_name}
    email, full_name = change.new_email, change.new_full_name
    after = {name: new for name, new in (("email", email), ("full_name", full_name)) if new}
    _log(
        change,
        ActionType.STATUS_CHANGED,
        before={name: before[name] for name in after},
        after=after,
    )
    _update(student, **after)
    if email is not None:
        platform_tables.free_address(email)
    platform_tables.correct(change.account_id, email=email, full_name=full_name)


def _update(student: Student, **values: Any) -> None:
    for name, value in values.items():
        setattr(student, name, value)
    Student.objects.filter(pk=student.pk).update(**values, updated_at=Now())


def _end_sessions(student: Student) -> None:
    if not supabase_users.end_sessions(student.user_id):
        # A ban keeps them from being renewed, so they end by themselves, within an hour.
        logger.warning("sessions_not_ended", extra={"user_id": str(student.user_id)})


def _log(change: Change, action: ActionType, **details: Any) -> None:
    activity.log(
        action,
        by=change.asked_by,
        account_id=change.account_id,
        email=change.email,
        full_name=change.full_name,
        change=change.kind,
        **details,
    )


def _close(change: Change, state: IntentionState, *, refusal: str | None = None) -> None:
    Change.objects.filter(pk=change.pk).update(
        state=state, refusal=refusal, sealed_password="", closed_at=Now()
    )

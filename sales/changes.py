"""Changing a student: their status, password, name or e-mail, their manager; and deleting them.

As with a new student, the account is Supabase's and the rest ours. So a change is recorded first;
then the account is changed, in a way that can be repeated; then one transaction changes everything
of ours, writes the log entry and the letter, and closes the change. What was left open the worker
finishes, always forward: nobody could say what the account was before.
"""

import logging
from typing import Any
from uuid import UUID

import psycopg.errors
from django.db import Error as AnyDatabaseError
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower, Now
from django.views.decorators.debug import sensitive_variables

from onai import sealing
from onai.errors import DatabaseUnavailable, Problem, WrongRole
from onai.identity import accounts
from onai.identity.accounts import AccountRefused, OutcomeUnclear, Refusal
from onai.identity.roles import Identity, Role
from sales import change_refusals as refusals
from sales import directory, leases, letters
from sales.applying import apply
from sales.models import (
    Change,
    ChangeKind,
    Intention,
    IntentionState,
    Student,
    StudentStatus,
    WelcomeLetter,
)
from sales.rights import student_for
from sales.staff import Manager

logger = logging.getLogger(__name__)

_PURPOSE = "changed password"
_UNREACHABLE = (OperationalError, InterfaceError)
# Refusals that say nothing of the change; a later attempt may go through.
_PASSING = (Refusal.UNREACHABLE, Refusal.RATE_LIMITED, Refusal.NOT_PERMITTED)


class _Refused(Exception):
    """The change is closed, and this is why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


# Each of these answers the `Change`, done, or open when nobody can say yet how it ends. The same
# `attempt` is the same change. Each raises a `Problem` when nothing was changed: those of
# `sales.rights` and `sales.change_refusals`, or `DatabaseUnavailable`.


def change_status(
    student_id: UUID, status: StudentStatus, *, asker: Identity, attempt: UUID
) -> Change:
    """Give a student another status. Blocked, they are signed out and cannot sign in."""
    return _make(ChangeKind.STATUS, student_id, asker, attempt, new_status=status.value)


@sensitive_variables("password")
def reset_password(student_id: UUID, password: str, *, asker: Identity, attempt: UUID) -> Change:
    """Give a student a new password, and send it to them. Whoever is signed in is signed out."""
    sealed = sealing.seal(password, purpose=_PURPOSE)
    return _make(ChangeKind.PASSWORD, student_id, asker, attempt, sealed_password=sealed)


def correct(
    student_id: UUID, *, email: str, full_name: str, asker: Identity, attempt: UUID
) -> Change:
    """Correct a student's name or e-mail, and tell a new address that it is one."""
    new = {"new_email": email, "new_full_name": full_name}
    return _make(ChangeKind.CORRECTION, student_id, asker, attempt, **new)


def hand_over(student_id: UUID, manager: Manager, *, asker: Identity, attempt: UUID) -> Change:
    """Make a student another manager's. For admins."""
    _only_admins(asker)
    new = {"new_manager_id": manager.user_id, "new_manager_name": manager.name}
    return _make(ChangeKind.HANDOVER, student_id, asker, attempt, **new)


def delete_student(student_id: UUID, *, asker: Identity, attempt: UUID) -> Change:
    """Delete a student with their account. The log remembers them. For admins."""
    _only_admins(asker)
    return _make(ChangeKind.DELETION, student_id, asker, attempt)


def finish_open_changes(*, limit: int = 200) -> int:
    """Finish what nobody is working on any more; answers how many changes were closed."""
    return leases.finish_expired(Change, finish, limit=limit)


def finish(change_id: UUID) -> bool:
    """Finish one change; False if somebody else is at it, or has closed it.

    Raises `OutcomeUnclear` when Supabase cannot say; then it stays open.
    """
    change: Change | None = leases.take(Change, change_id)
    if change is None:
        return False
    about = {"change_id": str(change.pk), "kind": change.kind, "attempts": change.attempts}
    try:
        _carry_through(change)
    except _Refused as refused:
        logger.warning("change_refused", extra={**about, "reason": refused.problem.code})
    except OutcomeUnclear:
        logger.warning("change_still_open", extra=about)
        raise
    else:
        logger.warning("change_finished", extra=about)
    return True


def find_change(change_id: UUID, asker: Identity) -> Change | None:
    """A change that somebody asked for themselves, or anybody's for an admin."""
    return _own(Change.objects.filter(pk=change_id), asker).first()


def open_change_of(student: Student) -> Change | None:
    """The change of a student that has not come to its end."""
    return Change.objects.filter(student_id=student.pk, state=IntentionState.OPEN).first()


def unsettled_changes(asker: Identity) -> list[Change]:
    """What its asker may still wonder about: changes that are open, or refused within a day.

    The asker's own; for an admin everybody's. Newest first, at most twenty.
    """
    recent = Q(state=IntentionState.OPEN) | Q(
        state=IntentionState.REFUSED,
        attempts__gt=1,  # else they were told at once
        closed_at__gt=Now() - refusals.SHOWN,
    )
    return list(_own(Change.objects.filter(recent), asker).order_by("-created_at")[:20])


def _own(changes: "QuerySet[Change]", asker: Identity) -> "QuerySet[Change]":
    return changes if asker.role is Role.ADMIN else changes.filter(asked_by=asker.user_id)


def _only_admins(asker: Identity) -> None:
    if asker.role is not Role.ADMIN:
        raise WrongRole


# --- Recording it ------------------------------------------------------------------------------


def _make(
    kind: ChangeKind, student_id: UUID, asker: Identity, attempt: UUID, **wanted: Any
) -> Change:
    try:
        earlier = Change.objects.filter(pk=attempt).first()
        change = earlier or _record(kind, student_id, asker, attempt, wanted)
    except _UNREACHABLE as error:
        logger.error("database_unavailable", exc_info=error)
        raise DatabaseUnavailable from error
    if earlier is not None:
        return _repeated(earlier, kind, student_id, asker)
    try:
        return _carry_through(change)
    except _Refused as refused:
        raise refused.problem from refused
    except OutcomeUnclear:
        logger.warning("change_left_open", extra={"change_id": str(change.pk), "kind": kind.value})
    except _UNREACHABLE as error:
        logger.error("change_interrupted", extra={"change_id": str(change.pk), "kind": kind.value})
        logger.debug("change_interrupted", exc_info=error)
    return change


def _repeated(earlier: Change, kind: ChangeKind, student_id: UUID, asker: Identity) -> Change:
    """The change of before, for a second tap on the same button."""
    if (earlier.kind, earlier.student_id, earlier.asked_by) != (kind, student_id, asker.user_id):
        raise refusals.ChangeInProgress
    if earlier.state == IntentionState.REFUSED:
        raise refusals.by_code(earlier.refusal or "")
    return earlier


def _record(
    kind: ChangeKind, student_id: UUID, asker: Identity, attempt: UUID, wanted: dict[str, Any]
) -> Change:
    try:
        with transaction.atomic(using="tripwire"):
            student = student_for(asker, student_id, locked=True)
            return Change.objects.create(
                pk=attempt,
                kind=kind,
                student_id=student.pk,
                account_id=student.user_id,
                email=student.email,
                full_name=student.full_name,
                asked_by=asker.user_id,
                leased_until=Now() + leases.LEASE,
                **_acceptable(kind, student, wanted),
            )
    except IntegrityError as error:
        under_way = Change.objects.filter(student_id=student_id, state=IntentionState.OPEN).first()
        if under_way is None and "new_email" in wanted:
            raise refusals.AddressTaken from error
        raise refusals.ChangeInProgress(under_way.pk if under_way else None) from error


def _acceptable(kind: ChangeKind, student: Student, wanted: dict[str, Any]) -> dict[str, Any]:
    """What of it is to change, if it may be."""
    match kind:
        case ChangeKind.STATUS:
            idle = wanted["new_status"] == student.status
        case ChangeKind.CORRECTION:
            wanted = _corrections(student, wanted)
            idle = not wanted
        case ChangeKind.HANDOVER:
            idle = wanted["new_manager_id"] == student.granted_by
        case _:
            idle = False
    if idle:
        raise refusals.NothingToChange
    _refuse_what_is_not_only_theirs(student)
    return wanted


def _corrections(student: Student, wanted: dict[str, Any]) -> dict[str, Any]:
    """Of name and e-mail, what differs from what is there. Raises `AddressTaken`."""
    email, full_name = wanted["new_email"], wanted["new_full_name"]
    different = {}
    if full_name != student.full_name:
        different["new_full_name"] = full_name
    if email != student.email.lower():
        _refuse_taken(email, student)
        different["new_email"] = email
    return different


def _refuse_taken(email: str, student: Student) -> None:
    others = Student.objects.annotate(lower_email=Lower("email")).filter(lower_email=email)
    being_created = Intention.objects.filter(email=email, state=IntentionState.OPEN)
    account = directory.account_of(email)
    if (
        others.exclude(pk=student.pk).exists()
        or being_created.exists()
        or (account is not None and account.id != student.user_id)
    ):
        raise refusals.AddressTaken


def _refuse_what_is_not_only_theirs(student: Student) -> None:
    """An account that is a staff member's as well, or another student's, is not ours to change."""
    account = directory.account_with(student.user_id)
    if account is not None and account.role in (Role.ADMIN, Role.SALES):
        raise refusals.StaffAccount
    if Student.objects.filter(user_id=student.user_id).exclude(pk=student.pk).exists():
        raise refusals.SharedAccount


# --- Carrying it through -----------------------------------------------------------------------


@sensitive_variables("password")
def _carry_through(change: Change) -> Change:
    """From a change whose lease we hold to its end.

    Raises `_Refused`; or `OutcomeUnclear` or the database's error, and then it stays open.
    """
    try:
        sealed = change.sealed_password
        password = sealing.unseal(sealed, purpose=_PURPOSE) if sealed else ""
    except sealing.Unsealable as error:
        raise _close(change, refusals.PasswordLost()) from error
    try:
        _change_account(change, password)
    except AccountRefused as refused:
        if change.attempts > 1 and refused.why in _PASSING:
            raise OutcomeUnclear from refused
        raise _close(change, refusals.of_account(refused.why)) from refused
    try:
        letter = apply(change, password)
    except IntegrityError as error:
        if not isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            raise
        raise _give_address_back(change) from error
    if letter is not None:
        _send(letter)
    change.refresh_from_db()
    if change.state == IntentionState.REFUSED:
        raise _Refused(refusals.by_code(change.refusal or ""))
    return change


@sensitive_variables("password")
def _change_account(change: Change, password: str) -> None:
    """Whatever of the change is Supabase's."""
    account_id = change.account_id
    match change.kind:
        case ChangeKind.STATUS:
            if (banned := _ban(change)) is not None:
                accounts.change_account(account_id, banned=banned)
        case ChangeKind.PASSWORD:
            accounts.change_account(account_id, password=password)
        case ChangeKind.CORRECTION:
            accounts.change_account(
                account_id, email=change.new_email, full_name=change.new_full_name
            )
        case ChangeKind.DELETION:
            accounts.delete_account(account_id)


def _ban(change: Change) -> bool | None:
    """Whether a new status bans the account, lifts its ban, or has nothing to do with one."""
    if change.new_status == StudentStatus.BLOCKED:
        return True
    was_blocked = Student.objects.filter(pk=change.student_id, status=StudentStatus.BLOCKED)
    return False if was_blocked.exists() else None


def _give_address_back(change: Change) -> _Refused:
    """Undo a correction at Supabase: another row, written past us, has the address already."""
    try:
        accounts.change_account(change.account_id, email=change.email, full_name=change.full_name)
    except AccountRefused as refused:
        raise OutcomeUnclear from refused
    return _close(change, refusals.AddressTaken())


def _send(letter: WelcomeLetter) -> None:
    try:
        letters.attempt(letter.pk)
    except (AnyDatabaseError, WelcomeLetter.DoesNotExist) as error:
        # It is in the outbox, and the worker brings it to its end.
        logger.warning("letter_left_to_worker", exc_info=error)


def _close(change: Change, problem: Problem) -> _Refused:
    Change.objects.filter(pk=change.pk, state=IntentionState.OPEN).update(
        state=IntentionState.REFUSED,
        refusal=problem.code,
        sealed_password="",
        closed_at=Now(),
    )
    return _Refused(problem)

"""Changing a student: their status, password, name or e-mail, their manager; and deleting them.

As with a new student, the account is Supabase's and the rest ours. So a change is recorded first;
then the account is changed, in a way that can be repeated; then one transaction changes everything
of ours, writes the log entry and the letter, and closes the change. What was left open the worker
finishes, always forward: nobody could say what the account was before.
"""

import logging
from uuid import UUID

import psycopg.errors
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db import Error as AnyDatabaseError
from django.db.models.functions import Now
from django.views.decorators.debug import sensitive_variables

from onai import encryption
from onai.db.visibility import Visibility, visibility
from onai.identity import accounts
from onai.identity.accounts import AccountRefused, OutcomeUnclear, Refusal
from onai.identity.roles import Identity, Role
from onai.web.problems import DatabaseUnavailable, Problem, WrongRole
from sales import activity, adoption, letters, supabase_users, unreadable_accounts
from sales.models import (
    ActionType,
    Change,
    ChangeKind,
    IntentionState,
    Student,
    StudentStatus,
    WelcomeLetter,
)
from sales.provisioning import account_errors, account_references, enrolment, leases
from sales.provisioning import change_refusals as refusals
from sales.provisioning.applying import apply
from sales.provisioning.recording import new_password_of, record, refuse_held
from sales.staff import Manager

logger = logging.getLogger(__name__)

_UNREACHABLE = (OperationalError, InterfaceError)
# What our rows may still refuse when the account is changed. No password can be given back.
_CAN_BE_GIVEN_BACK = (ChangeKind.STATUS, ChangeKind.CORRECTION, ChangeKind.HANDOVER)


class _Refused(Exception):
    """The change is closed, and this is why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


# Each of these answers the `Change`, done, or open when nobody can say yet how it ends. The same
# `attempt` is the same change. Each raises a `Problem` when nothing was changed: those of
# `sales.permissions` and `sales.provisioning.change_refusals`, or `DatabaseUnavailable`.


def change_status(
    student_id: UUID, status: StudentStatus, *, asker: Identity, attempt: UUID
) -> Change:
    """Give a student another status. Blocked, they are signed out and cannot sign in."""
    return _make(ChangeKind.STATUS, student_id, asker, attempt, new_status=status.value)


@sensitive_variables("password")
def reset_password(student_id: UUID, password: str, *, asker: Identity, attempt: UUID) -> Change:
    """Give a student a new password, and send it to them. Whoever is signed in is signed out."""
    return _make(ChangeKind.PASSWORD, student_id, asker, attempt, password=password)


def correct(
    student_id: UUID, *, email: str, full_name: str, asker: Identity, attempt: UUID
) -> Change:
    """Correct a student's name or e-mail, and tell a new address that it is one."""
    new = {"new_email": email, "new_full_name": full_name}
    return _make(ChangeKind.CORRECTION, student_id, asker, attempt, **new)


def hand_over(student_id: UUID, manager: Manager, *, asker: Identity, attempt: UUID) -> Change:
    """Make a student another manager's. For admins."""
    _only_admins(asker)
    new = {"new_manager_id": str(manager.user_id), "new_manager_name": manager.name}
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


def give_up(change_id: UUID, *, by: UUID | None = None) -> bool:
    """Close an open change that nobody can finish; False when there is none, or it is too new.

    For admins and operators, who have to look what the account is like: nothing is undone. Who did
    it, by the page, is in the log.
    """
    old = Now() - account_errors.NOTHING_UNDER_WAY_AFTER
    with transaction.atomic(using="tripwire"):
        change = (
            Change.objects.select_for_update()
            .filter(pk=change_id, state=IntentionState.OPEN, created_at__lt=old)
            .first()
        )
        if change is None:
            return False
        Change.objects.filter(pk=change.pk).update(
            state=IntentionState.REFUSED,
            refusal=refusals.ChangeGivenUp.code,
            sealed_password="",
            closed_at=Now(),
        )
        if by is not None:
            _log_the_end(change, by)
    logger.warning("change_given_up", extra={"change_id": str(change.pk), "by": str(by or "")})
    return True


def _log_the_end(change: Change, by: UUID) -> None:
    is_gone = supabase_users.account_with(change.account_id) is None
    try:
        with transaction.atomic(using="tripwire"):
            activity.log(
                ActionType.STATUS_CHANGED,
                by=by,
                account_id=change.account_id,
                email=change.email,
                full_name=change.full_name,
                is_gone=is_gone and account_references.log_needs_accounts(),
                change=activity.GIVEN_UP,
                before=change.kind,
            )
    except DatabaseError as error:
        if not enrolment.is_forbidden(error):
            raise
        # Perhaps the very reason why it could not be finished.


def _only_admins(asker: Identity) -> None:
    if asker.role is not Role.ADMIN:
        raise WrongRole


@sensitive_variables("wanted")
def _make(
    kind: ChangeKind, student_id: UUID, asker: Identity, attempt: UUID, **wanted: str
) -> Change:
    try:
        adoption.require_fit()
        change, is_new = record(kind, student_id, asker, attempt, wanted)
    except _UNREACHABLE as error:
        logger.error("database_unavailable", exc_info=error)
        raise DatabaseUnavailable from error
    if not is_new:
        return change
    try:
        return _carry_through(change)
    except _Refused as refused:
        raise refused.problem from refused
    except OutcomeUnclear:
        logger.warning("change_left_open", extra={"change_id": str(change.pk), "kind": kind.value})
    except (InterfaceError, DatabaseError) as error:
        # Also where a table forbids what cannot be taken back: an admin can end it from its page.
        logger.error("change_interrupted", extra={"change_id": str(change.pk), "kind": kind.value})
        logger.debug("change_interrupted", exc_info=error)
    return change


# --- Carrying it through -----------------------------------------------------------------------


@sensitive_variables("password")
def _carry_through(change: Change) -> Change:
    """From a change whose lease we hold to its end.

    Raises `_Refused`; or `OutcomeUnclear` or the database's error, and then it stays open.
    """
    try:
        password = new_password_of(change)
    except encryption.Unsealable as error:
        raise _close(change, refusals.PasswordLost()) from error
    try:
        _change_account(change, password)
    except AccountRefused as refused:
        if change.attempts > 1 and refused.why in account_errors.PASSING:
            raise OutcomeUnclear from refused
        raise _close(change, _of_refusal(refused, change)) from refused
    except OutcomeUnclear as unclear:
        _weigh(change, unclear)
    try:
        letter = apply(change, password)
    except DatabaseError as error:
        if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            # Another row, written past us, has the address already.
            raise _give_back(change, refusals.AddressTaken()) from error
        if change.kind in _CAN_BE_GIVEN_BACK and enrolment.is_forbidden(error):
            raise _give_back(change, refusals.RowsForbidden()) from error
        raise
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
            account_references.delete_account(account_id)
            if supabase_users.account_with(account_id) is not None:
                # Supabase does not see every account, and says of such a one that it is gone.
                raise OutcomeUnclear(over=True, error="the account is still there")


def _of_refusal(refused: AccountRefused, change: Change) -> Problem:
    if refused.why is Refusal.GONE and supabase_users.account_with(change.account_id) is not None:
        return refusals.AccountUnreadable()
    return refusals.of_account(refused.why, change)


def _weigh(change: Change, unclear: OutcomeUnclear) -> None:
    """What an unclear answer comes to: nothing, where the change took effect all the same.

    Supabase answers with an error of its own to what it will never do. Where the reason can be
    seen, or it has said so often enough, that is a refusal; anything else stays unclear.
    """
    if unclear.error and _is_as_wanted(change):
        return
    if unclear.error:
        try:
            _refuse_for_good(change)
        except Problem as problem:
            raise _close(change, problem) from unclear
    if account_errors.are_enough(change, unclear.error):
        raise _close(change, refusals.AuthAnswersErrors()) from unclear
    raise unclear


def _is_as_wanted(change: Change) -> bool:
    """Whether an attempt of before, of which nobody heard, has changed the account."""
    account = supabase_users.account_with(change.account_id)
    if account is None:
        # One that we do not see is not gone.
        seen = visibility("tripwire", "auth.users") is Visibility.SEEN
        return seen and change.kind == ChangeKind.DELETION
    match change.kind:
        case ChangeKind.STATUS:
            return supabase_users.is_banned(account.id) == (
                change.new_status == StudentStatus.BLOCKED
            )
        case ChangeKind.CORRECTION:
            is_called = (change.new_email or account.email, change.new_full_name)
            return is_called == (account.email, change.new_full_name and account.full_name)
    return False


def _refuse_for_good(change: Change) -> None:
    """Raise why Supabase will never do it, where that can be seen from here."""
    if change.new_email is not None:
        refuse_held(change.new_email, change.account_id)
    if lacking := unreadable_accounts.unreadable(change.account_id):
        account_errors.explain(change, str(lacking))
        raise refusals.AccountUnreadable
    if change.kind == ChangeKind.DELETION:
        forbidding = account_references.forbidding(change.account_id)
        if forbidding:
            account_errors.explain(change, ", ".join(map(str, forbidding)))
            raise refusals.DeletionForbidden


def _ban(change: Change) -> bool | None:
    """Whether a new status bans the account, lifts its ban, or has nothing to do with one."""
    if change.new_status == StudentStatus.BLOCKED:
        return True
    return False if supabase_users.is_banned(change.account_id) else None


def _give_back(change: Change, problem: Problem) -> _Refused:
    """Undo a change at Supabase that our rows will not have."""
    try:
        match change.kind:
            case ChangeKind.CORRECTION:
                accounts.change_account(
                    change.account_id, email=change.account_email, full_name=change.account_name
                )
            case ChangeKind.STATUS:
                student = Student.objects.filter(pk=change.student_id).first()
                if student is not None and not supabase_users.ban_fits(student):
                    banned = student.status == StudentStatus.BLOCKED
                    accounts.change_account(change.account_id, banned=banned)
    except AccountRefused as refused:
        if refused.why in account_errors.PASSING:
            raise OutcomeUnclear from refused
        # The old address is somebody's as well by now; `compare_accounts` tells of the two.
        logger.error("change_not_given_back", extra={"change_id": str(change.pk)})
    except OutcomeUnclear as unclear:
        if not account_errors.are_enough(change, unclear.error):
            raise
        logger.error("change_not_given_back", extra={"change_id": str(change.pk)})
    return _close(change, problem)


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

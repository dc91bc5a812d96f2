"""Changes a student: status, password, name or e-mail, manager; and deletes one.

The account is Supabase's and the rest ours. So a change is recorded first; then the account is
changed by a call that can be repeated; then one transaction changes our rows, writes the log entry
and the letter, and closes the request. The worker finishes what stays open. It never undoes it,
because nobody knows what the account was before.
"""

import logging
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

import psycopg.errors
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models.functions import Now
from django.views.decorators.debug import sensitive_variables

from onai import encryption
from onai.db.visibility import Visibility, visibility
from onai.identity import accounts, passwords
from onai.identity.accounts import AccountRefused, OutcomeUnclear, Refusal
from onai.identity.roles import Identity
from onai.web.problems import Problem, WrongRole
from sales import letters, supabase_users, unreadable_accounts
from sales.models import (
    LetterState,
    RequestKind,
    RequestState,
    Student,
    StudentRequest,
    StudentStatus,
)
from sales.permissions import student_for
from sales.provisioning import (
    account_errors,
    account_references,
    problems,
    request_rules,
    student_requests,
    student_rows,
    work_lease,
)
from sales.provisioning.student_requests import Progress
from sales.staff import Manager

logger = logging.getLogger(__name__)

# Changes that our rows may still refuse once the account is changed. A password cannot be given
# back.
_CAN_BE_ROLLED_BACK = (RequestKind.STATUS, RequestKind.CORRECTION, RequestKind.HANDOVER)


@dataclass(frozen=True, slots=True)
class NewStatus:
    """Another status. A blocked student is signed out and cannot sign in."""

    kind: ClassVar = RequestKind.STATUS
    status: StudentStatus


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A new password, which is sent to the student and ends all sessions."""

    kind: ClassVar = RequestKind.PASSWORD
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Correction:
    """The right name, e-mail and phone, None for no phone. A letter goes to a new address.

    Whoever has never signed in gets a new password with it where the former one may have gone to
    somebody else: `password`, or a random one.
    """

    kind: ClassVar = RequestKind.CORRECTION
    email: str
    full_name: str
    phone: str | None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Handover:
    """Another manager. For admins."""

    kind: ClassVar = RequestKind.HANDOVER
    manager: Manager


@dataclass(frozen=True, slots=True)
class Deletion:
    """The end of the student and the account; the log remembers them. For admins."""

    kind: ClassVar = RequestKind.DELETION


Change = NewStatus | NewPassword | Correction | Handover | Deletion


@sensitive_variables("change")
def change_student(
    student_id: UUID, change: Change, *, asker: Identity, attempt: UUID
) -> StudentRequest:
    """Change or delete a student. The same `attempt` is the same change.

    Returns the request: done, or open while the outcome is unknown. Raises a `Problem` when nothing
    was changed.
    """
    if isinstance(change, Handover | Deletion) and not asker.is_admin:
        raise WrongRole
    progress = student_requests.begin(
        lambda: student_requests.record(
            student_requests.content_of(change, student_id, asker.user_id),
            lambda: StudentRequest.objects.filter(pk=attempt).first(),
            lambda fingerprint: _make(student_id, change, asker, attempt, fingerprint),
        ),
        carry_through,
    )
    return progress.request


# --- Recording it ------------------------------------------------------------------------------


@sensitive_variables("change")
def _make(
    student_id: UUID, change: Change, asker: Identity, attempt: UUID, fingerprint: str
) -> StudentRequest:
    try:
        with transaction.atomic(using="tripwire"):
            student = student_for(asker, student_id, locked=True)
            account = request_rules.account_of(student, change.kind)
            values = _new_values(change, student, account)
            password = _new_password(change, reissues=bool(values.get("reissues")))
            return StudentRequest.objects.create(
                pk=attempt,
                kind=change.kind,
                student_id=student.pk,
                account_id=student.user_id,
                email=student.email,
                full_name=student.full_name,
                account_email=account.email,
                account_name=account.full_name,
                asked_by=asker.user_id,
                fingerprint=fingerprint,
                sealed_password=student_requests.seal(password, change.kind),
                leased_until=Now() + work_lease.LEASE,
                **values,
            )
    except IntegrityError as error:
        email = change.email if isinstance(change, Correction) else None
        raise request_rules.conflict_of(student_id, email) from error


@sensitive_variables("change")
def _new_password(change: Change, *, reissues: bool) -> str:
    """The password that the change gives; empty where it gives none."""
    match change:
        case NewPassword(password):
            return password
        case Correction() if reissues:
            return change.password or passwords.suggest()
    return ""


def _new_values(change: Change, student: Student, account: Identity) -> dict[str, object]:
    """The new values, by the fields of a request. Raises a `Problem` where the change is not
    allowed.
    """
    match change:
        case NewStatus(status):
            # The predecessor wrote statuses without a ban.
            if status == student.status and supabase_users.ban_fits(student):
                raise problems.NothingToChange
            return {"new_status": status}
        case NewPassword():
            if account.email.lower() != student.email.lower():
                raise problems.AddressDiffers
            return {}
        case Correction():
            return _corrections(change, student, account)
        case Handover(manager):
            if manager.user_id == student.granted_by:
                raise problems.NothingToChange
            return {"new_manager_id": manager.user_id, "new_manager_name": manager.name}
        case Deletion():
            return {}


def _corrections(change: Correction, student: Student, account: Identity) -> dict[str, object]:
    """The new e-mail and name, as far as they differ from ours or from Supabase's; and the phone,
    which is ours alone.
    """
    email, different = change.email.lower(), dict[str, object]()
    if not student.full_name == account.full_name == change.full_name:
        different["new_full_name"] = change.full_name
    if student.phone != change.phone:
        different["new_phone"] = change.phone or ""
    if not student.email.lower() == account.email.lower() == email:
        request_rules.refuse_address(email, student)
        different["new_email"] = email
        different["reissues"] = _is_strangers(student, email)
    if not different:
        raise problems.NothingToChange
    return different


def _is_strangers(student: Student, new_email: str) -> bool:
    """Whether the owner of the wrong address may have received the student's password.

    An address that changes in its case only is the same mailbox.
    """
    letter = student.latest_letter
    never_sent = letter is not None and letter.state != LetterState.SENT and letter.refused
    if never_sent or student.email.lower() == new_email:
        return False
    return supabase_users.last_sign_in_at(student.user_id) is None


# --- Carrying it through -----------------------------------------------------------------------


@sensitive_variables("password")
def carry_through(change: StudentRequest) -> Progress:
    """Finish a change whose lease we hold.

    Raises the `Problem` it was closed with; or `OutcomeUnclear` or the database's error, and then
    it stays open.
    """
    try:
        password = student_requests.password_of(change)
    except encryption.Unsealable as error:
        raise _refused(change, problems.PasswordLost(change.kind)) from error
    try:
        _change_account(change, password)
    except AccountRefused as refused:
        if change.attempts > 1 and refused.why in account_errors.PASSING:
            raise OutcomeUnclear from refused
        raise _refused(change, _of_refusal(refused, change)) from refused
    except OutcomeUnclear as unclear:
        _resolve_unclear(change, unclear)
    try:
        closed, letter = student_rows.apply(change, password)
    except DatabaseError as error:
        if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            # Another row, written by other software, has the address already.
            raise _roll_back(change, problems.EmailTaken(change.kind)) from error
        if change.kind in _CAN_BE_ROLLED_BACK and student_rows.is_forbidden(error):
            raise _roll_back(change, problems.RowsForbidden(change.kind)) from error
        raise
    if letter is not None:
        letters.attempt_at_once(letter)
    if closed.state == RequestState.REFUSED:
        raise problems.of_request(closed)
    return Progress(closed, letter=letter)


@sensitive_variables("password")
def _change_account(change: StudentRequest, password: str) -> None:
    """Change the account at Supabase."""
    account_id = change.account_id
    match change.kind:
        case RequestKind.STATUS:
            if (banned := _ban(change)) is not None:
                accounts.change_account(account_id, banned=banned)
        case RequestKind.PASSWORD:
            accounts.change_account(account_id, password=password)
        case RequestKind.CORRECTION:
            if _concerns_account(change):
                accounts.change_account(
                    account_id,
                    email=change.new_email,
                    full_name=change.new_full_name,
                    password=password or None,
                )
        case RequestKind.DELETION:
            account_references.delete_account(account_id)
            if supabase_users.account_with(account_id) is not None:
                # Supabase does not see every account, and calls such a one missing.
                raise OutcomeUnclear(over=True, error="the account is still there")


def _concerns_account(change: StudentRequest) -> bool:
    """Whether a correction is of more than the phone, which Supabase does not know."""
    return change.new_email is not None or change.new_full_name is not None


def _ban(change: StudentRequest) -> bool | None:
    """Whether a new status bans the account (True), lifts its ban (False), or neither (None)."""
    if change.new_status == StudentStatus.BLOCKED:
        return True
    return False if supabase_users.is_banned(change.account_id) else None


def _of_refusal(refused: AccountRefused, change: StudentRequest) -> Problem:
    if refused.why is Refusal.GONE and supabase_users.account_with(change.account_id) is not None:
        return problems.AccountUnreadable(change.kind)
    return problems.of_account(refused.why, change.kind)


def _resolve_unclear(change: StudentRequest, unclear: OutcomeUnclear) -> None:
    """Decide on an unclear answer: return where the change took effect all the same.

    Supabase answers with an error of its own to what it will never do. Where the reason is visible,
    or the error came often enough, that is a refusal. Anything else stays unclear.
    """
    if unclear.error and _has_taken_effect(change):
        return
    if unclear.error:
        try:
            _raise_visible_reason(change)
        except Problem as problem:
            raise _refused(change, problem) from unclear
    if account_errors.is_repeated_error(change, unclear.error):
        raise _refused(change, problems.AuthFailed(change.kind)) from unclear
    raise unclear


def _has_taken_effect(change: StudentRequest) -> bool:
    """Whether an earlier attempt, whose answer is unknown, has changed the account."""
    account = supabase_users.account_with(change.account_id)
    if account is None:
        # An account that we do not see is not gone.
        seen = visibility("tripwire", "auth.users") is Visibility.SEEN
        return seen and change.kind == RequestKind.DELETION
    match change.kind:
        case RequestKind.STATUS:
            blocked = change.new_status == StudentStatus.BLOCKED
            return supabase_users.is_banned(account.user_id) == blocked
        case RequestKind.CORRECTION if change.reissues and change.account_email == change.new_email:
            return False  # That the password is the new one cannot be seen.
        case RequestKind.CORRECTION:
            is_called = (change.new_email or account.email, change.new_full_name)
            return is_called == (account.email, change.new_full_name and account.full_name)
    return False


def _raise_visible_reason(change: StudentRequest) -> None:
    """Raise the reason why Supabase will never do it, where it is visible here."""
    if change.new_email is not None:
        request_rules.refuse_held(change.new_email, change.account_id)
    if lacking := unreadable_accounts.unreadable(change.account_id):
        account_errors.keep_reason(change, str(lacking))
        raise problems.AccountUnreadable(change.kind)
    is_deletion = change.kind == RequestKind.DELETION
    if is_deletion and (blocking := account_references.blocking(change.account_id)):
        account_errors.keep_reason(change, ", ".join(map(str, blocking)))
        raise problems.DeletionForbidden(change.kind)


def _roll_back(change: StudentRequest, problem: Problem) -> Problem:
    """Undo a change at Supabase that our rows refuse."""
    try:
        match change.kind:
            case RequestKind.CORRECTION if _concerns_account(change):
                accounts.change_account(
                    change.account_id,
                    email=change.account_email,
                    full_name=change.account_name,
                    password=letters.kept_password(change.student_id) if change.reissues else None,
                )
            case RequestKind.STATUS:
                student = change.students().first()
                if student is not None and not supabase_users.ban_fits(student):
                    banned = student.status == StudentStatus.BLOCKED
                    accounts.change_account(change.account_id, banned=banned)
    except AccountRefused as refused:
        if refused.why in account_errors.PASSING:
            raise OutcomeUnclear from refused
        # The old address is taken by now; `compare_accounts` reports both.
        logger.error("change_not_given_back", extra=student_requests.log_fields(change))
    except OutcomeUnclear as unclear:
        if not account_errors.is_repeated_error(change, unclear.error):
            raise
        logger.error("change_not_given_back", extra=student_requests.log_fields(change))
    return _refused(change, problem)


def _refused(change: StudentRequest, problem: Problem) -> Problem:
    student_requests.close(change, problem)
    return problem

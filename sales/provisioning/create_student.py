"""Creates a student: account, row, log entry and letter, all or none.

The account is Supabase's and the rest ours, so no transaction spans both. So the request is
recorded first, with an account id of our choice; then the account is opened under that id; then one
transaction creates our rows and closes the request. Every step can be repeated. The worker finishes
or undoes what stays open.
"""

import json
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg.errors
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models.functions import Now
from django.views.decorators.debug import sensitive_variables

from onai.identity import accounts, passwords
from onai.identity.accounts import AccountRefused, OutcomeUnclear, Refusal
from onai.identity.roles import Identity
from onai.web.problems import Problem
from sales import letters, supabase_users, unreadable_accounts
from sales.models import Language, RequestKind, RequestState, Student, StudentRequest, WelcomeLetter
from sales.provisioning import (
    account_errors,
    account_references,
    platform_tables,
    problems,
    request_rules,
    student_requests,
    student_rows,
    work_lease,
)
from sales.provisioning.student_requests import Progress
from sales.staff import Manager


@dataclass(frozen=True, slots=True)
class NewStudent:
    """The cleaned input of a form, with the password out of every repr.

    `adopt` takes over an account that has no student, for admins. `buyer_id` is the buyer whose
    line in the queue it closes; without it, e-mail and phone say whose.
    """

    email: str
    full_name: str
    password: str = field(repr=False)
    manager: Manager
    adopt: bool = False
    # None for Russian: so a key of before there was a choice finds its request again.
    language: str | None = None
    phone: str | None = None
    buyer_id: UUID | None = None


@sensitive_variables("new")
def create_student(
    new: NewStudent, *, asker: Identity, idempotency_key: str | None = None
) -> Progress:
    """Create a student, or take over an account that has none.

    The same key and content of one user is the same creation. Returns a creation: done, or open
    while the outcome is unknown. Raises a `Problem` when nothing was created.
    """
    try:
        progress = student_requests.begin(
            lambda: _record(new, asker, idempotency_key), carry_through
        )
    except problems.EmailTaken:
        request_rules.refuse_what_exists(new.email, asker)  # as much as the asker may know
        raise
    return progress if progress.student else student_requests.progress_of(progress.request)


@sensitive_variables("new", "former")
def _record(new: NewStudent, asker: Identity, key: str | None) -> tuple[StudentRequest, bool]:
    # The form that versions until November 2026 recorded; keys are kept for thirty days.
    former = [new.email, new.full_name, new.password, str(new.manager.user_id), new.adopt]
    return student_requests.record(
        student_requests.content_of(new),
        lambda: _earlier(asker, key),
        lambda fingerprint: _make(new, asker, key, fingerprint),
        former_content=(json.dumps(former), "creation request"),
    )


def _earlier(asker: Identity, key: str | None) -> StudentRequest | None:
    if key is None:
        return None
    return StudentRequest.objects.filter(asked_by=asker.user_id, idempotency_key=key).first()


@sensitive_variables("new")
def _make(new: NewStudent, asker: Identity, key: str | None, fingerprint: str) -> StudentRequest:
    request_rules.refuse_what_exists(new.email, asker)
    account_id = request_rules.account_to_adopt(new.email, asker) if new.adopt else uuid4()
    try:
        with transaction.atomic(using="tripwire"):
            return StudentRequest.objects.create(
                kind=RequestKind.CREATION,
                adopts=new.adopt,
                account_id=account_id,
                language=new.language or Language.RUSSIAN,
                email=new.email,
                full_name=new.full_name,
                new_email=new.email,
                new_phone=new.phone,
                buyer_id=new.buyer_id,
                new_manager_id=new.manager.user_id,
                new_manager_name=new.manager.name,
                sealed_password=student_requests.seal(new.password, RequestKind.CREATION),
                asked_by=asker.user_id,
                idempotency_key=key,
                fingerprint=fingerprint,
                leased_until=Now() + work_lease.LEASE,
            )
    except IntegrityError as error:
        request_rules.refuse_what_exists(new.email, asker)
        raise problems.InProgress from error


# --- Carrying it through -----------------------------------------------------------------------


@sensitive_variables("password")
def carry_through(request: StudentRequest) -> Progress:
    """Finish a creation whose lease we hold.

    Raises the `Problem` it was closed with; or `OutcomeUnclear`, `Unsealable` or the database's
    error, and then it stays open.
    """
    if request.give_up_at is not None:
        raise _undo(request, problems.GivenUp(), opened=True)
    password = student_requests.password_of(request)
    _ensure_account(request, password)
    done, student, letter = _enrol(request, password)
    letters.attempt_at_once(letter)
    return Progress(done, student, letter)


@sensitive_variables("password")
def _ensure_account(request: StudentRequest, password: str) -> None:
    """Ensure that the account exists with this password, or undo the request."""
    try:
        if request.adopts:
            accounts.make_student_account(
                request.account_id,
                email=request.email,
                full_name=request.full_name,
                password=password,
            )
        else:
            _open_account(request, password)
    except OutcomeUnclear as unclear:
        if not request.adopts and _is_there(request):
            _retry_password(request, password)
        elif unclear.error and not request.adopts and platform_tables.free_address(request.email):
            _retry_opening(request, password)
        else:
            _resolve_unclear(request, unclear)
    except AccountRefused as refused:
        is_echo = refused.why is Refusal.EMAIL_EXISTS and not request.adopts and _is_there(request)
        if not is_echo:
            raise _refused(request, refused) from refused
        # "E-mail exists" only means that our earlier attempt succeeded.
        _retry_password(request, password)


@sensitive_variables("password")
def _open_account(request: StudentRequest, password: str) -> None:
    """Open the account.

    Supabase checks a password only when one is changed. Where it may refuse this one, the account
    is opened with a password that nobody knows, so that nobody gets in before the check.
    """
    may_be_refused = passwords.may_refuse_leaked()
    accounts.open_student_account(
        request.account_id,
        email=request.email,
        full_name=request.full_name,
        password=passwords.suggest() if may_be_refused else password,
    )
    if may_be_refused:
        _set_password(request, password)


@sensitive_variables("password")
def _set_password(request: StudentRequest, password: str) -> None:
    """Give the account that we opened its password, or undo the request."""
    try:
        accounts.change_account(request.account_id, password=password)
    except AccountRefused as refused:
        if refused.why in (Refusal.GONE, *account_errors.PASSING):
            raise OutcomeUnclear from refused
        problem = problems.of_account(refused.why, RequestKind.CREATION)
        raise _undo(request, problem, opened=True) from refused


@sensitive_variables("password")
def _retry_password(request: StudentRequest, password: str) -> None:
    """Set the password after an attempt whose outcome is unknown."""
    try:
        _set_password(request, password)
    except OutcomeUnclear as unclear:
        if not account_errors.is_repeated_error(request, unclear.error):
            raise
        raise _undo(request, problems.AuthFailed(), opened=True) from unclear


@sensitive_variables("password")
def _retry_opening(request: StudentRequest, password: str) -> None:
    """Try again, now that the obstacle is gone; the worker does the rest."""
    try:
        _open_account(request, password)
    except AccountRefused as refused:
        raise OutcomeUnclear from refused


def _is_there(request: StudentRequest) -> bool:
    """Whether the account exists by now. Raises `OutcomeUnclear` where that cannot be found out."""
    try:
        return accounts.find(request.account_id) is not None
    except OutcomeUnclear as unclear:
        # Supabase cannot read every account that it has.
        if unclear.error and supabase_users.account_with(request.account_id) is not None:
            return True
        raise


def _resolve_unclear(request: StudentRequest, unclear: OutcomeUnclear) -> None:
    """Undo the request where an unclear answer is a refusal; otherwise raise it again.

    It is a refusal where no call can be running any more, or where Supabase has given the same
    error of its own often enough.
    """
    is_repeated = account_errors.is_repeated_error(request, unclear.error)
    problem = _visible_reason(request) if unclear.error else None
    is_first = unclear.over and request.attempts == 1 and not request.adopts
    if problem is None and not is_first and not is_repeated:
        raise unclear
    problem = problem or problems.AuthFailed()
    raise _undo(request, problem, opened=request.attempts > 1) from unclear


def _visible_reason(request: StudentRequest) -> Problem | None:
    """The reason why Supabase answers with an error to an address, where it is visible here."""
    holder = supabase_users.holder_of(request.email)
    if holder is None:
        return problems.AddressCopied() if platform_tables.has_copy(request.email) else None
    if lacking := unreadable_accounts.unreadable(holder.account.user_id):
        account_errors.keep_reason(request, str(lacking))
        return problems.AccountUnreadable()
    return None if request.adopts else request_rules.problem_of_holder(holder)


def _refused(request: StudentRequest, refused: AccountRefused) -> Problem:
    """Undo the request for a refusal of Supabase's, unless the refusal is temporary."""
    if request.attempts > 1 and refused.why in account_errors.PASSING:
        raise OutcomeUnclear from refused
    if refused.why is Refusal.EMAIL_EXISTS and not request.adopts:
        holder = supabase_users.holder_of(request.email)
        return _undo(request, request_rules.problem_of_holder(holder))
    problem: Problem = problems.of_account(refused.why, RequestKind.CREATION)
    if refused.why is Refusal.GONE and supabase_users.account_with(request.account_id) is not None:
        problem = problems.AccountUnreadable()
    return _undo(request, problem, opened=request.attempts > 1)


@sensitive_variables("password")
def _enrol(request: StudentRequest, password: str) -> tuple[StudentRequest, Student, WelcomeLetter]:
    """Create our rows in one transaction. Repeated, it returns what it created before."""
    try:
        with transaction.atomic(using="tripwire"):
            kept = StudentRequest.objects.select_for_update().get(pk=request.pk)
            if kept.state == RequestState.DONE:
                student = Student.objects.get(user_id=kept.account_id)
                return kept, student, student.letters.earliest("created_at")
            if kept.state == RequestState.REFUSED:
                # The request was undone while our account was being opened: undo the account, too.
                raise _undo(kept, problems.of_request(kept), opened=True)
            if kept.give_up_at is not None:
                raise OutcomeUnclear
            student = student_rows.enrol(kept)
            letter = letters.write(
                student, password=password, asked_by=kept.asked_by, language=kept.language
            )
            student_requests.close(kept)
    except DatabaseError as error:
        if student_rows.lacks_account(error):
            # The account was deleted in between; the next attempt opens it again.
            raise OutcomeUnclear from error
        if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            # Other software wrote a student with this address.
            raise _undo(request, problems.EmailTaken(), opened=True) from error
        if not student_rows.is_forbidden(error):
            raise
        raise _undo(request, problems.RowsForbidden(), opened=True) from error
    return kept, student, letter


def _undo(request: StudentRequest, problem: Problem, *, opened: bool = False) -> Problem:
    """Close the request as refused, after deleting the account it has opened."""
    if opened and not request.adopts:
        if StudentRequest.objects.filter(pk=request.pk, state=RequestState.DONE).exists():
            raise OutcomeUnclear  # Somebody else has finished it: the account is a student's.
        try:
            account_references.delete_account(request.account_id)
        except AccountRefused as refused:
            raise OutcomeUnclear from refused
    student_requests.close(request, problem)
    return problem

"""Creating a student: account, row, log entry and letter, all of them or none.

The account is Supabase's and the rest ours, so no transaction spans both. Therefore the intention
is recorded first, with the account's id chosen by us; then the account is opened under that id;
then one transaction creates everything of ours and closes the intention. Every step can be
repeated, and what was left open is finished or undone by the worker.
"""

import logging
from uuid import UUID

import psycopg.errors
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db import Error as AnyDatabaseError
from django.db.models.functions import Now
from django.views.decorators.debug import sensitive_variables

from onai import encryption
from onai.identity import accounts
from onai.identity.accounts import AccountRefused, OutcomeUnclear, Refusal
from onai.identity.roles import Identity
from onai.web.problems import DatabaseUnavailable, Problem
from sales import adoption, letters, supabase_users, unreadable_accounts
from sales.models import (
    Intention,
    IntentionState,
    Student,
    WelcomeLetter,
)
from sales.provisioning import (
    account_errors,
    account_references,
    enrolment,
    intentions,
    leases,
    platform_tables,
    refusals,
)
from sales.provisioning.intentions import Creation, NewStudent
from sales.staff import Manager

logger = logging.getLogger(__name__)

_UNREACHABLE = (OperationalError, InterfaceError)


class _Undone(Exception):
    """The intention is closed, and this is why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


@sensitive_variables("new")
def create_student(
    new: NewStudent,
    *,
    asker: Identity,
    manager: Manager,
    idempotency_key: str | None = None,
    adopt: bool = False,
) -> Creation:
    """Create a student, or take over an account that has none (`adopt`, for admins).

    The same key and content of one asker is the same creation. Answers a `Creation` that is done,
    or open when nobody can say yet how it ends. Raises a `Problem` when nothing was created: those
    of `sales.provisioning.refusals`, or `DatabaseUnavailable`.
    """
    try:
        adoption.require_fit()
        intention, is_new = intentions.record(new, asker, manager, idempotency_key, adopt)
    except _UNREACHABLE as error:
        # Should it have been recorded all the same, the same form or key leads back to it.
        raise _database_unavailable(error) from error
    if not is_new:
        return intentions.creation(intention)
    try:
        done = _carry_through(intention, new.password)
    except _Undone as undone:
        if isinstance(undone.problem, refusals.EmailTaken):
            intentions.refuse_what_exists(
                new.email, asker
            )  # which says as much as the asker may know
        raise undone.problem from undone
    except OutcomeUnclear:
        logger.warning("creation_left_open", extra={"intention_id": str(intention.pk)})
        return intentions.as_recorded(intention)
    except _UNREACHABLE as error:
        logger.error("creation_interrupted", extra={"intention_id": str(intention.pk)})
        logger.debug("creation_interrupted", exc_info=error)
        return intentions.as_recorded(intention)
    return done


def finish_open_intentions(*, limit: int = 200) -> int:
    """Finish or undo what nobody is working on any more; answers how many were closed."""
    return leases.finish_expired(Intention, finish, limit=limit)


def finish(intention_id: UUID) -> bool:
    """Finish or undo one intention; False if somebody else is at it, or has closed it.

    Raises `OutcomeUnclear` when Supabase cannot say; then it stays open.
    """
    intention: Intention | None = leases.take(Intention, intention_id)
    if intention is None:
        return False
    about = {"intention_id": str(intention.pk), "attempts": intention.attempts}
    try:
        if intention.give_up_at is not None:
            raise _undo(intention, refusals.GivenUp(), opened=True)
        password = intentions.intended_password(intention)
        done = _carry_through(intention, password)
    except _Undone as undone:
        logger.warning("creation_undone", extra={**about, "reason": undone.problem.code})
    except OutcomeUnclear:
        logger.warning("creation_still_open", extra=about)
        raise
    except encryption.Unsealable:
        # Only the former SECRET_KEY can open it; an operator has to name it again.
        logger.error("creation_cannot_be_unsealed", extra=about)
        return False
    else:
        logger.warning("creation_finished", extra={**about, "student_id": _id_of(done.student)})
    return True


# --- Carrying it through -----------------------------------------------------------------------


@sensitive_variables("password")
def _carry_through(intention: Intention, password: str) -> Creation:
    """From an intention whose lease we hold to its end.

    Raises `_Undone`; or `OutcomeUnclear` or the database's error, and then it stays open.
    """
    _ensure_account(intention, password)
    student, letter = _enrol(intention, password)
    try:
        letters.attempt(letter.pk)
        letter.refresh_from_db()
    except (AnyDatabaseError, WelcomeLetter.DoesNotExist) as error:
        # It is in the outbox, and the worker brings it to its end.
        logger.warning("letter_left_to_worker", exc_info=error)
    return Creation(
        id=intention.pk,
        state=IntentionState.DONE,
        email=intention.email,
        full_name=intention.full_name,
        asked_by=intention.asked_by,
        student=student,
        letter=letter,
    )


@sensitive_variables("password")
def _ensure_account(intention: Intention, password: str) -> None:
    """That the account exists with this password, or the intention is undone."""
    try:
        _open_or_adopt(intention, password)
    except OutcomeUnclear as unclear:
        if not intention.adopts and _is_there(intention):
            return
        in_the_way = unclear.error and not intention.adopts
        if in_the_way and platform_tables.free_address(intention.email):
            _once_more(intention, password)
            return
        _weigh(intention, unclear)
    except AccountRefused as refused:
        _take_refusal(intention, refused)


def _is_there(intention: Intention) -> bool:
    """Whether the account exists by now. Raises `OutcomeUnclear` when nobody can say."""
    try:
        return accounts.find(intention.account_id) is not None
    except OutcomeUnclear as unclear:
        # It cannot read every account that it has.
        if unclear.error and supabase_users.account_with(intention.account_id) is not None:
            return True
        raise


@sensitive_variables("password")
def _open_or_adopt(intention: Intention, password: str) -> None:
    act = accounts.make_student_account if intention.adopts else accounts.open_student_account
    act(
        intention.account_id,
        email=intention.email,
        full_name=intention.full_name,
        password=password,
    )


@sensitive_variables("password")
def _once_more(intention: Intention, password: str) -> None:
    """Try again, now that what was in the way is gone; what is left then is for the worker."""
    try:
        _open_or_adopt(intention, password)
    except AccountRefused as refused:
        raise OutcomeUnclear from refused


def _weigh(intention: Intention, unclear: OutcomeUnclear) -> None:
    """Undo the intention where an unclear answer is a refusal; it stays unclear otherwise.

    It is one where nothing can be under way any more, or where Supabase has answered so often with
    the same error of its own that it will go on doing so.
    """
    are_enough = account_errors.are_enough(intention, unclear.error)
    problem = _why_it_fails(intention) if unclear.error else None
    is_first = unclear.over and intention.attempts == 1 and not intention.adopts
    if problem is None and not is_first and not are_enough:
        raise unclear
    raise _undo(
        intention, problem or refusals.AuthFailed(), opened=intention.attempts > 1
    ) from unclear


def _why_it_fails(intention: Intention) -> Problem | None:
    """Why Supabase answers with an error to an address, where that can be seen from here."""
    holder = supabase_users.holder_of(intention.email)
    if holder is None:
        copied = platform_tables.has_copy(intention.email)
        return refusals.AddressCopied() if copied else None
    if lacking := unreadable_accounts.unreadable(holder.account.id):
        account_errors.explain(intention, str(lacking))
        return refusals.AccountUnreadable()
    return None if intention.adopts else intentions.why_held(holder)


def _take_refusal(intention: Intention, refused: AccountRefused) -> None:
    """Undo the intention, unless the refusal is the echo of an earlier attempt's success."""
    if intention.attempts > 1 and refused.why in account_errors.PASSING:
        raise OutcomeUnclear from refused
    if not intention.adopts and refused.why is Refusal.EMAIL_EXISTS:
        if _is_there(intention):
            return
        why = intentions.why_held(supabase_users.holder_of(intention.email))
        raise _undo(intention, why) from refused
    problem = refusals.of_account(refused.why)
    if (
        refused.why is Refusal.GONE
        and supabase_users.account_with(intention.account_id) is not None
    ):
        problem = refusals.AccountUnreadable()
    raise _undo(intention, problem, opened=intention.attempts > 1) from refused


@sensitive_variables("password")
def _enrol(intention: Intention, password: str) -> tuple[Student, WelcomeLetter]:
    """Everything of ours, in one transaction. Repeated, it answers what it made before."""
    try:
        with transaction.atomic(using="tripwire"):
            kept = Intention.objects.select_for_update().get(pk=intention.pk)
            if kept.state == IntentionState.DONE:
                student = Student.objects.get(user_id=kept.account_id)
                return student, student.letters.earliest("created_at")
            if kept.state == IntentionState.REFUSED:
                # Somebody undid it while our account was being opened: undo that, too.
                raise _undo(kept, refusals.by_code(kept.refusal or ""), opened=True)
            if kept.give_up_at is not None:
                raise OutcomeUnclear
            student = enrolment.enrol(kept)
            letter = letters.write(student, password=password, asked_by=kept.asked_by)
            _close(kept, IntentionState.DONE)
    except DatabaseError as error:
        if enrolment.lacks_account(error):
            # The account was deleted in between; whoever comes next opens it anew.
            raise OutcomeUnclear from error
        if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            # Written past us, by the predecessor: the address is another student's now.
            raise _undo(intention, refusals.EmailTaken(), opened=True) from error
        if not enrolment.is_forbidden(error):
            raise
        raise _undo(intention, refusals.RowsForbidden(), opened=True) from error
    return student, letter


def _undo(intention: Intention, problem: Problem, *, opened: bool = False) -> _Undone:
    """Close the intention as refused, after deleting the account it has opened."""
    if opened and not intention.adopts:
        try:
            account_references.delete_account(intention.account_id)
        except AccountRefused as refused:
            raise OutcomeUnclear from refused
    _close(intention, IntentionState.REFUSED, refusal=problem.code)
    return _Undone(problem)


def _close(intention: Intention, state: IntentionState, *, refusal: str | None = None) -> None:
    # A refused request may be made again with the same key.
    key = intention.idempotency_key if state == IntentionState.DONE else None
    Intention.objects.filter(pk=intention.pk, state=IntentionState.OPEN).update(
        state=state, refusal=refusal, sealed_password="", closed_at=Now(), idempotency_key=key
    )


def _id_of(student: Student | None) -> str | None:
    return str(student.pk) if student else None


def _database_unavailable(error: Exception) -> DatabaseUnavailable:
    logger.error("database_unavailable", exc_info=error)
    return DatabaseUnavailable()

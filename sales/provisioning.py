"""Creating a student: account, row, log entry and letter, all of them or none.

The account is Supabase's and the rest ours, so no transaction spans both. Therefore the intention
is recorded first, with the account's id chosen by us; then the account is opened under that id;
then one transaction creates everything of ours and closes the intention. Every step can be
repeated, and what was left open is finished or undone by the worker.
"""

import logging
from uuid import UUID

import psycopg.errors
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models.functions import Now
from django.views.decorators.debug import sensitive_variables

from onai import sealing
from onai.errors import DatabaseUnavailable, Problem
from onai.identity import accounts
from onai.identity.accounts import AccountRefused, OutcomeUnclear, Refusal
from onai.identity.roles import Identity, Role
from sales import adoption, directory, intentions, leases, letters, refusals
from sales.intentions import Creation, NewStudent
from sales.models import (
    ActionType,
    ActivityEntry,
    Intention,
    IntentionState,
    Student,
    WelcomeLetter,
)
from sales.staff import Manager

logger = logging.getLogger(__name__)

_UNREACHABLE = (OperationalError, InterfaceError)
# Refusals that say nothing of the student; a later attempt may go through.
_PASSING = (Refusal.UNREACHABLE, Refusal.RATE_LIMITED, Refusal.NOT_PERMITTED)


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
    of `sales.refusals`, or `DatabaseUnavailable`.
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
    except sealing.Unsealable:
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
    act = accounts.make_student_account if intention.adopts else accounts.open_student_account
    try:
        act(
            intention.account_id,
            email=intention.email,
            full_name=intention.full_name,
            password=password,
        )
    except OutcomeUnclear as unclear:
        if not intention.adopts and accounts.find(intention.account_id) is not None:
            return
        # Not there yet. Only where nothing can be under way any more is that the end of it.
        if unclear.over and intention.attempts == 1 and not intention.adopts:
            raise _undo(intention, refusals.AuthFailed()) from unclear
        raise
    except AccountRefused as refused:
        _take_refusal(intention, refused)


def _take_refusal(intention: Intention, refused: AccountRefused) -> None:
    """Undo the intention, unless the refusal is the echo of an earlier attempt's success."""
    if intention.attempts > 1 and refused.why in _PASSING:
        raise OutcomeUnclear from refused
    if not intention.adopts and refused.why is Refusal.EMAIL_EXISTS:
        if accounts.find(intention.account_id) is not None:
            return
        raise _undo(intention, _why_taken(intention)) from refused
    raise _undo(intention, refusals.of_account(refused.why), opened=intention.attempts > 1)


def _why_taken(intention: Intention) -> Problem:
    """Whose the address is that Supabase says is taken."""
    account = directory.account_of(intention.email)
    if account is None:
        return refusals.AccountExists()
    if account.role in (Role.ADMIN, Role.SALES):
        return refusals.StaffAccount()
    if Student.objects.filter(user_id=account.id).exists():
        return refusals.EmailTaken()
    return refusals.AccountExists()


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
            student = _insert_student(kept)
            letter = letters.write(student, password=password, asked_by=kept.asked_by)
            _close(kept, IntentionState.DONE)
    except IntegrityError as error:
        if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            # Written past us, by the predecessor: the address is another student's now.
            raise _undo(intention, refusals.EmailTaken(), opened=True) from error
        # The account was deleted in between; whoever comes next opens it anew.
        raise OutcomeUnclear from error
    return student, letter


def _insert_student(intention: Intention) -> Student:
    student = Student(
        user_id=intention.account_id,
        email=intention.email,
        full_name=intention.full_name,
        granted_by=intention.granted_by,
        manager_name=intention.manager_name,
        price=settings.COURSE_PRICE_KZT,
    )
    student.save(force_insert=True)
    ActivityEntry.objects.create(
        manager_id=intention.asked_by,
        action_type=ActionType.USER_CREATED,
        target_user_id=intention.account_id,
        details={
            "email": intention.email,
            "full_name": intention.full_name,
            "granted_by": str(intention.granted_by),
            "manager_name": intention.manager_name,
            "adopted": intention.adopts,
        },
    )
    student.refresh_from_db()
    return student


def _undo(intention: Intention, problem: Problem, *, opened: bool = False) -> _Undone:
    """Close the intention as refused, after deleting the account it has opened."""
    if opened and not intention.adopts:
        try:
            accounts.delete_account(intention.account_id)
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

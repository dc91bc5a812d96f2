"""Creating a student: account, row, log entry and letter, all of them or none.

The account is Supabase's and the rest ours, so no transaction spans both. Therefore the intention
is recorded first, with the account's id chosen by us; then the account is opened under that id;
then one transaction creates everything of ours and closes the intention. Every step can be
repeated, and what was left open is finished or undone by the worker.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg.errors
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.views.decorators.debug import sensitive_variables

from onai import postgres, sealing
from onai.errors import DatabaseUnavailable, Problem
from onai.identity import accounts
from onai.identity.accounts import AccountRefused, OutcomeUnclear, Refusal
from onai.identity.roles import Identity, Role
from sales import directory, letters, refusals
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

# Longer than a request usually works on an intention. Two at once would do no harm.
LEASE = timedelta(seconds=25)
_LONGEST_LEASE = timedelta(minutes=5)
# Longer than a request to Supabase that we gave up waiting for can still be under way there.
_NOTHING_UNDER_WAY_AFTER = timedelta(minutes=10)
_UNCLEAR_IN_A_ROW = 3
_REFUSALS_SHOWN = timedelta(days=1)
_PURPOSE = "intended password"
_FINGERPRINT = "creation request"
_UNREACHABLE = (OperationalError, InterfaceError)
# Refusals that say nothing of the student; a later attempt may go through.
_PASSING = (Refusal.UNREACHABLE, Refusal.RATE_LIMITED, Refusal.NOT_PERMITTED)


@dataclass(frozen=True, slots=True)
class NewStudent:
    """What a form made of somebody's input: clean, and the password out of every repr."""

    email: str
    full_name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Creation:
    """How far the creation of a student has come.

    `student` and `letter` are there when `state` is done; `refusal` when it is refused.
    """

    id: UUID
    state: IntentionState
    email: str
    full_name: str
    asked_by: UUID
    student: Student | None = None
    letter: WelcomeLetter | None = None
    refusal: Problem | None = None
    answer: Mapping[str, Any] | None = None


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
        intention, is_new = _record(new, asker, manager, idempotency_key, adopt)
    except _UNREACHABLE as error:
        # Should it have been recorded all the same, the same form or key leads back to it.
        raise _database_unavailable(error) from error
    if not is_new:
        return creation(intention)
    try:
        done = _carry_through(intention, new.password)
    except _Undone as undone:
        if isinstance(undone.problem, refusals.EmailTaken):
            _refuse_what_exists(new.email, asker)  # which says as much as the asker may know
        raise undone.problem from undone
    except OutcomeUnclear:
        logger.warning("creation_left_open", extra={"intention_id": str(intention.pk)})
        return _as_recorded(intention)
    except _UNREACHABLE as error:
        logger.error("creation_interrupted", extra={"intention_id": str(intention.pk)})
        logger.debug("creation_interrupted", exc_info=error)
        return _as_recorded(intention)
    return done


def finish_open_intentions(*, limit: int = 200) -> int:
    """Finish or undo what nobody is working on any more; answers how many were closed."""
    expired = Intention.objects.filter(
        state=IntentionState.OPEN, leased_until__lte=postgres.clock("tripwire")
    )
    closed = unclear = 0
    # Whichever has waited longest since its last try, so that none keeps the others from theirs.
    for intention_id in list(expired.order_by("leased_until").values_list("pk", flat=True)[:limit]):
        try:
            closed += finish(intention_id)
            unclear = 0
        except OutcomeUnclear:
            unclear += 1
        if unclear == _UNCLEAR_IN_A_ROW:
            break  # Supabase is down; the others would only wait for it as well.
    return closed


def finish(intention_id: UUID) -> bool:
    """Finish or undo one intention; False if somebody else is at it, or has closed it.

    Raises `OutcomeUnclear` when Supabase cannot say; then it stays open.
    """
    tried = Intention.objects.filter(pk=intention_id).values_list("attempts", flat=True).first()
    lease = min(LEASE * 2 ** min((tried or 1) - 1, 10), _LONGEST_LEASE)
    leased = Intention.objects.filter(
        pk=intention_id, state=IntentionState.OPEN, leased_until__lte=Now()
    ).update(leased_until=Now() + lease, attempts=F("attempts") + 1)
    if not leased:
        return False
    intention = Intention.objects.get(pk=intention_id)
    about = {"intention_id": str(intention.pk), "attempts": intention.attempts}
    try:
        if intention.give_up_at is not None:
            raise _undo(intention, refusals.GivenUp(), opened=True)
        password = sealing.unseal(intention.sealed_password, purpose=_PURPOSE)
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


def give_up(intention_id: UUID) -> datetime | None:
    """Have the worker undo an open intention, with the account it may have opened.

    For operators. Answers when that will be: once no request to Supabase can be under way any more.
    None when no open intention has this id.
    """
    at = postgres.clock("tripwire") + _NOTHING_UNDER_WAY_AFTER
    marked = Intention.objects.filter(pk=intention_id, state=IntentionState.OPEN).update(
        give_up_at=at, leased_until=at
    )
    return at if marked else None


def find_creation(intention_id: UUID) -> Creation | None:
    """How far the creation with this id has come."""
    intention = Intention.objects.filter(pk=intention_id).first()
    return creation(intention) if intention else None


def creation(intention: Intention) -> Creation:
    """How far an intention has come."""
    refusal = None
    if intention.state == IntentionState.REFUSED:
        refusal = refusals.by_code(intention.refusal or "")
    student = letter = None
    if intention.state == IntentionState.DONE:
        student = Student.objects.filter(user_id=intention.account_id).first()
        letter = WelcomeLetter.objects.filter(student=student).order_by("created_at").first()
    return Creation(
        id=intention.pk,
        state=IntentionState(intention.state),
        email=intention.email,
        full_name=intention.full_name,
        asked_by=intention.asked_by,
        student=student,
        letter=letter,
        refusal=refusal,
        answer=intention.answer,
    )


def unsettled(asker: Identity) -> list[Creation]:
    """What its asker may still wonder about: creations that are open, or refused within a day.

    The asker's own; for an admin everybody's. Newest first, at most twenty.
    """
    recent = Q(state=IntentionState.OPEN) | Q(
        state=IntentionState.REFUSED,
        attempts__gt=1,  # else they were told at once
        closed_at__gt=Now() - _REFUSALS_SHOWN,
    )
    intentions = Intention.objects.filter(recent).order_by("-created_at")
    if asker.role is not Role.ADMIN:
        intentions = intentions.filter(asked_by=asker.user_id)
    return [creation(intention) for intention in intentions[:20]]


def remember_answer(creation_id: UUID, answer: Mapping[str, Any]) -> None:
    """Keep what was answered, so that a repeated request hears the same."""
    try:
        Intention.objects.filter(pk=creation_id).update(answer=answer)
    except _UNREACHABLE as error:
        # The student is there, and a repeated request is answered from the rows themselves.
        logger.warning("answer_not_kept", exc_info=error)


# --- The intention -----------------------------------------------------------------------------


@sensitive_variables("new", "content")
def _record(
    new: NewStudent, asker: Identity, manager: Manager, key: str | None, adopt: bool
) -> tuple[Intention, bool]:
    """The intention, and whether it is ours to carry through (else it was recorded before)."""
    content = json.dumps([new.email, new.full_name, new.password, str(manager.user_id), adopt])
    earlier = _earlier(asker, key, content)
    if earlier is not None:
        return earlier, False
    try:
        return _record_new(new, asker, manager, key, adopt, content), True
    except (refusals.EmailTaken, refusals.InProgress):
        # Perhaps by this very request, which has come twice at once.
        earlier = _earlier(asker, key, content)
        if earlier is None:
            raise
        return earlier, False


@sensitive_variables("new", "content")
def _record_new(
    new: NewStudent, asker: Identity, manager: Manager, key: str | None, adopt: bool, content: str
) -> Intention:
    _refuse_what_exists(new.email, asker)
    account_id = _account_to_adopt(new.email, asker) if adopt else uuid4()
    try:
        with transaction.atomic(using="tripwire"):
            return Intention.objects.create(
                adopts=adopt,
                account_id=account_id,
                email=new.email,
                full_name=new.full_name,
                sealed_password=sealing.seal(new.password, purpose=_PURPOSE),
                asked_by=asker.user_id,
                granted_by=manager.user_id,
                manager_name=manager.name,
                idempotency_key=key,
                fingerprint=sealing.fingerprint(content, purpose=_FINGERPRINT),
                leased_until=Now() + LEASE,
            )
    except IntegrityError as error:
        _refuse_what_exists(new.email, asker)
        raise refusals.InProgress from error


@sensitive_variables("content")
def _earlier(asker: Identity, key: str | None, content: str) -> Intention | None:
    if key is None:
        return None
    earlier = Intention.objects.filter(asked_by=asker.user_id, idempotency_key=key).first()
    if earlier is None:
        return None
    if not sealing.has_fingerprint(content, earlier.fingerprint, purpose=_FINGERPRINT):
        raise refusals.KeyUsedOtherwise
    return earlier


def _refuse_what_exists(email: str, asker: Identity) -> None:
    student = Student.objects.annotate(lower_email=Lower("email")).filter(lower_email=email).first()
    if student is not None:
        raise refusals.email_taken(student, asker)
    under_way = Intention.objects.filter(email=email, state=IntentionState.OPEN).first()
    if under_way is not None:
        raise refusals.in_progress(under_way, asker)


def _account_to_adopt(email: str, asker: Identity) -> UUID:
    if asker.role is not Role.ADMIN:
        raise refusals.OnlyAdminsAdopt
    account = directory.account_of(email)
    if account is None:
        raise refusals.NothingToAdopt
    if account.role in (Role.ADMIN, Role.SALES):
        raise refusals.StaffAccount
    student = Student.objects.filter(user_id=account.id).first()
    if student is not None:
        raise refusals.email_taken(student, asker)
    return account.id


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


def _as_recorded(intention: Intention) -> Creation:
    """What we know of an open intention without asking a database that may be gone."""
    return Creation(
        id=intention.pk,
        state=IntentionState.OPEN,
        email=intention.email,
        full_name=intention.full_name,
        asked_by=intention.asked_by,
    )


def _id_of(student: Student | None) -> str | None:
    return str(student.pk) if student else None


def _database_unavailable(error: Exception) -> DatabaseUnavailable:
    logger.error("database_unavailable", exc_info=error)
    return DatabaseUnavailable()

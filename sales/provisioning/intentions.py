"""What is known of a student's creation: the intention to create one, recorded before anything is
done about it, and how far it has come.

It asks nobody but our own database and Supabase's table of accounts; what acts is
`sales.provisioning.creation`.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.views.decorators.debug import sensitive_variables

from onai import encryption
from onai.db import postgres
from onai.identity.roles import Identity, Role
from onai.web.problems import Problem
from sales import supabase_users
from sales.models import Intention, IntentionState, Student, WelcomeLetter
from sales.provisioning import account_errors, leases, refusals
from sales.staff import Manager

logger = logging.getLogger(__name__)

_REFUSALS_SHOWN = timedelta(days=1)
_PURPOSE = "intended password"
_FINGERPRINT = "creation request"


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


@sensitive_variables("new", "content")
def record(
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
    refuse_what_exists(new.email, asker)
    account_id = _account_to_adopt(new.email, asker) if adopt else uuid4()
    try:
        with transaction.atomic(using="tripwire"):
            return Intention.objects.create(
                adopts=adopt,
                account_id=account_id,
                email=new.email,
                full_name=new.full_name,
                sealed_password=encryption.seal(new.password, purpose=_PURPOSE),
                asked_by=asker.user_id,
                granted_by=manager.user_id,
                manager_name=manager.name,
                idempotency_key=key,
                fingerprint=encryption.fingerprint(content, purpose=_FINGERPRINT),
                leased_until=Now() + leases.LEASE,
            )
    except IntegrityError as error:
        refuse_what_exists(new.email, asker)
        raise refusals.InProgress from error


@sensitive_variables("content")
def _earlier(asker: Identity, key: str | None, content: str) -> Intention | None:
    if key is None:
        return None
    earlier = Intention.objects.filter(asked_by=asker.user_id, idempotency_key=key).first()
    if earlier is None:
        return None
    if not encryption.has_fingerprint(content, earlier.fingerprint, purpose=_FINGERPRINT):
        raise refusals.KeyUsedOtherwise
    return earlier


def refuse_what_exists(email: str, asker: Identity) -> None:
    student = Student.objects.annotate(lower_email=Lower("email")).filter(lower_email=email).first()
    if student is not None:
        raise refusals.email_taken(student, asker)
    under_way = Intention.objects.filter(email=email, state=IntentionState.OPEN).first()
    if under_way is not None:
        raise refusals.in_progress(under_way, asker)


def _account_to_adopt(email: str, asker: Identity) -> UUID:
    if asker.role is not Role.ADMIN:
        raise refusals.OnlyAdminsAdopt
    holder = supabase_users.holder_of(email)
    if holder is None:
        raise refusals.NothingToAdopt
    problem = why_held(holder)
    if isinstance(problem, refusals.AccountExists):
        return holder.account.id
    student = Student.objects.filter(user_id=holder.account.id).first()
    raise problem if student is None else refusals.email_taken(student, asker)


def why_held(holder: supabase_users.AddressHolder | None) -> Problem:
    """Why no account can be opened for an address, and what can be done about it.

    `AccountExists` for an account that an admin may adopt; None is a holder that we cannot see.
    """
    if holder is None:
        return refusals.AccountUnseen()
    account = holder.account
    if account.role in (Role.ADMIN, Role.SALES):
        return refusals.StaffAccount()
    if Student.objects.filter(user_id=account.id).exists():
        return refusals.EmailTaken()
    if holder.by_identity:
        return refusals.AddressElsewhere()
    if holder.is_deleted:
        return refusals.AccountHalfDeleted()
    return refusals.AccountExists()


@sensitive_variables()
def intended_password(intention: Intention) -> str:
    """The password of an open intention. Raises `sealing.Unsealable`."""
    return encryption.unseal(intention.sealed_password, purpose=_PURPOSE)


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


def as_recorded(intention: Intention) -> Creation:
    """What we know of an open intention without asking a database that may be gone."""
    return Creation(
        id=intention.pk,
        state=IntentionState.OPEN,
        email=intention.email,
        full_name=intention.full_name,
        asked_by=intention.asked_by,
    )


def give_up(intention_id: UUID) -> datetime | None:
    """Have the worker undo an open intention, with the account it may have opened.

    For operators. Answers when that will be: once no request to Supabase can be under way any more.
    None when no open intention has this id.
    """
    at = postgres.clock("tripwire") + account_errors.NOTHING_UNDER_WAY_AFTER
    marked = Intention.objects.filter(pk=intention_id, state=IntentionState.OPEN).update(
        give_up_at=at, leased_until=at
    )
    return at if marked else None


def remember_answer(creation_id: UUID, answer: Mapping[str, Any]) -> None:
    """Keep what was answered, so that a repeated request hears the same."""
    try:
        Intention.objects.filter(pk=creation_id).update(answer=answer)
    except (OperationalError, InterfaceError) as error:
        # The student is there, and a repeated request is answered from the rows themselves.
        logger.warning("answer_not_kept", exc_info=error)

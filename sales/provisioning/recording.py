"""What is known of a student's change: that it was asked for, whether it may be, how far it is.

It asks nobody but our own database and Supabase's tables; `sales.provisioning.changes` acts.
"""

import json
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower, Now
from django.views.decorators.debug import sensitive_variables

from onai import encryption
from onai.identity.accounts import Account
from onai.identity.roles import Identity, Role
from sales import supabase_users
from sales.models import Change, ChangeKind, Intention, IntentionState, Student
from sales.permissions import student_for
from sales.provisioning import change_refusals as refusals
from sales.provisioning import leases

_FINGERPRINT = "change request"
_PURPOSE = "changed password"


@sensitive_variables("wanted", "content")
def record(
    kind: ChangeKind, student_id: UUID, asker: Identity, attempt: UUID, wanted: dict[str, str]
) -> tuple[Change, bool]:
    """The change, and whether it is ours to carry through (else it was recorded before).

    `wanted` is what shall be, named as the fields of `Change`, and `password`. Raises a `Problem`
    where it may not be.
    """
    asked = [kind.value, str(student_id), str(asker.user_id), sorted(wanted.items())]
    content = json.dumps(asked)
    earlier = Change.objects.filter(pk=attempt).first()
    if earlier is not None:
        return _repeated(earlier, content), False
    try:
        return _record_new(kind, student_id, asker, attempt, wanted, content), True
    except IntegrityError as error:
        earlier = Change.objects.filter(pk=attempt).first()
        if earlier is not None:  # It has come twice at once.
            return _repeated(earlier, content), False
        under_way = Change.objects.filter(student_id=student_id, state=IntentionState.OPEN).first()
        email = wanted.get("new_email")
        if under_way is None and email and _is_being_given(email):
            raise refusals.AddressTaken from error
        raise refusals.ChangeInProgress(under_way.pk if under_way else None) from error


@sensitive_variables()
def new_password_of(change: Change) -> str:
    """The password of an open change; empty where it has none. Raises `sealing.Unsealable`."""
    sealed = change.sealed_password
    return encryption.unseal(sealed, purpose=_PURPOSE) if sealed else ""


def find_change(change_id: UUID, asker: Identity) -> Change | None:
    """A change that somebody asked for themselves, or anybody's for an admin."""
    return _own(Change.objects.filter(pk=change_id), asker).first()


def open_change_of(student: Student) -> Change | None:
    """The change of a student that has not come to its end."""
    return Change.objects.filter(student_id=student.pk, state=IntentionState.OPEN).first()


def is_latest_password(change: Change) -> bool:
    """Whether no other new password was given to the student after this change's."""
    others = Change.objects.filter(
        student_id=change.student_id, kind=ChangeKind.PASSWORD, state=IntentionState.DONE
    )
    return not others.filter(closed_at__gt=change.closed_at or Now()).exists()


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


@sensitive_variables("content")
def _repeated(earlier: Change, content: str) -> Change:
    """The change of before, for a second tap on the same button."""
    if not encryption.has_fingerprint(content, earlier.fingerprint, purpose=_FINGERPRINT):
        raise refusals.AttemptUsed(earlier.pk)
    if earlier.state == IntentionState.REFUSED:
        raise refusals.by_code(earlier.refusal or "")
    return earlier


@sensitive_variables("wanted", "content")
def _record_new(
    kind: ChangeKind,
    student_id: UUID,
    asker: Identity,
    attempt: UUID,
    wanted: dict[str, str],
    content: str,
) -> Change:
    password = wanted.get("password", "")
    with transaction.atomic(using="tripwire"):
        student = student_for(asker, student_id, locked=True)
        account = _account_only_theirs(student)
        new = _acceptable(kind, student, account, wanted)
        return Change.objects.create(
            pk=attempt,
            kind=kind,
            student_id=student.pk,
            account_id=student.user_id,
            email=student.email,
            full_name=student.full_name,
            account_email=account.email,
            account_name=account.full_name,
            asked_by=asker.user_id,
            fingerprint=encryption.fingerprint(content, purpose=_FINGERPRINT),
            sealed_password=encryption.seal(password, purpose=_PURPOSE) if password else "",
            leased_until=Now() + leases.LEASE,
            **new,
        )


def _account_only_theirs(student: Student) -> Account:
    """The student's account, unless it is a staff member's or another student's as well."""
    account = supabase_users.account_with(student.user_id)
    if account is None:
        raise refusals.StudentGone
    if account.role in (Role.ADMIN, Role.SALES):
        raise refusals.StaffAccount
    if Student.objects.filter(user_id=student.user_id).exclude(pk=student.pk).exists():
        raise refusals.SharedAccount
    return account


def _acceptable(
    kind: ChangeKind, student: Student, account: Account, wanted: dict[str, str]
) -> dict[str, str]:
    """What of it is to change, if it may be."""
    new = {name: value for name, value in wanted.items() if name != "password"}
    idle = False
    match kind:
        case ChangeKind.STATUS:
            # The predecessor wrote statuses without a ban.
            idle = new["new_status"] == student.status and supabase_users.ban_fits(student)
        case ChangeKind.CORRECTION:
            new = _corrections(student, account, new)
            idle = not new
        case ChangeKind.HANDOVER:
            idle = new["new_manager_id"] == str(student.granted_by)
        case ChangeKind.PASSWORD:
            if account.email.lower() != student.email.lower():
                raise refusals.AddressDiffers
    if idle:
        raise refusals.NothingToChange
    return new


def _corrections(student: Student, account: Account, wanted: dict[str, str]) -> dict[str, str]:
    """Of name and e-mail, what differs from what is here or at Supabase. Raises `AddressTaken`."""
    email, full_name = wanted["new_email"], wanted["new_full_name"]
    different = {}
    if not student.full_name == account.full_name == full_name:
        different["new_full_name"] = full_name
    if email.lower() != student.email.lower() or email.lower() != account.email.lower():
        _refuse_taken(email.lower(), student)
        different["new_email"] = email.lower()
    return different


def _refuse_taken(email: str, student: Student) -> None:
    others = Student.objects.annotate(lower_email=Lower("email")).filter(lower_email=email)
    if (
        others.exclude(pk=student.pk).exists()
        or Intention.objects.filter(email=email, state=IntentionState.OPEN).exists()
    ):
        raise refusals.AddressTaken
    refuse_held(email, student.user_id)


def refuse_held(email: str, account_id: UUID) -> None:
    """Raise the refusal of an address that is another account's at Supabase, if it is."""
    holder = supabase_users.holder_of(email, besides=account_id)
    if holder is not None:
        raise refusals.AddressTakenByIdentity if holder.by_identity else refusals.AddressTaken


def _is_being_given(email: str) -> bool:
    return Change.objects.filter(new_email=email, state=IntentionState.OPEN).exists()

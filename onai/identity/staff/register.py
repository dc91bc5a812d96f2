"""Keeps the register of staff: copies who is staff or claims to be, and records decisions.

Accounts are read from `auth.users` by SQL: Supabase's list of them is incomplete, and lacks those
that it cannot read itself.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from onai.db import postgres
from onai.db.visibility import Visibility, visibility
from onai.identity.models import StaffMember
from onai.identity.roles import (
    STAFF,
    Confirmation,
    Identity,
    Metadata,
    Role,
    staff_role,
    unsupported_claim,
)
from onai.identity.staff.standing import ABOUT_ACCOUNT, AccountsHidden
from onai.web.problems import Problem

# Deleted or anonymous accounts, and those of another database role, are never staff.
_STATEMENT = f"""
select account.id, coalesce(account.email, ''), {ABOUT_ACCOUNT},
       exists (select from tripwire_users student where student.user_id = account.id)
from auth.users account
where {{condition}} and account.deleted_at is null and not account.is_anonymous
  and account.role = 'authenticated'
"""  # noqa: S608
_SAYS_STAFF = """
(account.raw_user_meta_data ->> 'role' in ('admin', 'sales')
 or account.raw_app_meta_data ->> 'role' in ('admin', 'sales')
 or account.id = any (%s))
"""
# Created or changed lately; by SQL perhaps without a time.
_IS_RECENT = """
(account.id = any (%s)
 or coalesce(greatest(account.created_at, account.updated_at), 'infinity')
    > now() - interval '1 hour')
"""
_WITH_EMAIL = "lower(account.email) = %s"
_WITH_ID = "account.id = %s"
_COPIED = ("email", "full_name", "role", "claimed_role", "claimed_at")
_DECIDED = (
    "confirmed_role",
    "confirmed_beside",
    "refused_role",
    "revoked",
    "decided_at",
    "decided_by",
    "reviewed",
)


class NeverStaff(Problem):
    status = 409
    code = "never_staff"
    message = _("Это учётная запись студента: сотрудником она быть не может.")
    advice = _("Дайте человеку отдельную учётную запись.")


class NoSuchAccount(Problem):
    status = 404
    code = "no_such_account"
    message = _("Такой учётной записи нет.")
    advice = _("Возможно, её удалили.")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that may be staff, as Supabase has it."""

    user_id: UUID
    email: str
    full_name: str
    metadata: Metadata
    is_student: bool


def refresh(*, only_recent: bool = False) -> None:
    """Copy who is staff or claims to be, and drop rows of those who are neither.

    `only_recent` looks at known accounts and at those created or changed within an hour, which
    takes a tenth of the time for a million accounts. Raises `AccountsHidden`, and then drops
    nobody.
    """
    if visibility("tripwire", "auth.users") is not Visibility.SEEN:
        raise AccountsHidden(
            _("База Tripwire не показывает сайту учётные записи, список сотрудников не обновить.")
        )
    changed, gone = _differences(only_recent)
    if changed or gone:  # Usually there is nothing to write.
        with _exclusive():
            changed, gone = _differences(only_recent)
            _keep(changed, _COPIED)
            StaffMember.known.filter(user_id__in=gone).delete()


def _differences(only_recent: bool) -> tuple[list[StaffMember], set[UUID]]:
    """Rows that differ from the accounts, and ids of rows without a reason."""
    known = {member.user_id: member for member in StaffMember.known.all()}
    before = {user_id: _copied(member) for user_id, member in known.items()}
    condition, parameters = _SAYS_STAFF, [list(known)]
    if only_recent:  # The cheap condition first.
        condition, parameters = f"{_IS_RECENT} and {_SAYS_STAFF}", parameters * 2
    accounts = _accounts(condition, parameters)
    kept = [member for one in accounts if (member := _renewed(one, known.get(one.user_id)))]
    changed = [member for member in kept if _copied(member) != before.get(member.user_id)]
    return changed, set(known) - {member.user_id for member in kept}


def _copied(member: StaffMember) -> list[object]:
    return [getattr(member, name) for name in _COPIED]


def note(identity: Identity) -> None:
    """Copy a person who is here, before the worker does."""
    if not StaffMember.objects.filter(
        user_id=identity.user_id,
        full_name=identity.full_name,
        email=identity.email,
        role=str(identity.role),
    ).exists():
        copy_account(identity.user_id)


def copy_account(user_id: UUID) -> None:
    """Copy one account that is staff or claims to be."""
    with _exclusive():
        known = StaffMember.known.filter(pk=user_id).first()
        account = account_with(user_id)
        if account and (member := _renewed(account, known)):
            _keep([member], _COPIED)


def all_staff() -> list[StaffMember]:
    """All current staff, by name."""
    with suppress(AccountsHidden):  # Then the copy is used; acts are refused elsewhere.
        refresh(only_recent=True)
    return list(StaffMember.objects.order_by("full_name", "email"))


def claims() -> list[StaffMember]:
    """Claims of a role that nobody confirmed or refused, oldest first."""
    waiting = StaffMember.known.exclude(claimed_role="").order_by("claimed_at", "email")
    return [one for one in waiting if one.claimed_role != one.refused_role]


def unreviewed() -> list[StaffMember]:
    """Staff confirmed by the first migration and not yet reviewed by an admin."""
    return list(StaffMember.known.filter(reviewed=False).order_by("full_name", "email"))


def account_with(user_id: UUID) -> Candidate | None:
    """The account with this id, if it may be staff."""
    return next(iter(_accounts(_WITH_ID, [user_id])), None)


def accounts_named(email: str) -> list[Candidate]:
    """The accounts with this e-mail, in any case, that may be staff."""
    return _accounts(_WITH_EMAIL, [email.strip().lower()])


def confirm(account: Candidate, role: Role, *, by: UUID | None) -> None:
    """Confirm that an account is staff in this role, whatever it claims. Raises `NeverStaff`."""
    if account.is_student or role not in STAFF:
        raise NeverStaff
    _decide(
        account,
        by,
        confirmed_role=role.value,
        confirmed_beside=account.metadata.pinned,
        refused_role="",
        revoked=False,
    )


def refuse(account: Candidate, role: Role, *, by: UUID | None) -> None:
    """Refuse a claim; an earlier confirmation stays."""
    _decide(account, by, refused_role=role.value)


def revoke(account: Candidate, *, by: UUID | None) -> None:
    """End an account's role as staff, whatever its metadata say."""
    _decide(
        account,
        by,
        confirmed_role="",
        confirmed_beside="",
        refused_role=account.metadata.claimed,
        revoked=True,
    )


def _decide(account: Candidate, by: UUID | None, **decided: str | bool) -> None:
    with _exclusive():
        known = StaffMember.known.filter(pk=account.user_id).first()
        member = known or StaffMember(user_id=account.user_id, role="")
        for name, value in {**decided, "reviewed": True, "decided_by": by}.items():
            setattr(member, name, value)
        _copy(account, member)
        member.decided_at = Now()
        _keep([member], (*_COPIED, *_DECIDED))


@contextmanager
def _exclusive() -> Iterator[None]:
    """A transaction in which nobody else writes here, so that no older state is written last."""
    with transaction.atomic(using="tripwire"):
        postgres.rows("tripwire", "select pg_advisory_xact_lock(hashtext('sales_staff'))")
        yield


def _keep(members: list[StaffMember], fields: Sequence[str]) -> None:
    StaffMember.known.bulk_create(
        members, update_conflicts=True, unique_fields=["user_id"], update_fields=fields
    )


def confirmation_of(member: StaffMember) -> Confirmation:
    """The register's decision about an account."""
    return Confirmation(member.confirmed_role, member.confirmed_beside, member.revoked)


def _renewed(account: Candidate, known: StaffMember | None) -> StaffMember | None:
    """The row of an account; None where it is not staff, claims nothing and has no decision."""
    member = known or StaffMember(user_id=account.user_id)
    _copy(account, member)
    decided = member.confirmed_role or member.refused_role or member.revoked
    return member if member.role or member.claimed_role or decided else None


def _copy(account: Candidate, member: StaffMember) -> None:
    confirmation = confirmation_of(member)
    claim = None if account.is_student else unsupported_claim(account.metadata, confirmation)
    member.email, member.full_name = account.email, account.full_name
    member.role = str(staff_role(account.metadata, confirmation) or "")
    if str(claim or "") != member.claimed_role:
        member.claimed_at = Now() if claim else None
    member.claimed_role = str(claim or "")


def _accounts(condition: str, parameters: Sequence[Any]) -> list[Candidate]:
    rows = postgres.rows("tripwire", _STATEMENT.format(condition=condition), parameters)
    return [
        Candidate(user_id, email, full_name, Metadata(claimed, pinned), is_student)
        for user_id, email, full_name, claimed, pinned, is_student in rows
    ]

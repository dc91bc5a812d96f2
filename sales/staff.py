"""Who the staff are, and in whose name a student is created: a manager in their own, an admin in
any staff member's."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from onai.errors import Problem
from onai.identity import accounts, supabase
from onai.identity.roles import Identity, Role
from sales import directory
from sales.models import StaffMember


@dataclass(frozen=True, slots=True)
class Manager:
    """The staff member a student belongs to. `name` is their e-mail where they have no name."""

    user_id: UUID
    name: str


def refresh_staff() -> int:
    """Copy everybody who is staff at Supabase Auth, and forget who is no more; answers how many."""
    members = [
        StaffMember(user_id=one.id, email=one.email, full_name=one.full_name, role=str(one.role))
        for one in directory.staff()
    ]
    with transaction.atomic(using="tripwire"):
        _keep(members)
        StaffMember.objects.exclude(user_id__in=[member.user_id for member in members]).delete()
    return len(members)


def everybody() -> list[StaffMember]:
    """Everybody who is staff, by name: as the worker copied them, or copied now if it never did."""
    members = StaffMember.objects.order_by("full_name", "email")
    if not members.exists():
        refresh_staff()
    return list(members)


def note_staff(identity: Identity) -> None:
    """Copy a staff member who is here, before the worker comes to it."""
    if not StaffMember.objects.filter(
        user_id=identity.user_id, full_name=identity.full_name, email=identity.email
    ).exists():
        _keep(
            [
                StaffMember(
                    user_id=identity.user_id,
                    email=identity.email,
                    full_name=identity.full_name,
                    role=str(identity.role),
                )
            ]
        )


def _keep(members: list[StaffMember]) -> None:
    StaffMember.objects.bulk_create(
        members,
        update_conflicts=True,
        unique_fields=["user_id"],
        update_fields=["email", "full_name", "role"],
    )


class NotYourself(Problem):
    status = 403
    code = "not_your_manager_id"
    message = _("Открыть доступ можно только от своего имени.")
    advice = _("Уберите чужого менеджера или попросите администратора.")


class StaffNotChecked(supabase.AuthUnavailable):
    message = _("Сервис учётных записей не отвечает, и менеджера не проверить.")


class UnknownManager(Problem):
    status = 400
    code = "unknown_manager"
    message = _("Такого менеджера нет.")
    advice = _("Выберите сотрудника из списка.")

    def __init__(self) -> None:
        super().__init__(fields={"manager_id": type(self).message})


def manager_named(asker: Identity, manager_id: UUID | None) -> Manager:
    """Who `manager_id` is; without one, the asker.

    Raises `NotYourself` when a manager names somebody else, `UnknownManager` when an admin names
    nobody of the staff, and `StaffNotChecked` when nobody can say.
    """
    if manager_id is None or manager_id == asker.user_id:
        return Manager(asker.user_id, asker.name)
    if asker.role is not Role.ADMIN:
        raise NotYourself
    try:
        account = accounts.find(manager_id)
    except accounts.OutcomeUnclear as error:
        raise StaffNotChecked from error
    if account is None or account.role not in (Role.ADMIN, Role.SALES):
        raise UnknownManager
    return Manager(account.id, account.name)

"""Staff members as the managers of students: a manager creates students as their own, an admin as
any staff member's."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from onai.identity.roles import STAFF, Identity
from onai.web.problems import Problem
from sales import supabase_users
from sales.models import Student


@dataclass(frozen=True, slots=True)
class Manager:
    """The staff member a student belongs to. `name` is their e-mail where they have no name."""

    user_id: UUID
    name: str = field(compare=False)


class Named(Protocol):
    """Somebody with an account. `name` may be the e-mail; `email` is empty where it is unknown."""

    @property
    def user_id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...


def distinct_names(people: Iterable[Named]) -> dict[UUID, str]:
    """A distinct name for each person: where several share a name, with the e-mail."""
    people = list(people)
    shared = Counter(one.name for one in people)
    return {
        one.user_id: one.name
        if shared[one.name] == 1 or one.email in ("", one.name)
        else f"{one.name} ({one.email})"
        for one in people
    }


class NotYourself(Problem):
    status = 403
    code = "not_your_manager_id"
    message = _("Открыть доступ можно только от своего имени.")
    advice = _("Уберите чужого менеджера или попросите администратора.")


class UnknownManager(Problem):
    status = 400
    code = "unknown_manager"
    message = _("Такого менеджера нет.")
    advice = _("Выберите сотрудника из списка.")

    def __init__(self) -> None:
        super().__init__(fields={"manager_id": type(self).message})


def manager_named(asker: Identity, manager_id: UUID | None) -> Manager:
    """The staff member `manager_id`; without one, the user.

    Raises `NotYourself` when a manager names somebody else, `UnknownManager` when an admin names
    nobody of the staff.
    """
    if manager_id is None or manager_id == asker.user_id:
        return Manager(asker.user_id, asker.name)
    if not asker.is_admin:
        raise NotYourself
    account = supabase_users.account_with(manager_id)
    if account is None or account.role not in STAFF:
        raise UnknownManager
    if Student.objects.filter(user_id=account.user_id).exists():
        raise UnknownManager  # A student is never staff.
    return Manager(account.user_id, account.name)

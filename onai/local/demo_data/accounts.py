"""The demo's Tripwire: 50 accounts, of which one is an admin and two are sales managers."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from onai.local.demo_data.names import full_name
from onai.periods import Period, business_day

PASSWORD = "Demo1234!"
_NAMESPACE = UUID("0b6f9d0e-2f0c-4a86-8a40-1f5b5f5d3c11")
_SEED = 50
_STUDENTS = 47
_PRICE_KZT = 5_000
_MODULES = 3
_STATUSES = ("active", "active", "active", "active", "inactive", "completed", "blocked")


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account, and the moment it was created."""

    id: UUID
    email: str
    full_name: str
    role: str
    created_at: datetime

    @property
    def metadata(self) -> dict[str, str]:
        return {"full_name": self.full_name, "role": self.role}


@dataclass(frozen=True, slots=True)
class DemoTripwire:
    """Everything the demo puts into Tripwire; rows are columns of the two tables."""

    accounts: list[DemoAccount]
    students: list[dict[str, Any]]
    activity: list[dict[str, Any]]


def demo_tripwire(now: datetime) -> DemoTripwire:
    """The same people each time, dated relative to `now`."""
    dice = random.Random(_SEED)
    midnight = Period(business_day(now), business_day(now)).start
    long_ago = midnight - timedelta(days=120)
    admin = _account("admin@onai.test", "Админ Демо", "admin", long_ago)
    managers = [
        _account("ayaulym@onai.test", "Аяулым Демо", "sales", long_ago),
        _account("aselya@onai.test", "Аселя Демо", "sales", long_ago),
    ]
    demo = DemoTripwire([admin, *managers], [], [])
    for number in range(_STUDENTS):
        created = midnight - timedelta(days=number * 1.3) - timedelta(minutes=dice.randint(1, 600))
        account = _student_account(number, created)
        # A few accesses date from before managers were recorded.
        manager = None if number % 15 == 14 else managers[number % 5 % 2]
        demo.accounts.append(account)
        demo.students.append(_student(dice, number, account, manager, now))
        if manager is not None:
            demo.activity.extend(_acts(account, manager))
    return demo


def _account(email: str, full_name: str, role: str, created_at: datetime) -> DemoAccount:
    return DemoAccount(uuid5(_NAMESPACE, email), email, full_name, role, created_at)


def _student_account(number: int, created_at: datetime) -> DemoAccount:
    if number == 0:
        return _account("student@onai.test", "Студент Демо", "student", created_at)
    name = full_name(number, number * 5)
    return _account(f"student{number}@onai.test", name, "student", created_at)


def _student(
    dice: random.Random,
    number: int,
    account: DemoAccount,
    manager: DemoAccount | None,
    now: datetime,
) -> dict[str, Any]:
    status = "active" if number == 0 else dice.choice(_STATUSES)
    seen = dice.random() < 0.8
    first_login = min(now, account.created_at + timedelta(hours=dice.randint(1, 30)))
    modules = _MODULES if status == "completed" else dice.randint(0, _MODULES - 1)
    return {
        "id": uuid5(_NAMESPACE, f"student {account.email}"),
        "user_id": account.id,
        "full_name": account.full_name,
        "email": account.email,
        "granted_by": manager.id if manager else None,
        "manager_name": manager.full_name if manager else None,
        "welcome_email_sent": number % 23 != 22,
        "welcome_email_sent_at": account.created_at if number % 23 != 22 else None,
        "email_opened": seen,
        "first_login_at": first_login if seen else None,
        "last_active_at": min(now, first_login + timedelta(days=modules)) if seen else None,
        "modules_completed": modules if seen else 0,
        "price": _PRICE_KZT,
        "status": status,
        "amocrm_deal_id": str(41_000_000 + number) if number % 3 else None,
        "amocrm_contact_id": str(61_000_000 + number) if number % 3 else None,
        "created_at": account.created_at,
        "updated_at": account.created_at,
    }


def _acts(account: DemoAccount, manager: DemoAccount) -> list[dict[str, Any]]:
    return [
        {
            "id": uuid5(_NAMESPACE, f"{action} {account.email}"),
            "manager_id": manager.id,
            "action_type": action,
            "target_user_id": account.id,
            "details": {"email": account.email, "full_name": account.full_name},
            "created_at": account.created_at + timedelta(seconds=seconds),
        }
        for action, seconds in (("user_created", 0), ("email_sent", 2))
    ]

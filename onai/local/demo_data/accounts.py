"""The demo's Tripwire: 50 accounts, of which one is an admin and two are sales managers.

Most students are buyers among the demo's leads; a few have no visible payment, one of them with a
reason. As in production
nothing fills `email_opened`, `first_login_at`, `last_active_at` and `modules_completed` of
`tripwire_users`: who signed in stands in `auth.users`, and who learned in the platform's tables.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from onai.local.demo_data.learning import Learner, Study, learned
from onai.local.demo_data.names import name_of
from onai.local.demo_data.people import demo_people
from onai.local.demo_data.requests import unsettled_requests
from onai.periods import Period, business_day

PASSWORD = "Demo1234!"
_NAMESPACE = UUID("0b6f9d0e-2f0c-4a86-8a40-1f5b5f5d3c11")
_PRICE_KZT = 5_000
# Students of whom no lead is known: a gift, another phone and e-mail, or worse.
_WITHOUT_A_PAYMENT = range(70, 74)
_GIFT, _REASON = "student71@onai.test", "Подарок: помогала на вебинаре"
# By the student's place in the list.
_BLOCKED, _INACTIVE = {17, 33}, {23, 39}
_WAITING, _DELAYED, _FAILED, _BOUNCED, _SUPPRESSED, _COMPLAINED = 29, 30, 31, 32, 24, 12
_UNSENT = {_WAITING, _FAILED}
_NOT_RECEIVED = {*_UNSENT, _DELAYED, _BOUNCED, _SUPPRESSED}
_WITHOUT_A_MANAGER = {14, 44}
# Letters of the time before the outbox have no row there.
_LETTERS_KEPT = timedelta(days=30)
_STUDIES = (
    *(Study.LEARNS, Study.NEVER, Study.LEARNS, Study.QUIET, Study.LEARNS, Study.FINISHED),
    *(Study.LEARNS, Study.NEVER, Study.LEARNS, Study.QUIET),
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account, the moment it was created, and when its owner signed in for the last time."""

    id: UUID
    email: str
    full_name: str
    role: str
    created_at: datetime
    last_sign_in_at: datetime | None = None
    is_banned: bool = False

    @property
    def metadata(self) -> dict[str, str]:
        return {"full_name": self.full_name, "role": self.role}


@dataclass(frozen=True, slots=True)
class DemoTripwire:
    """Everything the demo puts into Tripwire. `tables` holds the rows of further tables by name, in
    an order in which they can be inserted.
    """

    accounts: list[DemoAccount]
    students: list[Row]
    activity: list[Row]
    tables: dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class _Access:
    """Whose access was opened, when, by whom, and what became of it since."""

    place: int
    account: DemoAccount
    manager: DemoAccount | None
    # Of the demo's phones; None where the manager wrote none down.
    phone: str | None
    study: Study


def demo_tripwire(now: datetime) -> DemoTripwire:
    """The same people each time, dated relative to `now`."""
    midnight = Period.day(business_day(now)).start
    long_ago = midnight - timedelta(days=120)
    admin = _account("admin@onai.test", "Админ Демо", "admin", long_ago)
    managers = [
        _account("ayaulym@onai.test", "Аяулым Демо", "sales", long_ago),
        _account("aselya@onai.test", "Аселя Демо", "sales", long_ago),
    ]
    accesses = _accesses(now, managers)
    learners = {
        access.account.id: Learner(
            access.account.id,
            access.account.full_name,
            access.account.created_at,
            access.study,
        )
        for access in accesses
    }
    accounts = [
        replace(
            access.account,
            last_sign_in_at=learners[access.account.id].seen_at(now),
            is_banned=access.place in _BLOCKED,
        )
        for access in accesses
    ]
    students = [_student(access) for access in accesses]
    (gift,) = [student for student in students if student["email"] == _GIFT]
    paused = next(
        student
        for student in students
        if student["status"] == "inactive" and student["granted_by"] == managers[0].id
    )
    return DemoTripwire(
        accounts=[admin, *managers, *accounts],
        students=students,
        activity=[
            *(act for access in accesses for act in _acts(access, admin)),
            _deletion(admin, midnight - timedelta(days=9, hours=6)),
            _explanation(gift, admin),
        ],
        tables={
            **learned(list(learners.values()), now),
            "sales_requests": unsettled_requests(now, manager_id=managers[0].id, paused=paused),
            "sales_student_leads": [
                {
                    "student_id": gift["id"],
                    "how": "explained",
                    "matched_by": admin.id,
                    "matched_name": admin.full_name,
                    "note": _REASON,
                }
            ],
            "sales_student_phones": [_phone(access) for access in accesses if access.phone],
            "sales_letters": [
                _letter(access, now)
                for access in accesses
                if access.account.created_at > now - _LETTERS_KEPT
            ],
        },
    )


def _accesses(now: datetime, managers: list[DemoAccount]) -> list[_Access]:
    """Everybody with access, `student@onai.test` first."""
    midnight = Period.day(business_day(now)).start
    opened: list[tuple[str, str, datetime, str | None]] = [
        ("student@onai.test", "Студент Демо", midnight - timedelta(days=12), None)
    ]
    opened += [
        (
            person.student_email,
            name_of(person.number),
            person.access_at,
            f"+7{7_000_000_000 + person.number}",
        )
        for person in demo_people(now)
        if person.access_at is not None
    ]
    opened += [
        (
            f"student{number}@onai.test",
            name_of(number),
            midnight - timedelta(days=3 + 6 * position, hours=7),
            None,
        )
        for position, number in enumerate(_WITHOUT_A_PAYMENT)
    ]
    return [
        _Access(
            place,
            _account(email, name, "student", opened_at),
            None if place in _WITHOUT_A_MANAGER else managers[place % 5 % 2],
            # On every third form the manager wrote the phone down.
            phone if place % 3 == 1 else None,
            _study(place),
        )
        for place, (email, name, opened_at, phone) in enumerate(opened)
    ]


def _study(place: int) -> Study:
    # Who has not got the letter has not signed in.
    return Study.NEVER if place in _NOT_RECEIVED else _STUDIES[place % len(_STUDIES)]


def _account(email: str, full_name: str, role: str, created_at: datetime) -> DemoAccount:
    return DemoAccount(uuid5(_NAMESPACE, email), email, full_name, role, created_at)


def _student_id(account: DemoAccount) -> UUID:
    return uuid5(_NAMESPACE, f"student {account.email}")


def _student(access: _Access) -> Row:
    account, manager = access.account, access.manager
    status = (
        "blocked"
        if access.place in _BLOCKED
        else "inactive"
        if access.place in _INACTIVE
        else "active"
    )
    emailed = access.place not in _UNSENT
    return {
        "id": _student_id(account),
        "user_id": account.id,
        "full_name": account.full_name,
        "email": account.email,
        "granted_by": manager.id if manager else None,
        "manager_name": manager.full_name if manager else None,
        "welcome_email_sent": emailed,
        "welcome_email_sent_at": account.created_at if emailed else None,
        "price": _PRICE_KZT,
        "status": status,
        "amocrm_deal_id": None,
        "amocrm_contact_id": None,
        "created_at": account.created_at,
        "updated_at": account.created_at,
    }


def _acts(access: _Access, admin: DemoAccount) -> list[Row]:
    account, manager = access.account, access.manager
    if manager is None:
        return []
    sent = access.place not in _UNSENT
    acts: list[tuple[str, DemoAccount, timedelta, dict[str, str]]] = [
        ("user_created", manager, timedelta(), {}),
    ]
    if sent:
        acts.append(("email_sent", manager, timedelta(seconds=2), {}))
    if access.place in _BLOCKED | _INACTIVE:
        after = "blocked" if access.place in _BLOCKED else "inactive"
        change = {"change": "status", "before": "active", "after": after}
        acts.append(("status_changed", admin, timedelta(minutes=15), change))
    if access.place == 11:
        acts.append(("password_reset", manager, timedelta(minutes=8), {}))
    return [
        {
            "id": uuid5(_NAMESPACE, f"{action} {account.email}"),
            "manager_id": actor.id,
            "action_type": action,
            "target_user_id": account.id,
            "details": {"email": account.email, "full_name": account.full_name, **details},
            "created_at": account.created_at + later,
        }
        for action, actor, later, details in acts
    ]


def _deletion(admin: DemoAccount, at: datetime) -> Row:
    """Of a student who is gone: the log alone remembers them."""
    return {
        "id": uuid5(_NAMESPACE, "deletion"),
        "manager_id": admin.id,
        "action_type": "user_deleted",
        "target_user_id": None,
        "details": {"email": "gone@onai.test", "full_name": name_of(81)},
        "created_at": at,
    }


def _explanation(gift: Row, admin: DemoAccount) -> Row:
    """Why somebody has access without a payment."""
    return {
        "id": uuid5(_NAMESPACE, "explanation"),
        "manager_id": admin.id,
        "action_type": "status_changed",
        "target_user_id": gift["user_id"],
        "details": {
            "email": gift["email"],
            "full_name": gift["full_name"],
            "change": "access_explained",
            "after": _REASON,
        },
        "created_at": gift["created_at"] + timedelta(days=1),
    }


def _phone(access: _Access) -> Row:
    return {"student_id": _student_id(access.account), "phone": access.phone}


def _letter(access: _Access, now: datetime) -> Row:
    """A letter of the outbox, and what became of it."""
    account = access.account
    state = {_FAILED: "failed", _WAITING: "pending"}.get(access.place, "sent")
    sent_at = account.created_at + timedelta(seconds=2)
    delivery, reason = {
        _DELAYED: ("delayed", ""),
        _BOUNCED: ("undelivered", "Permanent NoEmail"),
        _SUPPRESSED: ("suppressed", ""),
        _COMPLAINED: ("complained", ""),
    }.get(access.place, ("delivered", ""))
    return {
        "id": uuid5(_NAMESPACE, f"letter {account.email}"),
        "student_id": _student_id(account),
        "recipient": account.email,
        "full_name": account.full_name,
        # The loader seals the password of a young one.
        "sealed_password": "",
        "asked_by": access.manager.id if access.manager else uuid5(_NAMESPACE, "admin@onai.test"),
        "idempotency_key": uuid5(_NAMESPACE, f"key {account.email}"),
        "state": state,
        "attempts": {"failed": 3, "pending": 4}.get(state, 1),
        "problem": "" if state == "sent" else "422 validation_error",
        "refused": state == "failed",
        "ours": False,
        "due_at": now + timedelta(hours=6) if state == "pending" else account.created_at,
        "give_up_at": account.created_at + timedelta(hours=24),
        "leased_until": account.created_at,
        "sent_at": sent_at if state == "sent" else None,
        "delivery": delivery if state == "sent" else "accepted",
        "delivery_reason": reason,
        "delivery_at": sent_at + timedelta(seconds=20) if state == "sent" else None,
        "created_at": account.created_at,
    }

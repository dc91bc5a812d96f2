"""Students with access and no known purchase.

It may be a gift, another e-mail address, or an access without payment. An admin explains one with a
reason, or a person matches it to a buyer; both can be undone.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Lower

from onai.identity.roles import Identity
from onai.web import paging
from onai.web.paging import ListOrder, ListPage
from onai.web.problems import WrongRole
from sales import activity
from sales.activity import LineAct
from sales.handoff import matching, queue
from sales.handoff.matching import Decider
from sales.models import (
    CREATED,
    ActionType,
    Ambiguity,
    Buyer,
    MatchedBy,
    SignalKind,
    Student,
    StudentLead,
    StudentQuerySet,
)
from sales.permissions import student_for

PAGE = 25
_NEWEST = ListOrder(CREATED)
_PAID = Q()
for _kind in SignalKind:
    _PAID |= Q(**{f"buyer__{_kind.value}_at__isnull": False})


@dataclass(frozen=True, slots=True)
class OfManager:
    """How many such students a manager has; `manager_id` is None for those without one."""

    manager_id: UUID | None
    students: int


def without_payment(manager_id: UUID | None = None) -> StudentQuerySet:
    """The students without a known purchase and without an explanation, of one manager or all."""
    known = StudentLead.objects.filter(student=OuterRef("pk")).filter(
        Q(how=MatchedBy.EXPLAINED) | (~Q(how=MatchedBy.UNDONE) & _PAID)
    )
    students = Student.objects.without_staff().exclude(Exists(known))
    return students.of_manager(manager_id) if manager_id else students


def page_of_students(viewer: Identity, *, manager_id: UUID | None, after: str) -> ListPage[Student]:
    """A page of them, newest first; a manager's own."""
    whose = manager_id if viewer.is_admin else viewer.user_id
    found = without_payment(whose).select_related("student_lead")
    return paging.page_of(found, _NEWEST, after=after, size=PAGE, counted=True)


def by_manager() -> list[OfManager]:
    """How many each manager has, the most first."""
    counted = without_payment().order_by().values("granted_by").annotate(students=Count("pk"))
    found = [OfManager(row["granted_by"], row["students"]) for row in counted]
    return sorted(found, key=lambda one: -one.students)


def explain(student_id: UUID, asker: Identity, *, reason: str) -> None:
    """Record why an access has no purchase. For admins."""
    if not asker.is_admin:
        raise WrongRole
    with transaction.atomic(using="tripwire"):
        student = student_for(asker, student_id, locked=True)
        StudentLead.objects.update_or_create(
            student=student,
            defaults={
                "buyer": None,
                "lead_id": None,
                "how": MatchedBy.EXPLAINED,
                "matched_by": asker.user_id,
                "matched_name": asker.name,
                "note": reason,
            },
        )
        _log(LineAct.EXPLAIN, student, asker, after=reason)


def tie(student_id: UUID, buyer_id: UUID, asker: Identity) -> None:
    """Match a student to this buyer by hand. Raises `NoSuchLine`."""
    with transaction.atomic(using="tripwire"):
        student = student_for(asker, student_id, locked=True)
        by = Decider(asker.user_id, asker.name)
        if not matching.tie(student, buyer_id, MatchedBy.HAND, by):
            raise queue.NoSuchLine
        _log(LineAct.TIE, student, asker, buyer_id=str(buyer_id))


def undo(student_id: UUID, asker: Identity) -> None:
    """Take back the explanation or the match of a student."""
    with transaction.atomic(using="tripwire"):
        student = student_for(asker, student_id, locked=True)
        known = StudentLead.objects.filter(student=student).first()
        if known is None or known.how == MatchedBy.UNDONE:
            return
        if known.how == MatchedBy.EXPLAINED:
            if not asker.is_admin:
                raise WrongRole
            known.delete()
            _log(LineAct.UNEXPLAIN, student, asker, before=known.note)
            return
        matching.untie(known, Decider(asker.user_id, asker.name))
        _log(LineAct.UNTIE, student, asker)


def similar_students(buyers: list[Buyer], viewer: Identity) -> dict[UUID, list[Student]]:
    """By buyer, the students who may be the same person: with the same name, or with a phone that
    several share. A person has to decide.
    """
    names = {buyer.pk: buyer.name.lower() for buyer in buyers if buyer.name}
    unmatched = Student.objects.without_staff().filter(student_lead=None)
    if not viewer.is_admin:
        unmatched = unmatched.of_manager(viewer.user_id)
    named = unmatched.annotate(lower_name=Lower("full_name"))
    found = list(named.filter(lower_name__in=set(names.values()))[: PAGE * 2])
    similar = {
        pk: [one for one in found if one.full_name.lower() == name] for pk, name in names.items()
    }
    shared = [buyer.pk for buyer in buyers if buyer.ambiguity == Ambiguity.SHARED_PHONE]
    for pk in shared:
        keys = matching.phone_keys_of(pk)
        called = unmatched.filter(kept_phone__phone__in=keys)[:PAGE]
        similar.setdefault(pk, []).extend(one for one in called if one not in similar.get(pk, []))
    return {pk: students for pk, students in similar.items() if students}


def _log(act: LineAct, student: Student, asker: Identity, **details: Any) -> None:
    activity.log(
        ActionType.STATUS_CHANGED,
        by=asker.user_id,
        account_id=student.user_id,
        email=student.email,
        full_name=student.full_name,
        change=act,
        **details,
    )

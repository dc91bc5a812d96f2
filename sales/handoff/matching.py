"""Matches students to buyers.

A student is matched by the lead's id where access was opened from the lead, else by e-mail, else by
phone, unless a family shares it (`sales.handoff.persons`); never by name alone. An ambiguous case
stays open until a person decides it, and a person may undo any match.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db import connections, transaction
from django.db.models import Case, Count, QuerySet, TextField, Value, When
from django.db.models.functions import Coalesce, Lower, Now

from onai.contacts import phones
from sales.handoff import buyers
from sales.handoff.contacts import email_key
from sales.handoff.persons import Contact, persons
from sales.models import (
    Buyer,
    BuyerContact,
    ClosingReason,
    MatchedBy,
    SignalKind,
    Student,
    StudentLead,
    StudentPhone,
    StudentQuerySet,
)


@dataclass(frozen=True, slots=True)
class MatchShare:
    """The numbers of students matched to buyers, by how they were matched, and of those not
    matched.
    """

    by_id: int
    by_email: int
    by_phone: int
    by_hand: int
    not_matched: int

    @property
    def students(self) -> int:
        return self.matched + self.not_matched

    @property
    def matched(self) -> int:
        return self.by_id + self.by_email + self.by_phone + self.by_hand


@dataclass(frozen=True, slots=True)
class Decider:
    """The person who decided a match; without an id, the data did."""

    user_id: UUID | None = None
    name: str = ""


BY_DATA = Decider()
MATCHES = (MatchedBy.LEAD_ID, MatchedBy.EMAIL, MatchedBy.PHONE, MatchedBy.HAND)


def match_share() -> MatchShare:
    """The share of matched students among all students; staff do not count."""
    by_how = dict(StudentLead.objects.values_list("how").annotate(students=Count("pk")).order_by())
    students = Student.objects.without_staff().count()
    tied = [by_how.get(how, 0) for how in MATCHES]
    by_id, by_email, by_phone, by_hand = tied
    return MatchShare(by_id, by_email, by_phone, by_hand, max(0, students - sum(tied)))


def with_source(students: StudentQuerySet) -> "QuerySet[Any, Any]":
    """The students, with the source of their purchase as `source`; empty where none is known."""
    known = When(student_lead__how__in=MATCHES, then="student_lead__source")
    return students.annotate(source=Coalesce(Case(known), Value(""), output_field=TextField()))


def from_source(students: StudentQuerySet, source: str) -> StudentQuerySet:
    """Those of the students whose purchase has this source; empty for those without a known one."""
    found: Any = with_source(students).filter(source=source)
    return cast("StudentQuerySet", found)


def tie(student: Student, buyer_id: UUID, how: MatchedBy, by: Decider = BY_DATA) -> bool:
    """Match a student to a buyer, and close the buyer's line; False where the buyer does not exist
    any more.
    """
    with transaction.atomic(using="tripwire"):
        buyers.lock_matching()
        buyer = Buyer.objects.select_for_update().filter(pk=buyer_id).first()
        if buyer is None:
            return False
        first, at = _first_signal(buyer)
        StudentLead.objects.update_or_create(
            student=student,
            defaults={
                "buyer": buyer,
                "lead_id": buyer.lead_id,
                "phone": buyer.phone,
                "source": buyer.source,
                "first_signal": first,
                "first_signal_at": at,
                "how": how,
                "matched_by": by.user_id,
                "matched_name": by.name,
                "note": "",
            },
        )
        Buyer.objects.filter(pk=buyer.pk).update(
            waiting_since=None,
            closed_at=Now(),
            closed_by=by.user_id,
            closed_name=by.name,
            closed_reason=ClosingReason.ACCESS,
            closed_note="",
        )
    return True


def untie(student_lead: StudentLead, by: Decider) -> None:
    """Undo a match. Later rounds do not match this student again."""
    with transaction.atomic(using="tripwire"):
        buyers.lock_matching()
        StudentLead.objects.filter(pk=student_lead.pk).update(
            how=MatchedBy.UNDONE, matched_by=by.user_id, matched_name=by.name
        )
        buyer = student_lead.buyer_id
        others = StudentLead.objects.filter(buyer=buyer, how__in=MATCHES)
        if buyer is not None and not others.exists():
            reopen(buyer, only_if=ClosingReason.ACCESS)


def reopen(buyer_id: UUID, *, only_if: ClosingReason | None = None) -> bool:
    """Open a closed line again; in the caller's transaction. Returns whether it was closed."""
    closed = Buyer.objects.select_for_update().filter(pk=buyer_id, closed_at__isnull=False)
    buyer = (closed.filter(closed_reason=only_if) if only_if else closed).first()
    if buyer is None:
        return False
    Buyer.objects.filter(pk=buyer.pk).update(
        waiting_since=buyers.first_opening_signal_at(buyer),
        closed_at=None,
        closed_by=None,
        closed_name="",
        closed_reason="",
        closed_note="",
    )
    return True


# --- By the data -------------------------------------------------------------------------------


def match_buyers(page: Sequence[Buyer]) -> None:
    """Match unmatched students to these buyers."""
    keys = BuyerContact.objects.filter(buyer__in=page).values_list("email_key", "phone_key")
    emails = {email for email, _ in keys if email}
    numbers = {phone for _, phone in keys if phone}
    unmatched = Student.objects.filter(student_lead=None)
    lower = unmatched.annotate(lower_email=Lower("email")).filter(lower_email__in=emails)
    called = unmatched.filter(kept_phone__phone__in=numbers)
    ids = set(lower.values_list("pk", flat=True)) | set(called.values_list("pk", flat=True))
    if ids:
        match_students(Student.objects.without_staff().filter(pk__in=ids))


def match_students(students: Iterable[Student]) -> None:
    """Match these students, none of whom has a match yet, to buyers."""
    everybody = list(students)
    keep_adopted_phones(everybody)
    numbers = dict(
        StudentPhone.objects.filter(student__in=everybody).values_list("student_id", "phone")
    )
    theirs = [
        Contact(one.pk, numbers.get(one.pk), email_key(one.email), None, one.full_name)
        for one in everybody
    ]
    by_email, by_phone = _contacts_with(theirs)
    for student, keys in zip(everybody, theirs, strict=True):
        if (buyer_id := _only(by_email.get(keys.email_key, []))) is not None:
            tie(student, buyer_id, MatchedBy.EMAIL)
        elif (buyer_id := _called(keys, by_phone.get(keys.phone_key, []))) is not None:
            tie(student, buyer_id, MatchedBy.PHONE)


def phone_keys_of(buyer_id: UUID) -> list[str]:
    """The phones of a buyer."""
    keys = BuyerContact.objects.filter(buyer=buyer_id, phone_key__isnull=False)
    return [key for key in keys.values_list("phone_key", flat=True) if key]


def _contacts_with(
    theirs: Iterable[Contact],
) -> tuple[dict[str | None, list[BuyerContact]], dict[str | None, list[BuyerContact]]]:
    """The contacts with these e-mails, and those with these phones."""
    by_email, by_phone = defaultdict(list), defaultdict(list)
    emails = {one.email_key for one in theirs if one.email_key}
    numbers = {one.phone_key for one in theirs if one.phone_key}
    for contact in BuyerContact.objects.filter(email_key__in=emails, buyer__isnull=False):
        by_email[contact.email_key].append(contact)
    for contact in BuyerContact.objects.filter(phone_key__in=numbers, buyer__isnull=False):
        by_phone[contact.phone_key].append(contact)
    return by_email, by_phone


def _only(contacts: Iterable[BuyerContact]) -> UUID | None:
    """The only buyer of these contacts; None where there is none, or more than one."""
    ids = {one.buyer_id for one in contacts}
    return ids.pop() if len(ids) == 1 else None


def _called(keys: Contact, contacts: list[BuyerContact]) -> UUID | None:
    """The buyer with the student's phone; None where a family shares it."""
    if len(contacts) > buyers.CROWDED or (buyer_id := _only(contacts)) is None:
        return None
    found = persons([keys, *map(buyers.keys_of, contacts)])
    return buyer_id if len(found) == 1 and not found[0].shares_phone else None


def _first_signal(buyer: Buyer) -> tuple[str, datetime | None]:
    seen = [(at, kind.value) for kind in SignalKind if (at := buyer.signal_at(kind))]
    if not seen:
        return "", None
    at, kind = min(seen)
    return kind, at


def keep_adopted_phones(students: Iterable[Student]) -> None:
    """Keep the phones that other software wrote, where its table has a column for them."""
    with connections["tripwire"].cursor() as cursor:
        cursor.execute(
            "select student.id, to_jsonb(student) ->> 'phone' from tripwire_users student"
            " where id = any(%s) and to_jsonb(student) ->> 'phone' <> ''"
            " and not exists (select from sales_student_phones where student_id = student.id)",
            [[one.pk for one in students]],
        )
        written = [(pk, phones.key(phone)) for pk, phone in cursor.fetchall()]
    StudentPhone.objects.bulk_create(
        [StudentPhone(student_id=pk, phone=key) for pk, key in written if key],
        ignore_conflicts=True,
    )

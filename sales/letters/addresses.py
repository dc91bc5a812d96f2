"""Addresses of students: which of them the mail service skips, and which others may be right."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onai.contacts import emails
from sales.models import LOST, BuyerContact, Delivery, Student, StudentLead, WelcomeLetter

# A bounce with this word is final; after others the mail service tries the address again.
_FINAL = "Permanent"


@dataclass(frozen=True, slots=True)
class OtherAddress:
    """An address that may reach a student. `why` says where it comes from."""

    email: str
    why: str | Promise


def is_suppressed(email: str) -> bool:
    """Whether the mail service skips letters to this address, as far as it has told us.

    It skips an address after a final bounce or a complaint, until somebody takes it off the
    suppression list. A letter delivered later shows that it was taken off.
    """
    at_address = WelcomeLetter.objects.alias(address=Lower("recipient")).filter(
        address=email.strip().lower()
    )
    stopped = (
        at_address.filter(delivery__in=(*LOST, Delivery.COMPLAINED))
        .exclude(~Q(delivery_reason__contains=_FINAL), delivery=Delivery.UNDELIVERED)
        .order_by("-delivery_at")
        .first()
    )
    if stopped is None:
        return False
    arrived = at_address.filter(student=stopped.student_id, delivery=Delivery.DELIVERED)
    return not arrived.filter(delivery_at__gt=stopped.delivery_at).exists()


def other_addresses(students: Iterable[Student]) -> dict[UUID, list[OtherAddress]]:
    """For students whose letter was lost: the addresses in their leads, and the one probably
    meant.
    """
    lost = [one for one in students if one.latest_letter and one.latest_letter.is_lost]
    of_leads = _of_leads([one.pk for one in lost])
    found = {}
    for student in lost:
        # By address, so that none is there twice.
        others = {email: OtherAddress(email, _("из заявки")) for email in of_leads[student.pk]}
        meant = emails.probably_meant(student.email.lower())
        if meant:
            others.setdefault(meant, OtherAddress(meant, _("возможно, опечатка")))
        others.pop(student.email.lower(), None)
        found[student.pk] = list(others.values())
    return found


def _of_leads(students: list[UUID]) -> dict[UUID, list[str]]:
    """The addresses in the leads of the buyer whom each student is, newest first."""
    matched = [one for one in StudentLead.objects.filter(pk__in=students) if one.is_match]
    buyers: dict[UUID | None, UUID] = {one.buyer_id: one.pk for one in matched if one.buyer_id}
    contacts = BuyerContact.objects.filter(buyer__in=list(buyers)).order_by("-created_at")
    found: dict[UUID, list[str]] = {student: [] for student in students}
    for contact in contacts.exclude(email=""):
        try:
            found[buyers[contact.buyer_id]].append(emails.clean(contact.email))
        except ValidationError:
            continue  # No letter could go there.
    return found

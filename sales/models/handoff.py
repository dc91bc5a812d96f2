"""Buyers: persons with a sign of a purchase, joined from Landing, and what became of each.

Landing has no table of persons. These rows are made from its leads and the CRM's deals by
`sales.handoff`; times of signals are Landing's, those of acts are Tripwire's.
"""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from sales.models.students import Student


class SignalKind(models.TextChoices):
    """The signs of a purchase, strongest first."""

    WON = "won", _("выигранная сделка в CRM")
    CHOSE = "chose", _("выбор способа оплаты")
    CLICKED = "clicked", _("переход по ссылке на оплату")
    BY_HAND = "by_hand", _("сообщил менеджер")


class ClosingReason(models.TextChoices):
    ACCESS = "access", _("доступ открыт")
    NOT_PAID = "not_paid", _("не оплатил")
    DUPLICATE = "duplicate", _("дубль")
    REFUND = "refund", _("возврат")
    OTHER = "other", _("другое")


class Ambiguity(models.TextChoices):
    """Why nobody can say by the data alone whose a contact is."""

    SHARED_PHONE = "shared_phone", _("этот телефон есть и у другого человека")
    SHARED_STUDENT = "shared_student", _("студента с этим телефоном можно отнести и к другому")


class Marks(models.Model):
    """When each signal was first seen, None without it.

    `gone` has the kinds that were true once and are no longer, with the moment that was noticed.
    """

    won_at = models.DateTimeField(null=True)
    # Of the deals, in whole tenge.
    won_amount = models.BigIntegerField(null=True)
    chose_at = models.DateTimeField(null=True)
    # As Landing names it: kaspi, card, manager.
    chose_how = models.TextField(default="", db_default="")
    clicked_at = models.DateTimeField(null=True)
    by_hand_at = models.DateTimeField(null=True)
    gone = models.JSONField(default=dict, db_default={})

    class Meta:
        abstract = True

    def signal_at(self, kind: SignalKind) -> datetime | None:
        """When the signal was first seen."""
        at: datetime | None = getattr(self, f"{kind.value}_at")
        return at


class Buyer(Marks):
    """One person with all their signals, and their line in the queue.

    The line is open while `waiting_since` is set: the moment of the earliest signal that opens one.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    name = models.TextField(default="")
    # As written.
    phone = models.TextField(default="")
    email = models.TextField(default="")
    source = models.TextField(null=True)
    utm = models.JSONField(default=dict, db_default={})
    # The lead with the earliest signal.
    lead_id = models.UUIDField(null=True)
    ambiguity = models.TextField(choices=Ambiguity, default="", db_default="")
    # Of the oldest lead.
    created_at = models.DateTimeField()
    waiting_since = models.DateTimeField(null=True)
    claimed_by = models.UUIDField(null=True)
    claimed_name = models.TextField(default="", db_default="")
    claimed_until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.UUIDField(null=True)
    closed_name = models.TextField(default="", db_default="")
    closed_reason = models.TextField(choices=ClosingReason, default="", db_default="")
    closed_note = models.TextField(default="", db_default="")

    class Meta:
        db_table = "sales_buyers"
        indexes = (
            models.Index(
                fields=["waiting_since", "id"],
                condition=Q(waiting_since__isnull=False),
                name="sales_buyers_waiting",
            ),
            models.Index(
                fields=["-closed_at", "-id"],
                condition=Q(closed_at__isnull=False),
                name="sales_buyers_closed",
            ),
            # Who had a signal in a period (`sales.money`).
            models.Index(
                fields=["clicked_at"],
                condition=Q(clicked_at__isnull=False),
                name="sales_buyers_clicked",
            ),
            models.Index(
                fields=["chose_at"], condition=Q(chose_at__isnull=False), name="sales_buyers_chose"
            ),
            models.Index(
                fields=["won_at"], condition=Q(won_at__isnull=False), name="sales_buyers_won"
            ),
            models.Index(
                fields=["by_hand_at"],
                condition=Q(by_hand_at__isnull=False),
                name="sales_buyers_by_hand",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class ContactKind(models.TextChoices):
    LEAD = "lead", _("заявка")
    DEAL = "deal", _("сделка")
    BY_HAND = "by_hand", _("вручную")


class BuyerContact(Marks):
    """One lead, deal or report by hand, as last read, with the keys by which it is somebody's.

    A lead's id is Landing's. `missing_at` is when Landing turned out to have no such row any more.
    """

    id = models.UUIDField(primary_key=True)
    kind = models.TextField(choices=ContactKind)
    buyer = models.ForeignKey(
        Buyer,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="contacts",
    )
    phone_key = models.TextField(null=True)
    email_key = models.TextField(null=True)
    # The CRM's id of the deal.
    deal_key = models.TextField(null=True)
    name = models.TextField(default="")
    phone = models.TextField(default="")
    email = models.TextField(default="")
    source = models.TextField(null=True)
    utm = models.JSONField(default=dict, db_default={})
    created_at = models.DateTimeField()
    missing_at = models.DateTimeField(null=True)
    # Of the row as read, so that an unchanged one costs nothing.
    fingerprint = models.TextField(default="")

    class Meta:
        db_table = "sales_buyer_contacts"
        indexes = (
            models.Index(fields=["phone_key"], name="sales_buyer_contacts_phone"),
            models.Index(fields=["email_key"], name="sales_buyer_contacts_email"),
            models.Index(fields=["deal_key"], name="sales_buyer_contacts_deal"),
            models.Index(fields=["kind", "created_at", "id"], name="sales_buyer_contacts_read"),
        )

    def __str__(self) -> str:
        return str(self.pk)


class MatchedBy(models.TextChoices):
    """How a student was found to be a buyer. The last two say that they are none."""

    LEAD_ID = "id", _("по заявке")
    EMAIL = "email", _("по почте")
    PHONE = "phone", _("по телефону")
    HAND = "hand", _("вручную")
    EXPLAINED = "explained", _("объяснено")
    UNDONE = "undone", _("связь снята")


class StudentLead(models.Model):
    """Whose purchase a student's access is, and who says so.

    `buyer` is None where the access is explained without a purchase. Where the match was undone,
    `buyer` is the one whom the student is not.
    """

    # The database deletes it with its student, also when Supabase deletes the account.
    student = models.OneToOneField(
        Student,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="student_lead",
    )
    buyer = models.ForeignKey(
        Buyer,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="student_leads",
    )
    lead_id = models.UUIDField(null=True)
    phone = models.TextField(default="")
    source = models.TextField(null=True)
    first_signal = models.TextField(choices=SignalKind, default="")
    first_signal_at = models.DateTimeField(null=True)
    how = models.TextField(choices=MatchedBy)
    # None where the data did.
    matched_by = models.UUIDField(null=True)
    matched_name = models.TextField(default="", db_default="")
    note = models.TextField(default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "sales_student_leads"

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_match(self) -> bool:
        return self.how not in (MatchedBy.EXPLAINED, MatchedBy.UNDONE)


class ReadingPosition(models.Model):
    """How far a sweep has come. `place` is the key of the last row read, None at the beginning."""

    sweep = models.TextField(primary_key=True)
    place: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    # When the sweep last came to the end.
    finished_at = models.DateTimeField(null=True)
    # Whether it goes on. A sweep of all rows stops at the end until the next night.
    is_running = models.BooleanField(default=True, db_default=True)

    class Meta:
        db_table = "sales_reading_positions"

    def __str__(self) -> str:
        return self.sweep

"""Leads, as the landing pages write them. Read only."""

from collections.abc import Collection
from uuid import UUID, uuid4

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, Now

from onai.contacts import emails, phones
from onai.periods import Period

# The stages of a lead, by the definitions the business reports with. A flag that is null is false.
# The sources of the test begin so.
TESTS = "proftest"
TOOK_THE_TEST = Q(source__startswith=TESTS)
PURCHASED = Q(sms_clicked=True)


def within(period: Period) -> Q:
    """Created in the period: `created_at` in `[period.start, period.end)`."""
    return Q(created_at__gte=period.start, created_at__lt=period.end)


def source_name() -> Coalesce:
    """The source as the landing page wrote it, empty where it wrote none."""
    return Coalesce("source", Value(""), output_field=models.TextField())


class LeadQuerySet(models.QuerySet["Lead"]):
    """Leads in the words of the business."""

    def created_in(self, period: Period) -> "LeadQuerySet":
        """Leads whose `created_at` is in `[period.start, period.end)`."""
        return self.filter(within(period))

    def of_sources(self, sources: Collection[str]) -> "LeadQuerySet":
        """Leads of these sources, exactly as written; an empty name stands for leads without a
        source.

        Without names, leads of all sources.
        """
        if not sources:
            return self
        unnamed = Q(source=None) if "" in sources else Q()
        return self.filter(Q(source__in=sources) | unnamed)

    def purchases(self) -> "LeadQuerySet":
        return self.filter(PURCHASED)

    def person_keys(self) -> "models.QuerySet[Lead, tuple[UUID, str | None, str | None]]":
        """The id, `phone_key` and `email_key` of each, in this order."""
        return self.values_list("pk", phones.key_of("phone"), emails.key_of("email"))


class Lead(models.Model):
    """A person who left their contacts on a landing page."""

    id = models.UUIDField(primary_key=True, default=uuid4, db_default=RandomUUID())
    email = models.TextField(null=True)
    name = models.TextField()
    phone = models.TextField()
    source = models.TextField(null=True)
    amocrm_lead_id = models.TextField(null=True)
    amocrm_contact_id = models.CharField(max_length=255, null=True)
    amocrm_synced = models.BooleanField(null=True)
    amocrm_sync_status = models.CharField(max_length=50, null=True)
    amocrm_sync_attempts = models.IntegerField(null=True)
    amocrm_sync_last_error = models.TextField(null=True)
    email_sent = models.BooleanField(null=True)
    email_clicked = models.BooleanField(null=True)
    sms_sent = models.BooleanField(null=True)
    sms_clicked = models.BooleanField(null=True)
    email_sent_at = models.DateTimeField(null=True)
    email_opened_at = models.DateTimeField(null=True)
    email_clicked_at = models.DateTimeField(null=True)
    sms_sent_at = models.DateTimeField(null=True)
    sms_clicked_at = models.DateTimeField(null=True)
    email_error = models.TextField(null=True)
    sms_error = models.TextField(null=True)
    sms_message_id = models.TextField(null=True)
    click_count = models.IntegerField(null=True)
    metadata = models.JSONField(default=dict, db_default={}, null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = LeadQuerySet.as_manager()

    class Meta:
        db_table = "landing_leads"
        indexes = (
            models.Index(fields=["email"], name="landing_leads_email"),
            models.Index(fields=["-created_at"], name="landing_leads_created_at"),
            models.Index(fields=["amocrm_synced"], name="landing_leads_amocrm_synced"),
        )

    def __str__(self) -> str:
        return str(self.pk)

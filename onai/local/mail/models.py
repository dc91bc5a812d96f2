"""The captured letters, and the addresses to which nothing is sent any more."""

from uuid import uuid4

from django.db import models


class Letter(models.Model):
    """A letter as it was sent. `fingerprint` distinguishes another letter with the same key."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    sender = models.TextField()
    recipients = models.JSONField()
    # Empty where answers go to the sender.
    reply_to = models.TextField(default="")
    subject = models.TextField()
    html = models.TextField()
    text = models.TextField()
    tags = models.JSONField(default=list)
    last_event = models.TextField(default="sent")
    created_at = models.DateTimeField(auto_now_add=True)
    idempotency_key = models.CharField(max_length=256, null=True, unique=True)
    fingerprint = models.CharField(max_length=64)

    class Meta:
        db_table = "letters"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.subject


class Suppression(models.Model):
    """An address that bounced or complained: later letters to it are skipped."""

    email = models.TextField(primary_key=True)
    origin = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "suppressions"

    def __str__(self) -> str:
        return self.email

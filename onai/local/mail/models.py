"""The captured letters."""

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
    created_at = models.DateTimeField(auto_now_add=True)
    idempotency_key = models.CharField(max_length=256, null=True, unique=True)
    fingerprint = models.CharField(max_length=64)

    class Meta:
        db_table = "letters"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.subject

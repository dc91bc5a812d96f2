"""The register of staff: who is confirmed in which role, and who only claims to be.

And the requests for a new password.
"""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class StaffManager(models.Manager["StaffMember"]):
    """Current staff."""

    def get_queryset(self) -> "models.QuerySet[StaffMember]":
        return super().get_queryset().exclude(role="")


class StaffMember(models.Model):
    """What is known of one account that is staff, was, or claims to be.

    `role`, `email` and `full_name` are a copy for lists, renewed by `register.refresh`; they let
    nobody in. `confirmed_role` and `revoked` are an admin's decisions, and count.
    """

    user_id = models.UUIDField(primary_key=True)
    email = models.TextField()
    full_name = models.TextField()
    # The account's role, ignoring a student's row; empty for none.
    role = models.TextField()
    confirmed_role = models.TextField(default="", db_default="")
    # The value of `app_metadata.role` at the confirmation. Another value later overrides it.
    confirmed_beside = models.TextField(default="", db_default="")
    # A role in `user_metadata` that nothing supports, and the one that was refused.
    claimed_role = models.TextField(default="", db_default="")
    claimed_at = models.DateTimeField(null=True)
    refused_role = models.TextField(default="", db_default="")
    revoked = models.BooleanField(default=False, db_default=False)
    decided_at = models.DateTimeField(null=True)
    # An admin's account; empty where the migration or an operator decided.
    decided_by = models.UUIDField(null=True)
    # False for staff confirmed by the first migration, until an admin has reviewed them.
    reviewed = models.BooleanField(default=True, db_default=True)

    known = models.Manager["StaffMember"]()
    objects = StaffManager()

    class Meta:
        db_table = "sales_staff"

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def name(self) -> str:
        """What to call the person: their full name, or their e-mail where they have none."""
        return self.full_name or self.email


class ResetState(models.TextChoices):
    WAITING = "waiting"
    SENT = "sent"
    NO_ACCOUNT = "no_account"
    # The address has had its letters of this hour.
    LIMITED = "limited"
    FAILED = "failed"


class PasswordReset(models.Model):
    """A request for a new password, and how far it has come.

    There is one for each request, also of an address that nobody has, so that they tell how often
    an address and a visitor have asked. The token of the letter's link stays sealed until the
    letter is sent; the session that the link opened, until the password is set or its time is over.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    # As it was asked for, in lower case.
    email = models.TextField()
    # The language that the asking browser has chosen; empty where it has chosen none.
    language = models.TextField(default="", db_default="")
    # A keyed digest of the visitor's address.
    visitor = models.TextField()
    asked_at = models.DateTimeField(db_default=Now())
    state = models.TextField(choices=ResetState, default=ResetState.WAITING)
    leased_until = models.DateTimeField(db_default=Now())
    problem = models.TextField(default="", db_default="")
    # The letter, once Supabase has made its link. All attempts share the key.
    idempotency_key = models.UUIDField(default=uuid4)
    recipient = models.TextField(default="", db_default="")
    sealed_token = models.TextField(default="", db_default="")
    # By which the link's page finds its request.
    token_digest = models.TextField(default="", db_default="")
    account_id = models.UUIDField(null=True)
    opened_at = models.DateTimeField(null=True)
    sealed_session = models.TextField(default="", db_default="")
    changed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sales_password_resets"
        indexes = (
            models.Index(fields=["email", "asked_at"], name="password_resets_email"),
            models.Index(fields=["visitor", "asked_at"], name="password_resets_visitor"),
            models.Index(fields=["token_digest"], name="password_resets_token"),
            models.Index(fields=["asked_at"], name="password_resets_asked"),
            models.Index(
                fields=["leased_until"],
                condition=Q(state=ResetState.WAITING),
                name="password_resets_waiting",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)

"""The register of staff: who is confirmed in which role, and who only claims to be."""

from django.db import models


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

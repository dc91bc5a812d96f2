"""The register of staff: who is confirmed in which role, and who only claims to be."""

from django.db import models


class StaffManager(models.Manager["StaffMember"]):
    """Whoever is staff now."""

    def get_queryset(self) -> "models.QuerySet[StaffMember]":
        return super().get_queryset().exclude(role="")


class StaffMember(models.Model):
    """What is known of one account that is staff, was, or claims to be.

    `role`, `email` and `full_name` are a copy for lists, renewed by `register.refresh`: nobody is
    let in by it. `confirmed_role` and `revoked` are what an admin decided, and count.
    """

    user_id = models.UUIDField(primary_key=True)
    email = models.TextField()
    full_name = models.TextField()
    # What the account is, as far as its row as a student is left aside; empty for nobody.
    role = models.TextField()
    confirmed_role = models.TextField(default="", db_default="")
    # What `app_metadata.role` said when it was confirmed. Another word later outweighs that.
    confirmed_beside = models.TextField(default="", db_default="")
    # A role in `user_metadata` that nothing supports, and the one that was refused.
    claimed_role = models.TextField(default="", db_default="")
    claimed_at = models.DateTimeField(null=True)
    refused_role = models.TextField(default="", db_default="")
    revoked = models.BooleanField(default=False, db_default=False)
    decided_at = models.DateTimeField(null=True)
    # An admin's account; empty where the migration or an operator decided.
    decided_by = models.UUIDField(null=True)
    # False for those the first migration took over unseen, until an admin has looked.
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

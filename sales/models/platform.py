"""Other software's rows about students, which are read and never written through these models.

Supabase's accounts, and the learning platform's tables. Each table of the platform may be missing
or closed to us: `sales.cabinet.availability` says which can be asked.
"""

from django.db import models


class Account(models.Model):
    """A student's account in Supabase Auth."""

    id = models.UUIDField(primary_key=True)
    last_sign_in_at = models.DateTimeField(null=True)
    # Never null, so a null in a join means that the account is not seen.
    is_anonymous = models.BooleanField()

    class Meta:
        managed = False
        db_table = '"auth"."users"'

    def __str__(self) -> str:
        return str(self.pk)


class CourseProfile(models.Model):
    """The platform's count of a student's modules. It has no row for some students."""

    account_id = models.UUIDField(primary_key=True, db_column="user_id")
    modules_completed = models.IntegerField(null=True)
    total_modules = models.IntegerField(null=True)
    certificate_issued = models.BooleanField(null=True)

    class Meta:
        managed = False
        db_table = "tripwire_user_profile"

    def __str__(self) -> str:
        return str(self.pk)


class Lesson(models.Model):
    """A student's lesson. Django needs a primary key; this one is not unique."""

    account_id = models.UUIDField(primary_key=True, db_column="tripwire_user_id")
    module_id = models.IntegerField()
    is_completed = models.BooleanField(null=True)
    completed_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "tripwire_progress"

    def __str__(self) -> str:
        return str(self.pk)


class Certificate(models.Model):
    """A certificate of the course. Django needs a primary key; this one need not be unique."""

    account_id = models.UUIDField(primary_key=True, db_column="user_id")
    issued_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "certificates"

    def __str__(self) -> str:
        return str(self.pk)

"""Students, and what managers did: the two tables that production already has.

`auth.users` is Supabase's own; a migration only ties `tripwire_users.user_id` to it.
"""

from uuid import uuid4

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class StudentStatus(models.TextChoices):
    ACTIVE = "active", _("Активен")
    INACTIVE = "inactive", _("Неактивен")
    COMPLETED = "completed", _("Прошёл курс")
    BLOCKED = "blocked", _("Заблокирован")


class Student(models.Model):
    """A person with access to the course. Staff accounts are never here."""

    id = models.UUIDField(primary_key=True, default=uuid4, db_default=RandomUUID())
    user_id = models.UUIDField()
    full_name = models.TextField()
    email = models.TextField(unique=True)
    granted_by = models.UUIDField(null=True)
    manager_name = models.TextField(null=True)
    welcome_email_sent = models.BooleanField(null=True, db_default=False)
    welcome_email_sent_at = models.DateTimeField(null=True)
    email_opened = models.BooleanField(null=True, db_default=False)
    first_login_at = models.DateTimeField(null=True)
    last_active_at = models.DateTimeField(null=True)
    modules_completed = models.IntegerField(null=True, db_default=0)
    price = models.IntegerField(null=True, db_default=5000)
    status = models.TextField(null=True, choices=StudentStatus, db_default=StudentStatus.ACTIVE)
    amocrm_deal_id = models.TextField(null=True)
    amocrm_contact_id = models.TextField(null=True)
    created_at = models.DateTimeField(null=True, db_default=Now())
    updated_at = models.DateTimeField(null=True, db_default=Now())

    class Meta:
        db_table = "tripwire_users"
        indexes = (
            models.Index(fields=["email"], name="tripwire_users_email"),
            models.Index(fields=["user_id"], name="tripwire_users_user_id"),
            models.Index(fields=["granted_by"], name="tripwire_users_granted_by"),
            models.Index(fields=["status"], name="tripwire_users_status"),
            models.Index(fields=["created_at"], name="tripwire_users_created_at"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=StudentStatus.values), name="tripwire_users_status_known"
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class ActionType(models.TextChoices):
    USER_CREATED = "user_created", _("Создал доступ")
    EMAIL_SENT = "email_sent", _("Отправил письмо")
    STATUS_CHANGED = "status_changed", _("Сменил статус")
    PASSWORD_RESET = "password_reset", _("Сменил пароль")
    USER_DELETED = "user_deleted", _("Удалил доступ")


class ActivityEntry(models.Model):
    """One act of a manager. It outlives the student it was about."""

    id = models.UUIDField(primary_key=True, default=uuid4, db_default=RandomUUID())
    manager_id = models.UUIDField(null=True)
    action_type = models.TextField(null=True, choices=ActionType)
    target_user_id = models.UUIDField(null=True)
    details = models.JSONField(null=True, default=dict, db_default={})
    created_at = models.DateTimeField(null=True, db_default=Now())

    class Meta:
        db_table = "sales_activity_log"
        indexes = (
            models.Index(fields=["manager_id", "-created_at"], name="sales_activity_log_manager"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(action_type__in=ActionType.values),
                name="sales_activity_log_action_known",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)

"""Students, what was sold, and what managers did.

`tripwire_users` and `sales_activity_log` stand in production already; the others are ours.
`auth.users` is Supabase's own; a migration only ties `tripwire_users.user_id` to it.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Lower, Now
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from sales.models.letters import WelcomeLetter

# What students are ordered by. A moment that is not known counts as long past.
LONG_PAST = datetime(1900, 1, 1, tzinfo=UTC)
CREATED = Coalesce("created_at", Value(LONG_PAST))
LAST_ACTIVE = Coalesce("last_active_at", Value(LONG_PAST))
NAME = Lower("full_name")
SEARCHED = ("full_name", "email", "user_id")
# Whom no welcome letter has reached, as far as the student's row says.
UNSENT = Q(welcome_email_sent=False) | Q(welcome_email_sent=None)


class Tenge(models.IntegerField):  # type: ignore[type-arg]
    """Whole tenge, also where the table keeps them as `numeric`."""

    def from_db_value(self, value: Any, *_args: object) -> int | None:
        return None if value is None else int(value)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.IntegerField", args, kwargs


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
    price = Tenge(null=True, db_default=5000)
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
            # An address is one whatever its case, and the predecessor kept what was typed.
            models.Index(Lower("email"), name="tripwire_users_email_lower"),
            # One for each order the cabinet offers, for all students and for one manager's.
            models.Index(CREATED.desc(), F("id").desc(), name="tripwire_users_newest"),
            models.Index(
                "granted_by", CREATED.desc(), F("id").desc(), name="tripwire_users_manager_newest"
            ),
            # Names of a kind stand together, so that a search may walk far along them: with all
            # that a search looks at, the table itself need not be read.
            models.Index(NAME, "id", include=SEARCHED, name="tripwire_users_name"),
            models.Index(
                "granted_by", NAME, "id", include=SEARCHED, name="tripwire_users_manager_name"
            ),
            models.Index(LAST_ACTIVE.desc(), F("id").desc(), name="tripwire_users_active"),
            models.Index(
                "granted_by",
                LAST_ACTIVE.desc(),
                F("id").desc(),
                name="tripwire_users_manager_active",
            ),
            # The same of one status, and of those the welcome letter did not reach.
            models.Index("status", CREATED.desc(), F("id").desc(), name="tripwire_users_by_status"),
            models.Index(
                "granted_by",
                "status",
                CREATED.desc(),
                F("id").desc(),
                name="tripwire_users_manager_status",
            ),
            models.Index(
                CREATED.desc(),
                F("id").desc(),
                condition=UNSENT,
                name="tripwire_users_no_letter",
            ),
            models.Index("status", NAME, "id", name="students_status_name"),
            models.Index(
                "status", LAST_ACTIVE.desc(), F("id").desc(), name="students_status_active"
            ),
            models.Index("granted_by", "status", NAME, "id", name="students_manager_status_name"),
            models.Index(
                "granted_by",
                "status",
                LAST_ACTIVE.desc(),
                F("id").desc(),
                name="students_manager_status_active",
            ),
            models.Index(NAME, "id", condition=UNSENT, name="students_unsent_name"),
            models.Index(
                LAST_ACTIVE.desc(), F("id").desc(), condition=UNSENT, name="students_unsent_active"
            ),
            models.Index(
                "granted_by",
                CREATED.desc(),
                F("id").desc(),
                condition=UNSENT,
                name="students_manager_unsent",
            ),
            models.Index(
                "granted_by", NAME, "id", condition=UNSENT, name="students_manager_unsent_name"
            ),
            models.Index(
                "granted_by",
                LAST_ACTIVE.desc(),
                F("id").desc(),
                condition=UNSENT,
                name="students_manager_unsent_active",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=StudentStatus.values), name="tripwire_users_status_known"
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def latest_letter(self) -> "WelcomeLetter | None":
        """The letter that counts. Students of the predecessor have none."""
        return max(self.letters.all(), key=lambda letter: letter.created_at, default=None)


class DailyTotal(models.Model):
    """How many students one manager has of one day and status, and what they paid, in tenge.

    Triggers on `tripwire_users` keep it, whoever writes there: each change adds a row, so that none
    waits for another, and the worker puts rows of the same together (`statistics.compact`). `day`
    is in the time zone the migration was run with; without a manager it is the nil UUID.
    """

    day = models.DateField()
    manager_id = models.UUIDField()
    status = models.TextField()
    sales = models.BigIntegerField()
    revenue = models.BigIntegerField()

    class Meta:
        db_table = "sales_totals"
        indexes = (
            # With all that is summed, so that the table itself need not be read.
            models.Index(
                fields=["day", "manager_id"],
                include=["status", "sales", "revenue"],
                name="sales_totals_by_day",
            ),
            models.Index(
                fields=["manager_id", "day"],
                include=["status", "sales", "revenue"],
                name="sales_totals_by_manager",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class MonthlyTotal(models.Model):
    """The same by the month, which `month` is the first day of: so that years are few rows."""

    month = models.DateField()
    manager_id = models.UUIDField()
    status = models.TextField()
    sales = models.BigIntegerField()
    revenue = models.BigIntegerField()

    class Meta:
        db_table = "sales_totals_monthly"
        indexes = (
            models.Index(
                fields=["month", "manager_id", "status"], name="sales_totals_monthly_month"
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class ActionType(models.TextChoices):
    USER_CREATED = "user_created", _("Создал доступ")
    EMAIL_SENT = "email_sent", _("Отправил письмо")
    # The predecessor's constraint knows no other kinds; `details["change"]` tells what it was.
    STATUS_CHANGED = "status_changed", _("Изменил статус или данные")
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
            # Newest first: all, one manager's, of one kind, about one student.
            models.Index(CREATED.desc(), F("id").desc(), name="sales_activity_log_newest"),
            models.Index(
                "manager_id", CREATED.desc(), F("id").desc(), name="sales_activity_log_by_manager"
            ),
            models.Index(
                "action_type", CREATED.desc(), F("id").desc(), name="sales_activity_log_action"
            ),
            models.Index(
                "manager_id",
                "action_type",
                CREATED.desc(),
                F("id").desc(),
                name="sales_activity_log_manager_act",
            ),
            models.Index(
                "target_user_id", CREATED.desc(), F("id").desc(), name="sales_activity_log_target"
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(action_type__in=ActionType.values),
                name="sales_activity_log_action_known",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)

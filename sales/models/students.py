"""Students, and the log of what managers did.

Production has `tripwire_users` and `sales_activity_log` already; the others are ours. `auth.users`
belongs to Supabase; a migration only ties `tripwire_users.user_id` to it.
"""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Lower, Now
from django.utils.translation import gettext_lazy as _

from onai.contacts import folding, phones
from onai.identity.models import StaffMember
from sales.models.platform import Account

if TYPE_CHECKING:
    from sales.models.letters import WelcomeLetter

# The orders of students. An unknown moment counts as long past.
LONG_PAST = datetime(1900, 1, 1, tzinfo=UTC)
CREATED = Coalesce("created_at", Value(LONG_PAST))
LAST_SIGN_IN = Coalesce("account__last_sign_in_at", Value(LONG_PAST))
NAME = Lower("full_name")
# Within words, an index of trigrams finds nothing shorter.
_SHORTEST_PART = 3
_COUNTRY_AND_LOCAL = re.compile("[78](?=.)")


class Tenge(models.IntegerField):  # type: ignore[type-arg]
    """Whole tenge, also where the table keeps them as `numeric`."""

    def from_db_value(self, value: Any, *_args: object) -> int | None:
        return None if value is None else int(value)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.IntegerField", args, kwargs


class StudentStatus(models.TextChoices):
    ACTIVE = "active", _("Учится")
    INACTIVE = "inactive", _("На паузе")
    COMPLETED = "completed", _("Курс пройден")
    BLOCKED = "blocked", _("Заблокирован")


class Language(models.TextChoices):
    """The language of letters and messages to a student."""

    RUSSIAN = "ru", "Русский"
    KAZAKH = "kk", "Қазақша"
    ENGLISH = "en", "English"


class Searched(Func):
    """The text that a search reads, as `students_search` indexes it: each word after a space."""

    template = "(' ' || %(expressions)s)"
    arg_joiner = " || ' ' || "
    output_field = models.TextField()


class StudentQuerySet(models.QuerySet["Student"]):
    def without_staff(self) -> "StudentQuerySet":
        """Without rows of staff, who are not students."""
        return self.exclude(user_id__in=StaffMember.objects.values("user_id"))

    def of_manager(self, manager_id: UUID | None) -> "StudentQuerySet":
        """One manager's students, or those without a manager."""
        return self.filter(granted_by=manager_id)

    def created_in(self, start: datetime, end: datetime) -> "StudentQuerySet":
        """Created in `[start, end)`."""
        return self.filter(created_at__gte=start, created_at__lt=end)

    def matching(self, text: str) -> "StudentQuerySet":
        """With each word in name, e-mail or phone; a word of two letters at the beginning of one of
        the first two.
        """
        students = self.alias(searched=Searched("full_name", "email"))
        for word in phones.words(folding.fold(text)):
            whole = word if len(word) >= _SHORTEST_PART else f" {word}"
            has_word = Q(searched__regex=folding.pattern(whole))
            if called := StudentPhone.matching(word):
                # Each half by its own index.
                named = Student.objects.alias(searched=Searched("full_name", "email"))
                ids = named.filter(has_word).values("pk").union(called.values("pk"), all=True)
                has_word = Q(pk__in=ids)
            students = students.filter(has_word)
        return students

    def unsent(self) -> "StudentQuerySet":
        """Not reached by a welcome letter, as far as the student's row says."""
        return self.exclude(welcome_email_sent=True)


class Student(models.Model):
    """A person with access to the course. Staff accounts are never here."""

    id = models.UUIDField(primary_key=True, default=uuid4, db_default=RandomUUID())
    user_id = models.UUIDField()
    # No column: the account in Supabase Auth, for joins.
    account = models.ForeignObject(
        Account,
        on_delete=models.DO_NOTHING,
        from_fields=["user_id"],
        to_fields=["id"],
        related_name="+",
    )
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

    objects = StudentQuerySet.as_manager()

    class Meta:
        db_table = "tripwire_users"
        indexes = (
            models.Index(fields=["email"], name="tripwire_users_email"),
            models.Index(fields=["user_id"], name="tripwire_users_user_id"),
            models.Index(fields=["granted_by"], name="tripwire_users_granted_by"),
            models.Index(fields=["status"], name="tripwire_users_status"),
            models.Index(fields=["created_at"], name="tripwire_users_created_at"),
            # Case does not matter in an address, and the predecessor kept what was typed.
            models.Index(Lower("email"), name="tripwire_users_email_lower"),
            # One for each order that the cabinet offers (docs/adr/0022).
            models.Index(CREATED.desc(), F("id").desc(), name="tripwire_users_newest"),
            models.Index(NAME, "id", name="students_by_name"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=StudentStatus.values), name="tripwire_users_status_known"
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def phone(self) -> str | None:
        """The phone's key (`onai.contacts.phones`), None where it is not known."""
        kept: StudentPhone | None = getattr(self, "kept_phone", None)
        return kept.phone if kept else None

    @property
    def is_blocked(self) -> bool:
        return self.status == StudentStatus.BLOCKED

    @property
    def latest_letter(self) -> "WelcomeLetter | None":
        """The letter that counts. Students of the predecessor have none."""
        return max(self.letters.all(), key=lambda letter: letter.created_at, default=None)


class StudentPhone(models.Model):
    """A student's phone, as its key. `tripwire_users` has no column for it in most databases."""

    # The database deletes it with its student, also when Supabase deletes the account.
    student = models.OneToOneField(
        Student,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="kept_phone",
    )
    phone = models.TextField()

    class Meta:
        db_table = "sales_student_phones"
        indexes = (models.Index(fields=["phone"], name="sales_student_phones_phone"),)

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def matching(cls, word: str) -> "models.QuerySet[StudentPhone] | None":
        """The phones with these digits; None for a word that is not a part of a phone.

        A whole number is found in any spelling, a part with or without the 8 of calls within the
        country.
        """
        if re.search(r"[^\d\s()+.\-–]", word):
            return None
        if known := phones.key(word):
            return cls.objects.filter(phone=known)
        digits = re.sub(r"\D", "", word)
        if len(digits) < _SHORTEST_PART:
            return None
        local = _COUNTRY_AND_LOCAL.sub("", digits, count=1) if digits[0] in "78" else digits
        return cls.objects.filter(Q(phone__contains=digits) | Q(phone__startswith=f"+7{local}"))

    @classmethod
    def keep(cls, student: Student, phone: str | None) -> None:
        """Keep this phone of a student, or none."""
        if phone:
            cls.objects.update_or_create(student=student, defaults={"phone": phone})
        else:
            cls.objects.filter(student=student).delete()


class ActionType(models.TextChoices):
    USER_CREATED = "user_created", _("Доступ открыт")
    EMAIL_SENT = "email_sent", _("Письмо отправлено")
    # The predecessor's constraint allows no other kinds; `details["change"]` holds the act.
    STATUS_CHANGED = "status_changed", _("Статус или данные изменены")
    PASSWORD_RESET = "password_reset", _("Пароль сменён")
    USER_DELETED = "user_deleted", _("Доступ удалён")


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
            # Newest first: all, and those about one student.
            models.Index(CREATED.desc(), F("id").desc(), name="sales_activity_log_newest"),
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

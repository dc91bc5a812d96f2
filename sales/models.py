"""Students, what managers did, and what is still under way.

`tripwire_users` and `sales_activity_log` stand in production already; the others are ours.
`auth.users` is Supabase's own; a migration only ties `tripwire_users.user_id` to it.
"""

from datetime import UTC, datetime
from uuid import uuid4

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Lower, Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# What students are ordered by. A moment that is not known counts as long past.
LONG_PAST = datetime(1900, 1, 1, tzinfo=UTC)
CREATED = Coalesce("created_at", Value(LONG_PAST))
LAST_ACTIVE = Coalesce("last_active_at", Value(LONG_PAST))
NAME = Lower("full_name")
SEARCHED = ("full_name", "email", "user_id")
# Whom no welcome letter has reached, as far as the student's row says.
UNSENT = Q(welcome_email_sent=False) | Q(welcome_email_sent=None)


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


class StaffMember(models.Model):
    """An admin or sales manager, copied from Supabase Auth, which cannot be asked who they all are.

    The worker copies them every ten minutes, and whoever opens the cabinet is copied at once.
    """

    user_id = models.UUIDField(primary_key=True)
    email = models.TextField()
    full_name = models.TextField()
    role = models.TextField()

    class Meta:
        db_table = "sales_staff"

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def name(self) -> str:
        """What to call the person: their full name, or their e-mail where they have none."""
        return self.full_name or self.email


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


class IntentionState(models.TextChoices):
    OPEN = "open", _("Создаётся")
    DONE = "done", _("Создан")
    REFUSED = "refused", _("Отказано")


class Intention(models.Model):
    """That a student shall be created: recorded before anything else is done about it.

    Open, it holds its e-mail address against every other one and keeps the sealed password, and
    somebody finishes or undoes it: whoever holds its lease, at first the request it came with.
    `account_id` is the account it opens, or the one it takes over where `adopts` is true.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    state = models.TextField(choices=IntentionState, default=IntentionState.OPEN)
    adopts = models.BooleanField(default=False)
    account_id = models.UUIDField(default=uuid4)
    email = models.TextField()
    full_name = models.TextField()
    sealed_password = models.TextField()
    asked_by = models.UUIDField()
    granted_by = models.UUIDField()
    manager_name = models.TextField()
    idempotency_key = models.TextField(null=True)
    fingerprint = models.TextField()
    # The answer that a repeated request gets again, in the API's wire format.
    answer = models.JSONField(null=True)
    refusal = models.TextField(null=True)
    leased_until = models.DateTimeField()
    attempts = models.IntegerField(default=1)
    # When an operator's wish to give it up is granted: once nothing can be under way any more.
    give_up_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sales_intentions"
        indexes = (
            models.Index(
                fields=["leased_until"],
                condition=Q(state=IntentionState.OPEN),
                name="sales_intentions_open",
            ),
            models.Index(fields=["closed_at"], name="sales_intentions_closed"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["email"],
                condition=Q(state=IntentionState.OPEN),
                name="sales_intentions_one_open_for_an_email",
            ),
            models.UniqueConstraint(
                fields=["asked_by", "idempotency_key"], name="sales_intentions_idempotency_key"
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class ChangeKind(models.TextChoices):
    STATUS = "status", _("Смена статуса")
    PASSWORD = "password", _("Новый пароль")
    CORRECTION = "correction", _("Исправление имени или почты")
    HANDOVER = "handover", _("Передача другому менеджеру")
    DELETION = "deletion", _("Удаление")


class Change(models.Model):
    """That something about a student shall change: recorded before anything is done about it.

    Open, it keeps other changes from its student and other students from its `new_email`, and
    whoever holds its lease finishes it, at first the request it came with. It outlives the student:
    `email` and `full_name` are what they were when it was asked for.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    kind = models.TextField(choices=ChangeKind)
    state = models.TextField(choices=IntentionState, default=IntentionState.OPEN)
    student_id = models.UUIDField()
    account_id = models.UUIDField()
    email = models.TextField()
    full_name = models.TextField()
    # The same as the account had it, where the two differ.
    account_email = models.TextField()
    account_name = models.TextField()
    asked_by = models.UUIDField()
    # Tells another request with the same id from a repeated one.
    fingerprint = models.TextField()
    # What shall be; of these only what the kind is about.
    new_status = models.TextField(null=True, choices=StudentStatus)
    new_email = models.TextField(null=True)
    new_full_name = models.TextField(null=True)
    new_manager_id = models.UUIDField(null=True)
    new_manager_name = models.TextField(null=True)
    sealed_password = models.TextField(default="")
    refusal = models.TextField(null=True)
    leased_until = models.DateTimeField()
    attempts = models.IntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sales_changes"
        indexes = (
            models.Index(
                fields=["leased_until"],
                condition=Q(state=IntentionState.OPEN),
                name="sales_changes_open",
            ),
            models.Index(fields=["closed_at"], name="sales_changes_closed"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["student_id"],
                condition=Q(state=IntentionState.OPEN),
                name="sales_changes_one_open_for_a_student",
            ),
            models.UniqueConstraint(
                fields=["new_email"],
                condition=Q(state=IntentionState.OPEN),
                name="sales_changes_one_open_for_an_email",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


# What a letter's `problem` says when its password is sealed with a key that is gone.
UNSEALABLE = "password cannot be unsealed"


class LetterState(models.TextChoices):
    PENDING = "pending", _("Ждёт отправки")
    SENT = "sent", _("Отправлено")
    FAILED = "failed", _("Не ушло")
    REPLACED = "replaced", _("Заменено новым")


class LetterKind(models.TextChoices):
    WELCOME = "welcome", _("логин и пароль")
    NEW_PASSWORD = "new_password", _("новый пароль")
    NEW_ADDRESS = "new_address", _("новый логин")


class WelcomeLetter(models.Model):
    """A letter with a student's login and password, and the way it has gone so far.

    The outbox: written with what it tells of, sent afterwards. The sealed password stays until the
    letter is sent. All attempts at one letter carry the same idempotency key. Of a student's
    letters the newest counts; those of before that were not sent are replaced by it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    # The database deletes letters with their student, also when Supabase deletes the account.
    student = models.ForeignKey(
        Student, on_delete=models.DO_NOTHING, db_constraint=False, related_name="letters"
    )
    kind = models.TextField(choices=LetterKind, db_default=LetterKind.WELCOME)
    recipient = models.TextField()
    full_name = models.TextField()
    # Empty where there is none in the letter.
    sealed_password = models.TextField()
    asked_by = models.UUIDField()
    idempotency_key = models.UUIDField(default=uuid4)
    state = models.TextField(choices=LetterState, default=LetterState.PENDING)
    attempts = models.IntegerField(default=0)
    problem = models.TextField(default="")
    # Resend will not take it as it is, and so has certainly not sent it.
    refused = models.BooleanField(default=False)
    due_at = models.DateTimeField()
    # Until then Resend knows the key, and not an attempt later.
    give_up_at = models.DateTimeField()
    leased_until = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "sales_letters"
        indexes = (
            models.Index(
                fields=["due_at"],
                condition=Q(state=LetterState.PENDING),
                name="sales_letters_pending",
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(state=LetterState.FAILED),
                name="sales_letters_failed",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def why_failed(self) -> str | Promise:
        """What to tell whoever waits for a letter that has failed."""
        if self.problem.startswith(("401", "403")):
            return _("Почтовый сервис не принял ключ или отправителя этого сайта.")
        if self.refused:
            return _("Почтовый сервис его не принял: проверьте адрес.")
        if self.problem == UNSEALABLE:
            return _("Пароль из него не прочитать: у сайта сменился ключ.")
        return _(
            "Почтовый сервис не отвечал целые сутки. Письмо могло и дойти: спросите студента,"
            " прежде чем отправлять ещё раз."
        )

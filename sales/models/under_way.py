"""What is under way: creations and changes that have been asked for, and letters to students."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sales.models.students import Student, StudentStatus


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
    # What Supabase last said of an error of its own, and how many times in a row it said so.
    auth_error = models.TextField(default="", db_default="")
    auth_errors = models.IntegerField(default=0, db_default=0)
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
    # What Supabase last said of an error of its own, and how many times in a row it said so; once
    # refused, what an admin is told of the reason.
    auth_error = models.TextField(default="", db_default="")
    auth_errors = models.IntegerField(default=0, db_default=0)
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
    # Resend has certainly not sent it: it refused every attempt so far.
    refused = models.BooleanField(default=False)
    # The last refusal was of our key or sender: nothing is wrong with the letter.
    ours = models.BooleanField(default=False, db_default=False)
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
    def why_waiting(self) -> str | Promise:
        """What to tell whoever waits for a letter that is tried again; empty where nothing is."""
        if self.ours:
            return _(
                "Почтовый сервис не принимает ключ или отправителя этого сайта: с адресом студента"
                " всё в порядке. Письмо уйдёт само, когда администратор это исправит."
            )
        return ""

    @property
    def why_failed(self) -> str | Promise:
        """What to tell whoever waits for a letter that has failed."""
        if self.ours:
            return _("Почтовый сервис так и не принял ключ или отправителя этого сайта.")
        if self.refused:
            return _("Почтовый сервис его не принял: проверьте адрес.")
        if self.problem == UNSEALABLE:
            return _("Пароль из него не прочитать: у сайта сменился ключ.")
        return _(
            "Почтовый сервис не отвечал целые сутки. Письмо могло и дойти: спросите студента,"
            " прежде чем отправлять ещё раз."
        )

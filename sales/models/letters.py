"""The outbox: letters to students, and what became of each."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sales.models.students import Student

# A letter's `problem` when its password is sealed with a key that is gone.
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
    """A letter with a student's login and password, and what became of it so far.

    The letter is written with the act it is about, and sent afterwards. The sealed password stays
    until it is sent. All attempts at one letter share an idempotency key. The newest letter of a
    student counts; it replaces earlier ones that were not sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    # The database deletes letters with their student, also when Supabase deletes the account.
    student = models.ForeignKey(
        Student, on_delete=models.DO_NOTHING, db_constraint=False, related_name="letters"
    )
    kind = models.TextField(choices=LetterKind, db_default=LetterKind.WELCOME)
    recipient = models.TextField()
    full_name = models.TextField()
    # Empty where the letter has none.
    sealed_password = models.TextField()
    asked_by = models.UUIDField()
    idempotency_key = models.UUIDField(default=uuid4)
    state = models.TextField(choices=LetterState, default=LetterState.PENDING)
    attempts = models.IntegerField(default=0)
    problem = models.TextField(default="")
    # Resend has refused every attempt so far, so it was certainly not sent.
    refused = models.BooleanField(default=False)
    # The last refusal concerned our key or sender, not the letter.
    ours = models.BooleanField(default=False, db_default=False)
    due_at = models.DateTimeField()
    # Resend knows the key until then; no attempt is made later.
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
        """What to tell the person who waits for a letter that is tried again; empty where nothing
        is known.
        """
        if self.ours:
            return _(
                "Почтовый сервис не принимает ключ или отправителя этого сайта: с адресом студента"
                " всё в порядке. Письмо уйдёт само, когда администратор это исправит."
            )
        return ""

    @property
    def why_failed(self) -> str | Promise:
        """What to tell the person who waits for a letter that has failed."""
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

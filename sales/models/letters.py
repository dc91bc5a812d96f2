"""The outbox: letters to students, what became of each, and the events that tell it."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onai.web.look.badge import Badge, Tone
from sales.models.students import Language, Student

# A letter's `problem` when its password is sealed with a key that is gone.
UNSEALABLE = "password cannot be unsealed"


class LetterState(models.TextChoices):
    PENDING = "pending", _("Ждёт отправки")
    SENT = "sent", _("Отправлено")
    FAILED = "failed", _("Не ушло")
    REPLACED = "replaced", _("Заменено новым")


class Delivery(models.TextChoices):
    """What became of a letter after the mail service accepted it."""

    ACCEPTED = "accepted", _("Принято")
    DELAYED = "delayed", _("Задерживается")
    DELIVERED = "delivered", _("Доставлено")
    UNDELIVERED = "undelivered", _("Не дошло")
    SUPPRESSED = "suppressed", _("В стоп-листе")
    COMPLAINED = "complained", _("Жалоба на спам")


# The student does not have the letter.
LOST = (Delivery.UNDELIVERED, Delivery.SUPPRESSED)


class LetterKind(models.TextChoices):
    WELCOME = "welcome", _("логин и пароль")
    NEW_PASSWORD = "new_password", _("новый пароль")
    NEW_ADDRESS = "new_address", _("новый логин")


class WelcomeLetter(models.Model):
    """A letter with a student's login and password, and what became of it so far.

    The letter is written with the act it is about, and sent afterwards. Until a day after it was
    written it keeps its sealed password, so that it can be sent again as it was. All attempts at
    one letter share an idempotency key. The newest letter of a student counts; it replaces earlier
    ones that were not sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    # The database deletes letters with their student, also when Supabase deletes the account.
    student = models.ForeignKey(
        Student, on_delete=models.DO_NOTHING, db_constraint=False, related_name="letters"
    )
    kind = models.TextField(choices=LetterKind, db_default=LetterKind.WELCOME)
    recipient = models.TextField()
    full_name = models.TextField()
    language = models.TextField(
        choices=Language, default=Language.RUSSIAN, db_default=Language.RUSSIAN
    )
    # The student's manager, whom answers go to; empty where they are not known.
    manager_name = models.TextField(default="", db_default="")
    reply_to = models.TextField(default="", db_default="")
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
    # The id of the accepted letter at Resend; empty where it is not known (yet).
    resend_id = models.TextField(default="", db_default="")
    # Of a sent letter. `delivery_at` is the time of the event that told it, by Resend's clock.
    delivery = models.TextField(
        choices=Delivery, default=Delivery.ACCEPTED, db_default=Delivery.ACCEPTED
    )
    delivery_reason = models.TextField(default="", db_default="")
    delivery_at = models.DateTimeField(null=True)
    # When Resend was last asked what became of it, where it does not tell by itself.
    asked_at = models.DateTimeField(null=True)
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
            models.Index(
                fields=["created_at"],
                condition=~Q(sealed_password=""),
                name="sales_letters_sealed",
            ),
            models.Index(
                fields=["resend_id"], condition=~Q(resend_id=""), name="sales_letters_resend_id"
            ),
            models.Index(
                Lower("recipient"),
                condition=Q(delivery__in=(*LOST, Delivery.COMPLAINED)),
                name="sales_letters_lost",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def outcome(self) -> "LetterState | Delivery":
        """What became of the letter, in one word."""
        is_sent = self.state == LetterState.SENT
        return Delivery(self.delivery) if is_sent else LetterState(self.state)

    @property
    def mark(self) -> "Badge | None":
        """What a list says of the letter."""
        return _MARKS.get(self.outcome)

    @property
    def is_lost(self) -> bool:
        """Whether the student does not have the letter, and will not get it by itself."""
        return self.outcome in (LetterState.FAILED, *LOST)

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

    @property
    def why_undelivered(self) -> str | Promise:
        """What to tell the person whose letter did not arrive; empty where the reason is unknown.

        The reason is in Resend's words: `Permanent NoEmail`, `reached_daily_quota`.
        """
        return next(
            (told for word, told in _WHY_UNDELIVERED.items() if word in self.delivery_reason), ""
        )


_MARKS: "dict[LetterState | Delivery, Badge]" = {
    LetterState.FAILED: Badge(_("письмо не ушло"), Tone.BAD),
    LetterState.PENDING: Badge(_("письмо ждёт"), Tone.LOOK),
    Delivery.ACCEPTED: Badge(_("письмо принято")),
    Delivery.DELIVERED: Badge(_("письмо доставлено"), Tone.GOOD),
    Delivery.DELAYED: Badge(_("письмо задерживается"), Tone.LOOK),
    Delivery.UNDELIVERED: Badge(_("письмо не дошло"), Tone.BAD),
    Delivery.SUPPRESSED: Badge(_("почта в стоп-листе"), Tone.BAD),
    Delivery.COMPLAINED: Badge(_("жалоба на спам"), Tone.LOOK),
}
_WHY_UNDELIVERED: dict[str, Promise] = {
    "NoEmail": _("Такого адреса нет: проверьте, нет ли в нём опечатки."),
    "MailboxFull": _("Ящик студента переполнен."),
    "MessageTooLarge": _("Почта студента сочла письмо слишком большим."),
    "ContentRejected": _("Почте студента не понравилось содержание письма."),
    "MessageRejected": _("Почта студента отклонила письмо."),
    "AttachmentRejected": _("Почте студента не понравилось содержание письма."),
    "quota": _("У почтового сервиса кончился лимит писем: администратору нужно его поднять."),
    "Permanent": _("Почта отказалась принять письмо: скорее всего, такого адреса нет."),
    "Transient": _("Почта студента временно не принимала письма, и сервис перестал пробовать."),
    "Temporary": _("Почта студента временно не принимала письма, и сервис перестал пробовать."),
    "Undetermined": _("Почта студента вернула письмо и не сказала почему."),
}


class LetterEvent(models.Model):
    """What Resend says became of a letter: an event of its webhook, without names and addresses.

    It is matched with a letter by `letter_id`, a tag that the letter carries, or else by Resend's
    own id of the letter. `received_at` is our time, `occurred_at` Resend's.
    """

    # The id of the delivery; repeated deliveries share it.
    svix_id = models.TextField(primary_key=True)
    letter_id = models.UUIDField(null=True)
    resend_id = models.TextField()
    delivery = models.TextField(choices=Delivery)
    reason = models.TextField(default="", db_default="")
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sales_letter_events"
        indexes = (
            models.Index(
                fields=["received_at"],
                condition=Q(applied_at=None),
                name="sales_letter_events_waiting",
            ),
            models.Index(fields=["-received_at"], name="sales_letter_events_newest"),
        )

    def __str__(self) -> str:
        return self.svix_id

"""Acts on a student that somebody has asked for, and how far each has come."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sales.models.students import Language, Student, StudentStatus


class RequestState(models.TextChoices):
    OPEN = "open", _("Выполняется")
    DONE = "done", _("Выполнено")
    REFUSED = "refused", _("Отказано")


class RequestKind(models.TextChoices):
    CREATION = "creation", _("Создание доступа")
    STATUS = "status", _("Смена статуса")
    PASSWORD = "password", _("Новый пароль")
    CORRECTION = "correction", _("Исправление данных")
    HANDOVER = "handover", _("Передача другому менеджеру")
    DELETION = "deletion", _("Удаление")


class StudentRequest(models.Model):
    """One act on a student, recorded before anything else is done about it.

    While open, it blocks other requests for its student and for the address in `new_email`, and
    holds the sealed password. The holder of its lease carries it through, at first the web request
    it came with. It outlives the student: `email` and `full_name` are the names at the time.
    `account_id` is the student's account; for a creation the one it opens, or the one it takes over
    where `adopts` is true.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    kind = models.TextField(choices=RequestKind)
    state = models.TextField(choices=RequestState, default=RequestState.OPEN)
    # None for a creation: there is no student yet.
    student_id = models.UUIDField(null=True)
    account_id = models.UUIDField(default=uuid4)
    email = models.TextField()
    full_name = models.TextField()
    # The account's values, where they differ; empty for a creation.
    account_email = models.TextField(default="", db_default="")
    account_name = models.TextField(default="", db_default="")
    asked_by = models.UUIDField()
    idempotency_key = models.TextField(null=True)
    # Distinguishes another request with the same key or id from a repeated one.
    fingerprint = models.TextField()
    adopts = models.BooleanField(default=False, db_default=False)
    # The new values; only those of this kind of request.
    new_status = models.TextField(null=True, choices=StudentStatus)
    new_email = models.TextField(null=True)
    new_full_name = models.TextField(null=True)
    # Of the letters; only of a creation.
    language = models.TextField(
        choices=Language, default=Language.RUSSIAN, db_default=Language.RUSSIAN
    )
    # The former address of a correction is still to be told.
    former_address_due = models.BooleanField(default=False, db_default=False)
    # Empty where a correction removes it.
    new_phone = models.TextField(null=True)
    # The line of the queue that a creation is for.
    buyer_id = models.UUIDField(null=True)
    new_manager_id = models.UUIDField(null=True)
    new_manager_name = models.TextField(null=True)
    # A correction of the address that also gives a new password: the former one went to a stranger.
    reissues = models.BooleanField(default=False, db_default=False)
    sealed_password = models.TextField(default="", db_default="")
    # The answer for a repeated API request, in the API's wire format.
    answer = models.JSONField(null=True)
    # The code of the problem it was refused with.
    refusal = models.TextField(null=True)
    # The last error of Supabase's own, and how many times in a row it came; for a refused request,
    # what an admin is told about the reason.
    auth_error = models.TextField(default="", db_default="")
    auth_errors = models.IntegerField(default=0, db_default=0)
    leased_until = models.DateTimeField()
    attempts = models.IntegerField(default=1, db_default=1)
    # When a creation that was given up is undone: once no call can be running any more.
    give_up_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sales_requests"
        indexes = (
            models.Index(
                fields=["leased_until"],
                condition=Q(state=RequestState.OPEN),
                name="sales_requests_open",
            ),
            models.Index(fields=["closed_at"], name="sales_requests_closed"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["student_id"],
                condition=Q(state=RequestState.OPEN),
                name="sales_requests_one_open_for_a_student",
            ),
            models.UniqueConstraint(
                fields=["new_email"],
                condition=Q(state=RequestState.OPEN),
                name="sales_requests_one_open_for_an_email",
            ),
            models.UniqueConstraint(
                fields=["asked_by", "idempotency_key"], name="sales_requests_idempotency_key"
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)

    def get_absolute_url(self) -> str:
        """The page that shows how far the request has come."""
        return reverse("creation" if self.is_creation else "change", args=[self.pk])

    def students(self) -> "models.QuerySet[Student]":
        """The student to change; none for a creation, nor once they are deleted."""
        return Student.objects.filter(pk__in=[self.student_id] if self.student_id else [])

    @property
    def is_creation(self) -> bool:
        return self.kind == RequestKind.CREATION

    @property
    def is_open(self) -> bool:
        return self.state == RequestState.OPEN

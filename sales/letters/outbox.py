"""The outbox: letters with a student's login and password that are to be sent.

A letter is written in the transaction of the act it is about, and the first attempt follows at
once. The worker repeats attempts until the letter is sent, refused or a day old. The letter's row
decides what is left to do; a job only reminds of it.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import Error as DatabaseError
from django.db import OperationalError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.views.decorators.debug import sensitive_variables
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from onai import encryption, mail
from onai.db import postgres
from sales import activity
from sales.letters import contents
from sales.models import (
    UNSEALABLE,
    ActionType,
    Delivery,
    LetterKind,
    LetterState,
    RequestKind,
    RequestState,
    Student,
    StudentRequest,
    WelcomeLetter,
)

logger = logging.getLogger(__name__)

DELIVERY_JOB = "sales.deliver_letter"
# Longer than an attempt takes, so that a second one begins only when the first has died.
LEASE = timedelta(seconds=20)
# Resend knows an idempotency key for 24 hours. No attempt is made later than this after the first
# one, so that an accepted letter is never sent twice.
GIVEN_UP_AFTER = timedelta(hours=23, minutes=30)
_FIRST_DELAY = timedelta(seconds=30)
_LONGEST_DELAY = timedelta(hours=4)
_OVERDUE = timedelta(minutes=1)
_REMINDED_AT_ONCE = 500
# Of two reports with the same time, the one with the higher rank counts.
_RANKS = {delivery: rank for rank, delivery in enumerate(Delivery)}
# The changes that replace a letter when they are done; until then no earlier letter is sent.
_REPLACING = StudentRequest.objects.filter(
    Q(kind=RequestKind.PASSWORD) | Q(kind=RequestKind.CORRECTION, new_email__isnull=False),
    state=RequestState.OPEN,
)


@sensitive_variables("password")
def write(
    student: Student,
    *,
    password: str,
    asked_by: UUID,
    kind: LetterKind = LetterKind.WELCOME,
    language: str | None = None,
) -> WelcomeLetter:
    """Put a letter into the outbox, with its job, in the caller's transaction.

    It is leased to the caller, who calls `attempt` after the transaction. Without a `language` it
    is in that of the student's letter before it.
    """
    _replace_earlier(student)
    sealed = contents.seal(password)
    return _put(student, kind=kind, sealed_password=sealed, asked_by=asked_by, language=language)


def write_to_new_address(student: Student, *, asked_by: UUID) -> WelcomeLetter:
    """Tell a student whose e-mail has changed about the new login; as `write` does.

    A letter that was never sent to the old address takes its password along.
    """
    latest = student.latest_letter
    kind, sealed_password = LetterKind.NEW_ADDRESS, ""
    if latest is not None and latest.state != LetterState.SENT and latest.sealed_password:
        kind, sealed_password = LetterKind(latest.kind), latest.sealed_password
    _replace_earlier(student)
    return _put(student, kind=kind, sealed_password=sealed_password, asked_by=asked_by)


def write_again(
    student: Student, letter: WelcomeLetter, *, letter_id: UUID, asked_by: UUID
) -> WelcomeLetter:
    """Put a sent letter into the outbox once more, as it was; as `write` does."""
    sealed, kind = letter.sealed_password, LetterKind(letter.kind)
    _replace_earlier(student)
    return _put(student, kind=kind, sealed_password=sealed, asked_by=asked_by, letter_id=letter_id)


def _replace_earlier(student: Student) -> None:
    """Withdraw unsent letters, for the one that is about to be written, and every password."""
    earlier = WelcomeLetter.objects.filter(student=student)
    earlier.filter(state__in=(LetterState.PENDING, LetterState.FAILED)).update(
        state=LetterState.REPLACED
    )
    earlier.exclude(sealed_password="").update(sealed_password="")
    # The student does not know this yet, whatever was sent before.
    Student.objects.filter(pk=student.pk, welcome_email_sent=True).update(welcome_email_sent=False)


@sensitive_variables("sealed_password")
def _put(
    student: Student,
    *,
    kind: LetterKind,
    sealed_password: str,
    asked_by: UUID,
    letter_id: UUID | None = None,
    language: str | None = None,
) -> WelcomeLetter:
    now = postgres.clock("tripwire")
    letter = WelcomeLetter.objects.create(
        pk=letter_id or uuid4(),
        student=student,
        kind=kind,
        recipient=student.email,
        full_name=student.full_name,
        language=language or contents.language_of(student),
        manager_name=student.manager_name or "",
        reply_to=contents.manager_email(student),
        sealed_password=sealed_password,
        asked_by=asked_by,
        due_at=now,
        give_up_at=now + GIVEN_UP_AFTER,
        leased_until=now + LEASE,
        attempts=1,
    )
    remind(letter.pk, now + LEASE)
    return letter


def remind(letter_id: UUID, at: datetime) -> None:
    """Enqueue the job that delivers a letter, unless it is in the queue already.

    Raises Django's `OperationalError` when the database is gone, as everything here does.
    """
    job = app.configure_task(DELIVERY_JOB, queueing_lock=_lock(letter_id), schedule_at=at)
    try:
        with transaction.atomic(using="tripwire"):
            job.defer(letter_id=str(letter_id))
    except AlreadyEnqueued:
        logger.debug("letter_has_its_job", extra={"letter_id": str(letter_id)})
    except ConnectorException as error:
        raise OperationalError from error


def deliver(letter_id: UUID) -> datetime | None:
    """Try to send a letter if it is due and nobody else works on it.

    Returns when to try again, or None when nothing is left to do.
    """
    if _lease(letter_id):
        attempt(letter_id)
    letter = WelcomeLetter.objects.filter(pk=letter_id, state=LetterState.PENDING).first()
    if letter is None:
        return None
    due_at = max(letter.due_at, letter.leased_until)
    return max(due_at, postgres.clock("tripwire") + _FIRST_DELAY) if is_held(letter) else due_at


def is_held(letter: WelcomeLetter) -> bool:
    """Whether the letter waits for a change of its student, which may replace it."""
    return (
        WelcomeLetter.objects.filter(pk=letter.pk)
        .filter(Exists(_REPLACING.filter(student_id=OuterRef("student_id"))))
        .exists()
    )


def attempt_at_once(letter: WelcomeLetter) -> None:
    """Make the first attempt at a letter, for the act that has just written it."""
    try:
        attempt(letter.pk)
        letter.refresh_from_db()
    except (DatabaseError, WelcomeLetter.DoesNotExist) as error:
        # The letter is in the outbox, so the worker will send it.
        logger.warning("letter_left_to_worker", exc_info=error)


def attempt(letter_id: UUID) -> None:
    """Make one attempt at a letter whose lease the caller holds, and record the outcome."""
    letter = WelcomeLetter.objects.filter(pk=letter_id, state=LetterState.PENDING).first()
    if letter is None or is_held(letter):
        return  # Its student was deleted or is being changed, or it is sent.
    if postgres.clock("tripwire") >= letter.give_up_at:
        _fail(letter, f"given up after a day: {letter.problem}", refused=letter.refused)
        return
    if letter.refused:
        # If this process dies during the attempt, nobody knows whether it was accepted.
        WelcomeLetter.objects.filter(pk=letter.pk).update(refused=False)
    try:
        resend_id = mail.send(
            contents.render(letter), idempotency_key=f"welcome/{letter.idempotency_key}"
        )
    except mail.AlreadyTaken:
        record_sent(letter, "")
    except encryption.Unsealable:
        _fail(letter, UNSEALABLE)
    except mail.LetterRefused as refusal:
        _fail(letter, refusal.reason, refused=True)
    except mail.NotSentYet as delay:
        _postpone(letter, delay)
    else:
        record_sent(letter, resend_id)


def send_now(letter: WelcomeLetter) -> None:
    """Try an unsent letter at once, also before it is due, unless somebody works on it."""
    if letter.state == LetterState.FAILED:
        send_again(letter)
        return
    WelcomeLetter.objects.filter(pk=letter.pk).update(due_at=Now())
    deliver(letter.pk)


def send_again(letter: WelcomeLetter) -> None:
    """Try a failed letter again at once.

    It keeps its idempotency key while Resend knows the key, because an attempt may have been
    accepted; later it gets a new one.
    """
    now = postgres.clock("tripwire")
    is_new = letter.refused or now >= letter.give_up_at
    with transaction.atomic(using="tripwire"):
        taken_up = WelcomeLetter.objects.filter(pk=letter.pk, state=LetterState.FAILED).update(
            state=LetterState.PENDING,
            idempotency_key=uuid4() if is_new else letter.idempotency_key,
            give_up_at=now + GIVEN_UP_AFTER if is_new else letter.give_up_at,
            refused=False,
            ours=False,
            due_at=now,
            leased_until=now + LEASE,
            attempts=1,
            problem="",
            resend_id="",
        )
        if taken_up:
            remind(letter.pk, now + LEASE)
    if taken_up:
        attempt(letter.pk)


def remind_of_overdue() -> int:
    """Enqueue the jobs of overdue letters again; returns how many.

    A killed worker leaves its job as if it were running.
    """
    late = postgres.clock("tripwire") - _OVERDUE
    overdue = WelcomeLetter.objects.filter(
        state=LetterState.PENDING, due_at__lt=late, leased_until__lt=late
    )
    ids = list(overdue.order_by("due_at").values_list("pk", flat=True)[:_REMINDED_AT_ONCE])
    waiting = ProcrastinateJob.objects.filter(
        status="todo", queueing_lock__in=[_lock(letter_id) for letter_id in ids]
    )
    locks = set(waiting.values_list("queueing_lock", flat=True))
    forgotten = [letter_id for letter_id in ids if _lock(letter_id) not in locks]
    for letter_id in forgotten:
        remind(letter_id, late)
    return len(forgotten)


def _lock(letter_id: UUID) -> str:
    return f"{DELIVERY_JOB} {letter_id}"


def _lease(letter_id: UUID) -> bool:
    # By the database's clock, which is the same for every process.
    due = Q(pk=letter_id, state=LetterState.PENDING, due_at__lte=Now(), leased_until__lte=Now())
    held = Exists(_REPLACING.filter(student_id=OuterRef("student_id")))
    return bool(
        WelcomeLetter.objects.filter(due, ~held).update(
            leased_until=Now() + LEASE, attempts=F("attempts") + 1
        )
    )


def record_sent(letter: WelcomeLetter, resend_id: str) -> None:
    """Record that Resend has accepted a letter, with the log entry, once."""
    with transaction.atomic(using="tripwire"):
        # The student is locked first, as when one is deleted.
        student = Student.objects.select_for_update().filter(pk=letter.student_id).first()
        # A letter that was replaced or given up during the attempt has been sent all the same.
        marked = (
            WelcomeLetter.objects.filter(pk=letter.pk)
            .exclude(state=LetterState.SENT)
            .update(
                state=LetterState.SENT,
                sent_at=Now(),
                resend_id=resend_id,
                problem="",
                ours=False,
            )
        )
        if student is None or not marked:
            return  # Its student is deleted, or another process sent it with the same key.
        if student.latest_letter == letter:
            Student.objects.filter(pk=student.pk).update(
                welcome_email_sent=True, welcome_email_sent_at=Now(), updated_at=Now()
            )
        activity.log(
            ActionType.EMAIL_SENT,
            by=letter.asked_by,
            account_id=student.user_id,
            email=letter.recipient,
            full_name=letter.full_name,
            kind=letter.kind,
        )
    logger.info(
        "✅ Student created, email sent" if letter.kind == LetterKind.WELCOME else "letter_sent",
        extra={
            "student_id": str(student.pk),
            "user_id": str(student.user_id),
            "manager_id": str(student.granted_by),
            "letter_id": str(letter.pk),
            "kind": letter.kind,
            "resend_id": resend_id,
        },
    )


def record_delivery(
    letter_id: UUID, delivery: Delivery, reason: str, at: datetime, *, resend_id: str = ""
) -> None:
    """Record what became of a sent letter, unless something newer is known.

    `at` is the time by Resend's clock; of two reports with the same time the higher rank counts. A
    report with another `resend_id` is about an earlier sending of this letter, and is ignored.
    """
    with transaction.atomic(using="tripwire"):
        letter = WelcomeLetter.objects.select_for_update().filter(pk=letter_id).first()
        if letter is None or resend_id not in ("", letter.resend_id or resend_id):
            return
        known_at, known = letter.delivery_at, Delivery(letter.delivery)
        if known_at and (at, _RANKS[delivery]) <= (known_at, _RANKS[known]):
            return
        WelcomeLetter.objects.filter(pk=letter_id).update(
            delivery=delivery,
            delivery_reason=reason,
            delivery_at=at,
            resend_id=letter.resend_id or resend_id,
        )
    logger.info(
        "letter_delivery",
        extra={"letter_id": str(letter_id), "delivery": delivery, "reason": reason},
    )


def _postpone(letter: WelcomeLetter, delay: mail.NotSentYet) -> None:
    now = postgres.clock("tripwire")
    growing = min(_FIRST_DELAY * 2 ** min(letter.attempts - 1, 20), _LONGEST_DELAY)
    due_at = min(now + max(growing, delay.retry_after or growing), letter.give_up_at)
    # Once an attempt may have been accepted, its key is kept, so that the letter is not sent twice.
    # A key under which nothing was accepted is dropped: with another sender it would be refused as
    # the key of another letter.
    certain = delay.refused and (letter.attempts <= 1 or letter.refused)
    renewed = certain and delay.ours
    WelcomeLetter.objects.filter(pk=letter.pk, state=LetterState.PENDING).update(
        due_at=due_at,
        leased_until=now,
        problem=delay.reason,
        refused=certain,
        ours=delay.ours,
        idempotency_key=uuid4() if renewed else letter.idempotency_key,
    )
    logger.warning(
        "letter_postponed",
        extra={
            "letter_id": str(letter.pk),
            "attempts": letter.attempts,
            "reason": delay.reason,
            "ours": delay.ours,
            "due_at": due_at.isoformat(),
        },
    )


def _fail(letter: WelcomeLetter, reason: str, *, refused: bool = False) -> None:
    WelcomeLetter.objects.filter(pk=letter.pk, state=LetterState.PENDING).update(
        state=LetterState.FAILED, problem=reason, refused=refused
    )
    logger.error("letter_failed", extra={"letter_id": str(letter.pk), "reason": reason})

"""Sends a student's letter once more, as it was: with the same login and password."""

from uuid import UUID, uuid4

from django.db import transaction

from onai.db import postgres
from onai.identity.roles import Identity
from sales import letters, supabase_users
from sales.models import LetterKind, LetterState, Student, WelcomeLetter
from sales.permissions import student_for
from sales.provisioning import problems, student_requests

_UNSENT = (LetterState.PENDING, LetterState.FAILED)


def send_letter_again(
    student_id: UUID, *, asker: Identity, attempt: UUID, despite_list: bool = False
) -> None:
    """Send the newest letter again. The same `attempt` (see `attempt_for`) is sent once.

    `despite_list`: also to an address that the mail service skips, as far as we know. Raises a
    `Problem` where there is nothing to send.
    """
    with transaction.atomic(using="tripwire"):
        student = student_for(asker, student_id, locked=True)
        letter = student.latest_letter
        if letter is not None and letter.pk == attempt and letter.state not in _UNSENT:
            return
        under_way = student_requests.open_request_of(student)
        if under_way is not None:
            raise problems.ChangeInProgress(link=problems.link_to(under_way))
        if letter is None or not can_be_sent_again(student, letter):
            raise problems.LetterNotKept
        if not despite_list and letters.is_suppressed(student.email):
            raise problems.AddressSuppressed
        is_sent = letter.state not in _UNSENT
        if is_sent:
            letter = letters.write_again(student, letter, letter_id=attempt, asked_by=asker.user_id)
    if is_sent:
        letters.attempt_at_once(letter)
    else:
        letters.send_now(letter)


def attempt_for(letter: WelcomeLetter | None) -> UUID:
    """The number of the next attempt: that of a letter which has not gone out, or a new one.

    So two taps on one form are one letter, whether they write it or send the one that failed.
    """
    return letter.pk if letter is not None and letter.state in _UNSENT else uuid4()


def can_be_sent_again(student: Student, letter: WelcomeLetter) -> bool:
    """Whether the letter is still right, and its password, if it has one, still kept.

    A student who has signed in since it was written has the letter, or another password.
    """
    if letter.state == LetterState.REPLACED:
        return False
    if letter.kind == LetterKind.NEW_ADDRESS or letter.state in _UNSENT:
        return True
    is_kept = letter.created_at > postgres.clock("tripwire") - letters.PASSWORD_KEPT
    signed_in_at = supabase_users.last_sign_in_at(student.user_id)
    is_known = signed_in_at is not None and signed_in_at > letter.created_at
    return bool(letter.sealed_password) and is_kept and not is_known

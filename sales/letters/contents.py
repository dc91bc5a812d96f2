"""Renders letters, and seals the password that a letter carries; it is kept for 24 hours."""

from datetime import timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.views.decorators.debug import sensitive_variables

from onai import encryption, mail
from onai.contacts import emails
from onai.db import postgres
from onai.identity.roles import STAFF, Role, VisitorRequest
from sales import links, supabase_users
from sales.letters import wording
from sales.models import Language, LetterKind, LetterState, Student, WelcomeLetter

# The tag with our id of the letter, which comes back in every event about it.
TAG = "letter_id"
_PURPOSE = "welcome letter"
# How long a letter can be sent again as it was.
PASSWORD_KEPT = timedelta(hours=24)


@sensitive_variables("password")
def seal(password: str) -> str:
    """The password encrypted for a letter's row."""
    return encryption.seal(password, purpose=_PURPOSE)


@sensitive_variables()
def unseal(letter: WelcomeLetter) -> str:
    """The password of a letter; empty where it has none. Raises `Unsealable`."""
    sealed = letter.sealed_password
    return encryption.unseal(sealed, purpose=_PURPOSE) if sealed else ""


def kept_password(student_id: UUID | None) -> str | None:
    """The password of a student's newest letter, None where it is not kept any more."""
    kept = WelcomeLetter.objects.filter(student=student_id).exclude(sealed_password="")
    letter = kept.order_by("-created_at").first()
    return unseal(letter) if letter else None


def forget_passwords() -> int:
    """Erase the passwords of sent letters written over a day ago; returns how many."""
    long_ago = postgres.clock("tripwire") - PASSWORD_KEPT
    sent = WelcomeLetter.objects.filter(state=LetterState.SENT, created_at__lt=long_ago)
    return sent.exclude(sealed_password="").update(sealed_password="")


def forget_replaced_password(sender: object, *, account_id: UUID, **_signal: object) -> None:
    """Erase the password from the letters of a student who has set another one themselves.

    A letter that is not sent yet, or is sent again, then tells the login alone.
    """
    letters = WelcomeLetter.objects.filter(student__user_id=account_id)
    letters.exclude(sealed_password="").update(sealed_password="")


def language_of(student: Student) -> str:
    """The language of the student's newest letter."""
    latest = student.latest_letter
    return latest.language if latest else Language.RUSSIAN


def language_of_account(account_id: UUID) -> str:
    """The language of a student's letters, empty where the account is no student's."""
    student = Student.objects.filter(user_id=account_id).prefetch_related("letters").first()
    return language_of(student) if student else ""


def keep_chosen_language(
    sender: object, *, request: VisitorRequest, language: str, **_signal: object
) -> None:
    """Go on writing to a student in the language that they have chosen for the pages."""
    identity = request.identity
    if identity is None or identity.role != Role.STUDENT:
        return
    letters = WelcomeLetter.objects.filter(student__user_id=identity.user_id)
    newest = letters.order_by("-created_at").values("pk")[:1]
    WelcomeLetter.objects.filter(pk__in=newest).update(language=language)


def manager_email(student: Student) -> str:
    """The address of the student's manager; empty where there is none on the staff."""
    if student.granted_by is None:
        return ""
    manager = supabase_users.account_with(student.granted_by)
    try:
        return emails.clean(manager.email) if manager and manager.role in STAFF else ""
    except ValidationError:
        return ""  # Resend would refuse the letter for it.


@sensitive_variables("password", "values")
def render(letter: WelcomeLetter) -> mail.Letter:
    """The letter as it is sent. Raises `Unsealable`."""
    password = unseal(letter)
    words = wording.words_in(letter.language)
    kind = words.kinds[LetterKind(letter.kind)]
    values = {
        "language": letter.language,
        "words": words,
        "title": kind.title,
        "text": kind.text.format(name=letter.full_name),
        "login": letter.recipient,
        "password": password,
        "help": help_from(letter.manager_name, words),
        "platform_url": links.platform_login(letter.recipient),
        "forgot_url": links.forgot_password(letter.recipient, letter.language),
    }
    return mail.Letter(
        to=letter.recipient,
        # No header holds typed text, except the validated addresses.
        subject=kind.subject,
        html=render_to_string("sales/letter.html", values),
        text=render_to_string("sales/letter.txt", values),
        tags={TAG: str(letter.pk)},
        reply_to=letter.reply_to,
    )


def help_from(manager_name: str, words: wording.Words) -> str:
    """The person whom the letter names for questions."""
    return words.manager.format(manager=manager_name) if manager_name else words.no_manager

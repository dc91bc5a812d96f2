"""Ready texts for a messenger, and the WhatsApp address that opens a chat with one of them."""

from dataclasses import dataclass, field
from urllib.parse import quote

from django.template.loader import render_to_string
from django.views.decorators.debug import sensitive_variables

from onai.contacts import phones
from sales import links
from sales.letters import wording
from sales.letters.contents import language_of
from sales.models import LetterKind, RequestKind, Student


@dataclass(frozen=True, slots=True)
class Message:
    """A text for one person. `whatsapp` is empty where their phone is not known.

    It has no text in its repr, because it may hold a password.
    """

    text: str = field(repr=False)
    whatsapp: str = field(repr=False)


@sensitive_variables("text")
def message(text: str, phone: str | None) -> Message:
    """The text, with the address that opens it in a WhatsApp chat with this phone."""
    chat = phones.whatsapp(phone or "")
    return Message(text, f"{chat}?text={quote(text, safe='')}" if chat else "")


@sensitive_variables("password", "lines")
def credentials(student: Student, *, password: str, kind: str, language: str) -> Message:
    """The login and the password that a request of this kind gave a student."""
    words = wording.words_in(language)
    is_new_password = kind == RequestKind.PASSWORD
    about = words.kinds[LetterKind.NEW_PASSWORD if is_new_password else LetterKind.WELCOME]
    lines = [
        about.text.format(name=student.full_name),
        "",
        *_sign_in(student, words),
        f"{words.password}: {password}",
    ]
    return message("\n".join(lines), student.phone)


def nudge(student: Student, *, has_started: bool) -> Message:
    """The message to a student who has not started, or, with `has_started`, has gone quiet."""
    language = language_of(student)
    words = wording.words_in(language)
    opening = words.gone_quiet if has_started else words.not_started
    return reminder(student, language=language, opening=opening)


def reminder(student: Student, *, language: str, opening: str = "") -> Message:
    """Where a student signs in, and how they get a password: without one."""
    words = wording.words_in(language)
    lines = [
        (opening or words.invitation).format(name=student.full_name),
        "",
        *_sign_in(student, words),
        f"{words.forgotten} {links.forgot_password(student.email, language)}",
    ]
    return message("\n".join(lines), student.phone)


def _sign_in(student: Student, words: wording.Words) -> list[str]:
    return [
        f"{words.sign_in}: {links.platform_login(student.email)}",
        f"{words.login}: {student.email}",
    ]


def greeting(full_name: str, *, email: str, phone: str) -> Message:
    """The first words to somebody who has paid and waits for access. Each value may be empty."""
    values = {"full_name": full_name, "email": email}
    return message(render_to_string("sales/greeting.txt", values).strip(), phone)

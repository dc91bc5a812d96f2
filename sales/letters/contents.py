"""What a letter says, and the password it carries, which is sealed until it is sent."""

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from onai import encryption, mail
from sales.models import LetterKind, WelcomeLetter

# The tag with our id of the letter, which comes back in every event about it.
TAG = "letter_id"
_PURPOSE = "welcome letter"


@sensitive_variables("password")
def seal(password: str) -> str:
    """The password as it waits in a letter's row."""
    return encryption.seal(password, purpose=_PURPOSE)


@sensitive_variables("password", "values")
def render(letter: WelcomeLetter) -> mail.Letter:
    """The letter as it is sent. Raises `Unsealable`."""
    sealed = letter.sealed_password
    password = encryption.unseal(sealed, purpose=_PURPOSE) if sealed else ""
    values = {
        "kind": letter.kind,
        "full_name": letter.full_name,
        "login": letter.recipient,
        "password": password,
        "platform_url": settings.PLATFORM_LOGIN_URL,
    }
    return mail.Letter(
        to=letter.recipient,
        # No header holds typed text, except the validated address.
        subject=_subject(LetterKind(letter.kind)),
        html=render_to_string("sales/letter.html", values),
        text=render_to_string("sales/letter.txt", values),
        tags={TAG: str(letter.pk)},
    )


def _subject(kind: LetterKind) -> str:
    match kind:
        case LetterKind.NEW_PASSWORD:
            return _("Новый пароль к экспресс-курсу onAI Academy")
        case LetterKind.NEW_ADDRESS:
            return _("Новый логин к экспресс-курсу onAI Academy")
        case _:
            return _("Ваш доступ к экспресс-курсу onAI Academy")

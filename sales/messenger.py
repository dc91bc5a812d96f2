"""Ready texts for a messenger, and the WhatsApp address that opens a chat with one of them."""

from dataclasses import dataclass, field
from urllib.parse import quote

from django.template.loader import render_to_string
from django.views.decorators.debug import sensitive_variables

from onai.contacts import phones


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
    number = (phones.key(phone or "") or "").removeprefix("+")
    return Message(text, f"https://wa.me/{number}?text={quote(text, safe='')}" if number else "")


def greeting(full_name: str, phone: str) -> Message:
    """The first words to somebody who has paid and waits for access."""
    return message(render_to_string("sales/greeting.txt", {"full_name": full_name}).strip(), phone)

"""The ready text for a messenger, and the WhatsApp address that opens a chat with it."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.template.loader import render_to_string

from sales import messenger


@pytest.mark.parametrize(
    "phone", ["+7 700 000 00 01", "87000000001", "8 (700) 000-00-01", "7000000001", "+77000000001"]
)
def test_a_text_opens_in_a_chat_with_the_phone_however_it_is_written(phone: str) -> None:
    text = "Логин: aru+1@onai.test\nПароль: a&b=c #d?%20 «ж» 🎓"

    ready = messenger.message(text, phone)

    address = urlsplit(ready.whatsapp)
    assert (address.scheme, address.netloc, address.path) == ("https", "wa.me", "/77000000001")
    assert parse_qs(address.query) == {"text": [text]}
    assert "Пароль" not in repr(ready)


@pytest.mark.parametrize("phone", [None, "", "нет", "12", "+7 700"])
def test_without_a_phone_the_text_is_shared_or_copied(phone: str | None) -> None:
    ready = messenger.message("Текст", phone)

    assert ready.whatsapp == ""
    drawn = render_to_string("sales/messenger.html", {"message": ready})
    assert "wa.me" not in drawn
    assert 'data-share="Текст"' in drawn


def test_a_name_cannot_break_out_of_the_button() -> None:
    ready = messenger.greeting('"><script>', email="", phone="+77000000001")

    drawn = render_to_string("sales/messenger.html", {"message": ready})
    assert "<script>" not in drawn
    assert '"><script>' in parse_qs(urlsplit(ready.whatsapp).query)["text"][0]

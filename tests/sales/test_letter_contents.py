"""What the welcome letter says, and the password it carries sealed."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from onai import encryption
from sales import letters
from sales.models import WelcomeLetter
from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import deliver_again


def test_a_new_secret_key_still_opens_what_the_former_one_sealed(
    create: Any, desk: Desk, faults: Faults, settings: Any
) -> None:
    faults.set("/emails", status=500)
    create()
    faults.clear()
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another-secret-key-" * 3
    settings.SECRET_KEY_FALLBACKS = [former]

    assert deliver_again(desk)["state"] == "sent"
    desk.assert_whole_student()


def test_without_the_former_key_the_letter_fails_and_says_why(
    create: Any, desk: Desk, faults: Faults, settings: Any
) -> None:
    faults.set("/emails", status=500)
    create()
    faults.clear()
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another-secret-key-" * 3

    assert deliver_again(desk)["problem"] == "password cannot be unsealed"
    # Once the key is named again, nothing is lost.
    settings.SECRET_KEY_FALLBACKS = [former]
    letters.send_again(WelcomeLetter.objects.get())
    desk.assert_whole_student()


def test_a_sealed_password_is_authenticated_and_for_one_purpose(settings: Any) -> None:
    sealed = encryption.seal("Kvx7-Rmp3", purpose="one")

    assert "Kvx7" not in sealed
    assert encryption.unseal(sealed, purpose="one") == "Kvx7-Rmp3"
    assert encryption.seal("Kvx7-Rmp3", purpose="one") != sealed
    tampered = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    for wrong, purpose in ((sealed, "two"), (tampered, "one"), ("", "one"), ("ж", "one")):
        with pytest.raises(encryption.Unsealable):
            encryption.unseal(wrong, purpose=purpose)


class _Reader(HTMLParser):
    """What of a letter is text, and what it would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "a":
            self.links.append(found.get("href") or "")
        self.fetched += [found[name] or "" for name in ("src", "background") if name in found]


def test_the_letter_is_complete_as_html_and_text(create: Any, desk: Desk) -> None:
    create()

    (letter,) = desk.mailbox()
    reader = _Reader(letter["html"])
    assert letter["from"] == "onAI Academy <hello@onai.test>"
    assert letter["subject"] == "Ваш доступ к экспресс-курсу onAI Academy"
    for said in (reader.text, letter["text"]):
        for needed in ("Ару Сапарова", "aru@onai.test", GOOD["password"]):
            assert needed in said
    assert "https://platform.onai.test/login" in letter["text"]
    assert set(reader.links) == {"https://platform.onai.test/login"}
    assert reader.fetched == []  # it reads the same with images off


def test_every_value_is_escaped(create: Any, desk: Desk) -> None:
    name, password = "</p><script>alert(1)</script>&amp;", "<b>&\"'{{ x }}"
    create(full_name=name, password=password)

    (letter,) = desk.mailbox()
    assert "<script>" not in letter["html"]
    assert not re.search(r"<b\b", letter["html"])
    reader = _Reader(letter["html"])
    assert name in reader.text
    assert password in reader.text
    assert name in letter["text"]
    assert password in letter["text"]

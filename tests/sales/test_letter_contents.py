"""What the welcome letter says, and the password it carries sealed."""

import re
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

from onai import encryption
from sales import letters
from sales.models import LetterKind, Student, WelcomeLetter
from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import deliver_again
from tests.support.people import Accounts
from tests.support.processes import run_worker


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


PLATFORM = "https://platform.onai.test/login?email=aru%40onai.test"


def test_the_letter_is_complete_as_html_and_text(create: Any, desk: Desk) -> None:
    create()

    (letter,) = desk.mailbox()
    reader = _Reader(letter["html"])
    assert letter["from"] == "onAI Academy <hello@onai.test>"
    assert letter["subject"] == "Ваш доступ к экспресс-курсу onAI Academy"
    assert letter["reply_to"] == "ayaulym@onai.test"
    own_password = f"{settings.SITE_URL}/password/forgot?email=aru%40onai.test"
    for text in (reader.text, letter["text"]):
        for needed in (
            *("Ару Сапарова", "aru@onai.test", GOOD["password"], PLATFORM),
            *("Ваш менеджер — Аяулым Тест", "Или задайте свой пароль:", own_password),
        ):
            assert needed in text
    assert set(reader.links) == {PLATFORM, own_password}
    assert reader.fetched == []  # it reads the same with images off


@pytest.mark.parametrize(
    ("login_url", "link"),
    [
        (
            "https://p.onai.test/in?a=b&c=",
            "https://p.onai.test/in?a=b&c=&email=a%2Bb%26c%40onai.test",
        ),
        ("https://p.onai.test", "https://p.onai.test?email=a%2Bb%26c%40onai.test"),
        ("https://p.onai.test/#/in", "https://p.onai.test/?email=a%2Bb%26c%40onai.test#/in"),
    ],
)
def test_the_link_to_the_platform_keeps_what_it_has(
    create: Any, desk: Desk, settings: Any, login_url: str, link: str
) -> None:
    settings.PLATFORM_LOGIN_URL = login_url
    create(email="a+b&c@onai.test")

    (letter,) = desk.mailbox("a+b&c@onai.test")
    assert link in letter["text"]
    assert link in _Reader(letter["html"]).links


def test_the_link_to_a_password_of_ones_own_opens_the_form_for_it(
    create: Any, client: Client, desk: Desk
) -> None:
    create()
    (letter,) = desk.mailbox()
    (link,) = [one for one in _Reader(letter["html"]).links if "/password/" in one]

    page = client.get(link.removeprefix(settings.SITE_URL)).content.decode()

    assert 'value="aru@onai.test"' in page


@pytest.mark.parametrize("by_api", [False, True])
def test_a_letter_is_in_the_language_that_was_chosen_and_stays_in_it(
    as_person: Any, bearer: Any, desk: Desk, faults: Faults, by_api: bool
) -> None:
    faults.set("/emails", status=500, times=1)
    manager = as_person("ayaulym@onai.test")
    chosen = {**GOOD, "language": "kk"}
    if by_api:
        headers = bearer("ayaulym@onai.test")
        made = Client().post(
            "/api/tripwire-manager/create-student",
            chosen,
            content_type="application/json",
            headers=headers,
        )
        assert made.status_code == 201, made.content
    else:
        page = manager.get(manager.post("/sales-manager/students/new", chosen)["Location"])
        assert "Құпиясөз: Kvx7-Rmp3-9wTq" in page.content.decode()
    deliver_again(desk)
    [student] = desk.students()
    card = f"/sales-manager/students/{student['id']}"
    assert "Сәлеметсіз бе, Ару Сапарова!" in manager.get(card).content.decode()
    manager.post(f"{card}/password", {"attempt": str(uuid4()), "password": "Tzw4-Qpn8-2vXk"})

    newest, welcome = desk.mailbox()
    assert welcome["subject"] == "onAI Academy экспресс-курсына кіру деректеріңіз"
    assert newest["subject"] == "onAI Academy экспресс-курсына жаңа құпиясөз"
    for letter, password in ((welcome, GOOD["password"]), (newest, "Tzw4-Qpn8-2vXk")):
        for text in (_Reader(letter["html"]).text, letter["text"]):
            for needed in (
                *(
                    "Сәлеметсіз бе, Ару Сапарова!",
                    "Құпиясөз",
                    "Менеджеріңіз — Аяулым Тест",
                    PLATFORM,
                ),
                *(password, "aru@onai.test", "Немесе өз құпиясөзіңізді қойыңыз"),
            ):
                assert needed in text
            # The name and the academy's words for the course are Russian.
            assert not re.search("Здравствуйте|Вход|Пароль|пароль", text)
        assert '<html lang="kk">' in letter["html"]


def test_another_language_is_refused(create: Any, desk: Desk, as_person: Any) -> None:
    manager = as_person("ayaulym@onai.test")

    answer = manager.post("/sales-manager/students/new", {**GOOD, "language": "de"})

    assert answer.status_code == 400
    assert "Письма бывают на русском, казахском и английском." in answer.content.decode()
    desk.assert_no_student()


def test_without_a_manager_on_the_staff_answers_go_to_the_sender(create: Any, desk: Desk) -> None:
    create()
    desk.connection.execute("update tripwire_users set granted_by = null, manager_name = null")
    student = Student.objects.get()
    with transaction.atomic(using="tripwire"):
        letters.write(
            student, password="Tzw4-Qpn8-2vXk", asked_by=uuid4(), kind=LetterKind.NEW_PASSWORD
        )
    desk.time_passes()
    run_worker()

    newest, _ = desk.mailbox()
    assert "reply_to" not in newest
    assert "напишите менеджеру, который открыл вам доступ" in newest["text"]


def test_later_letters_have_no_password_once_the_student_has_set_one(
    create: Any, client: Client, accounts: Accounts, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", status=500, times=1)
    create()
    body = {"type": "recovery", "email": GOOD["email"]}
    token = accounts.call("POST", "/admin/generate_link", json=body).json()["hashed_token"]
    client.post("/password/new", {"token": token})
    own = "Tzw4-Qpn8-2vXk"
    assert client.post("/password/new", {"password": own, "again": own}).status_code == 302

    desk.time_passes()
    run_worker()

    (letter,) = desk.mailbox()
    assert letter["subject"] == "Ваш доступ к экспресс-курсу onAI Academy"
    assert GOOD["password"] not in letter["text"] + letter["html"]
    assert "задайте свой:" in letter["text"]


# --- The former address ------------------------------------------------------------------------


def _correct(create: Any, as_person: Any, desk: Desk, **fields: str) -> None:
    create()
    [student] = desk.students()
    form = {"attempt": str(uuid4()), "email": GOOD["email"], "full_name": GOOD["full_name"]}
    as_person("ayaulym@onai.test").post(
        f"/sales-manager/students/{student['id']}/data", {**form, **fields}
    )


def test_the_notice_to_the_former_address_has_no_secrets(
    create: Any, as_person: Any, desk: Desk
) -> None:
    _correct(create, as_person, desk, email="new@onai.test")
    run_worker()
    desk.time_passes()
    run_worker()

    told, _welcome = desk.mailbox()
    assert told["subject"] == "Логин к экспресс-курсу onAI Academy изменён"
    assert told["reply_to"] == "ayaulym@onai.test"
    for text in (told["html"], told["text"]):
        assert "сменили на другой адрес" in text
        for secret in ("new@onai.test", GOOD["password"], GOOD["full_name"], "http"):
            assert secret not in text
    # It is no letter of the student's: the newest of those is the one to the new address.
    [newest] = desk.mailbox("new@onai.test")
    assert newest["subject"] == "Ваш доступ к экспресс-курсу onAI Academy"


def test_a_correction_of_the_name_sends_no_notice(create: Any, as_person: Any, desk: Desk) -> None:
    _correct(create, as_person, desk, full_name="Ару Сапарқызы")
    run_worker()

    assert len(desk.mailbox()) == 1


@pytest.mark.parametrize("after", [False, True])
def test_the_former_address_gets_one_notice_after_failed_attempts(
    create: Any, as_person: Any, desk: Desk, faults: Faults, after: bool
) -> None:
    _correct(create, as_person, desk, email="new@onai.test")
    faults.set("/emails", drop=True, after=after, times=1)
    run_worker()
    faults.clear()
    assert desk.row("select former_address_due from sales_requests where kind = 'correction'") == {
        "former_address_due": True
    }

    desk.time_passes()
    run_worker()

    assert len(desk.mailbox()) == 2
    desk.time_passes()
    run_worker()
    assert len(desk.mailbox()) == 2


def test_a_former_address_that_resend_refuses_is_left_alone(
    create: Any, as_person: Any, desk: Desk, faults: Faults
) -> None:
    _correct(create, as_person, desk, email="new@onai.test")
    faults.set("/emails", status=422, body='{"name": "validation_error"}')
    run_worker()

    assert desk.rows("select 1 from sales_requests where former_address_due") == []


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

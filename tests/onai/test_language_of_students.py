"""A student reads letters and pages in the language that was chosen for them, or by them."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.support.desk import GOOD, Desk
from tests.support.people import Accounts
from tests.support.processes import run_worker

EMAIL = GOOD["email"]


@pytest.fixture
def student(as_person: Any, desk: Desk) -> Any:
    """Open the access of a student whose letters are in a language."""

    def create(language: str) -> Client:
        manager: Client = as_person("ayaulym@onai.test")
        made = manager.post("/sales-manager/students/new", {**GOOD, "language": language})
        assert made.status_code == 302, made.content
        reader = Client()
        signed_in = reader.post("/login", {"email": EMAIL, "password": GOOD["password"]})
        assert signed_in["Location"] == "/welcome"
        return reader

    return create


@pytest.mark.parametrize(
    ("language", "heading"),
    [("kk", "Қолжетімділігіңіз ашық"), ("en", "Your access works"), ("ru", "Ваш доступ работает")],
)
def test_a_student_is_welcomed_in_the_language_of_their_letters(
    student: Any, language: str, heading: str
) -> None:
    page = student(language).get("/welcome")

    assert page["Content-Language"] == language
    assert heading in page.content.decode()


@pytest.mark.parametrize(
    ("language", "subject", "heading"),
    [
        ("kk", "onAI Academy: жаңа құпиясөз", "Жаңа құпиясөз"),
        ("en", "New password for onAI Academy", "New password"),
        ("ru", "Новый пароль onAI Academy", "Новый пароль"),
    ],
)
def test_the_letter_with_a_link_and_its_pages_are_in_the_students_language(
    student: Any, desk: Desk, language: str, subject: str, heading: str
) -> None:
    student(language)
    Client().post("/password/forgot", {"email": EMAIL})
    run_worker()
    letter = desk.mailbox(EMAIL)[0]
    [link] = re.findall(r"https?://[^/\s]+(/password/new\?\S+)", letter["text"])
    reader = Client()
    opened = reader.get(link).content.decode()
    [token] = re.findall(r'name="token" value="([^"]+)"', opened)
    form = reader.get(reader.post("/password/new", {"token": token})["Location"])

    assert letter["subject"] == subject
    assert f'<html lang="{language}">' in letter["html"]
    for page in (opened, form.content.decode()):
        assert f'<html lang="{language}"' in page
        assert f"<h1>{heading}</h1>" in page


def test_whoever_asks_in_another_language_gets_the_letter_in_it(
    accounts: Accounts, client: Client, desk: Desk
) -> None:
    accounts.create("dana@onai.test", role="sales")
    client.post("/language", {"language": "en"})
    client.post("/password/forgot", {"email": "dana@onai.test"})
    run_worker()

    [letter] = desk.mailbox("dana@onai.test")
    assert letter["subject"] == "New password for onAI Academy"
    assert not re.search("[а-яё]", letter["text"], re.IGNORECASE)


def test_a_letters_link_opens_its_language_once_none_is_chosen(client: Client) -> None:
    page = client.get(f"/password/forgot?email={EMAIL}&language=kk")
    assert (page["Content-Language"], client.get("/login")["Content-Language"]) == ("kk", "kk")

    client.post("/language", {"language": "ru"})
    assert client.get("/password/forgot?language=kk")["Content-Language"] == "ru"
    assert client.get("/login")["Content-Language"] == "ru"


def test_letters_follow_the_language_that_a_student_has_chosen(student: Any, desk: Desk) -> None:
    reader = student("ru")
    reader.post("/language", {"language": "kk"})
    Client().post("/password/forgot", {"email": EMAIL})
    run_worker()

    assert desk.mailbox(EMAIL)[0]["subject"] == "onAI Academy: жаңа құпиясөз"


def test_a_manager_who_chooses_a_language_changes_nobodys_letters(
    student: Any, desk: Desk, as_person: Any
) -> None:
    student("kk")
    as_person("ayaulym@onai.test").post("/language", {"language": "en"})

    assert {row["language"] for row in desk.rows("select language from sales_letters")} == {"kk"}


def test_an_english_letter_has_no_russian_word(student: Any, desk: Desk) -> None:
    student("en")

    [letter] = desk.mailbox(EMAIL)
    assert letter["subject"] == "Your access to the onAI Academy express course"
    text = letter["text"].replace("Ару Сапарова", "").replace("Аяулым Тест", "")
    assert not re.search("[а-яё]", text, re.IGNORECASE)

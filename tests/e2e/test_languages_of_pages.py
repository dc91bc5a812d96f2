"""Each role's pages by language: English without a Russian letter, Kazakh on a phone."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page

from onai.local.demo_data.leads import demo_leads
from tests.conftest import LandingPages
from tests.support.browser import sign_in
from tests.support.desk import Desk
from tests.support.people import PASSWORD

PAGES = {
    "admin@onai.test": (
        *("/funnel", "/funnel?count=cohort", "/funnel/sources", "/funnel/trend", "/funnel/ads"),
        *("/funnel/speed", "/funnel/people", "/funnel/duplicates", "/funnel/money", "/status"),
        *("/funnel/people?step=nonsense", "/funnel?period=nonsense", "/no-such-page"),
    ),
    "ayaulym@onai.test": (
        *("/sales-manager", "/sales-manager/queue", "/sales-manager/results", "/funnel"),
        *("/sales-manager/activity", "/sales-manager/students/new", "/sales-manager?q=я"),
        "/sales-manager/queue/no-payment",
    ),
    "student@onai.test": ("/welcome", "/funnel"),
    "": (
        *("/login", "/login?lost=form", "/login?lost=password", "/password/forgot?asked=1"),
        *("/password/forgot", "/password/new", "/password/new?token=abc", "/no-such-page"),
        "/offline?language=en",
    ),
}
_ELSEWHERE = re.compile(r'<(\w+)[^>]*\slang="(?:ru|kk)"[^>]*>.*?</\1>', re.DOTALL)
_UNSEEN = re.compile(r"<(script|style)\b.*?</\1>|<input[^>]*type=\"hidden\"[^>]*>", re.DOTALL)
_RUSSIAN = re.compile("[а-яё]", re.IGNORECASE)
# What people, sources and languages are called in the tests' data.
_NAMES = ("Аяулым Тест", "Аселя Тест", "Админ Тест", "Студент Тест", "Русский", "Қазақша", "₸")


def _reader(email: str, language: str) -> Client:
    reader = Client()
    if email:
        reader.post("/login", {"email": email, "password": PASSWORD})
    reader.post("/language", {"language": language})
    return reader


def _shown(page: str) -> str:
    text = _UNSEEN.sub("", _ELSEWHERE.sub("", page))
    for name in _NAMES:
        text = text.replace(name, "")
    return text


@pytest.mark.parametrize("email", PAGES)
def test_no_russian_letter_is_left_in_english(
    email: str, desk: Desk, landing: LandingPages
) -> None:
    landing.write(*({**lead, "name": "Lead"} for lead in demo_leads(datetime.now(UTC))))
    reader = _reader(email, "en")

    for path in PAGES[email]:
        answer = reader.get(path)
        shown = _shown(answer.content.decode())
        left = [line.strip() for line in shown.splitlines() if _RUSSIAN.search(line)]
        assert '<html lang="en"' in shown, path
        # What was typed into the address is shown as it was.
        assert [line for line in left if 'value="я"' not in line and ">я<" not in line] == [], path


@pytest.mark.parametrize("email", PAGES)
def test_every_page_is_there_in_kazakh(email: str, desk: Desk, landing: LandingPages) -> None:
    reader = _reader(email, "kk")

    for path in PAGES[email]:
        answer = reader.get(path.replace("language=en", "language=kk"))
        assert answer.status_code in (200, 400, 403, 404, 410), path
        assert answer["Content-Language"] == "kk", path


def test_kazakh_words_fit_a_narrow_phone(
    open_page: Any, site: str, landing: LandingPages, desk: Desk
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page: Page = open_page(viewport={"width": 320, "height": 640})
    sign_in(page)
    page.context.add_cookies([{"name": "language", "value": "kk", "url": site}])
    paths = [path for email in ("admin@onai.test", "ayaulym@onai.test") for path in PAGES[email]]

    for path in paths:
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert (page.evaluate("document.documentElement.lang"), wide <= 320) == ("kk", True), path


def test_a_language_is_chosen_with_the_keyboard_alone(open_page: Any) -> None:
    page: Page = open_page()
    page.goto("/login?next=%2Ffunnel")
    page.get_by_role("button", name="Русский").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Қазақша").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/login?next=%2Ffunnel")
    page.wait_for_function("document.documentElement.lang === 'kk'")

    assert page.get_by_role("heading", name="Кіру").is_visible()

"""The manager's flows in Chromium: from a lead to WhatsApp, an act and its undoing, a left form."""

from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.conftest import LandingPages
from tests.support.browser import sign_in
from tests.support.buyers import Buyers
from tests.support.desk import GOOD, Desk
from tests.support.student_rows import CABINET

MANAGER = "ayaulym@onai.test"
NEW = f"{CABINET}/students/new"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def world(landing: LandingPages, desk: Desk) -> Buyers:
    return Buyers(landing, desk)


def _password(page: Page) -> str:
    return page.get_by_label("Пароль").input_value()


@pytest.mark.parametrize("javascript", [True, False])
def test_access_is_opened_from_a_lead_and_handed_over_in_whatsapp(
    open_page: Any, world: Buyers, javascript: bool
) -> None:
    world.clicked("Дана Ким", "+7 700 000 00 11", email="dana@onai.test")
    page = open_page(java_script_enabled=javascript, **PHONE)
    sign_in(page, MANAGER)
    page.get_by_role("link", name="Открыть доступ").tap()
    page.get_by_label("Телефон, почта или имя").fill("8 700 000 00 11")
    page.get_by_role("button", name="Найти заявку").tap()
    page.get_by_text("8 700 000 00 11").wait_for()
    assert page.get_by_label("Почта студента").input_value() == "dana@onai.test"
    assert page.get_by_label("Имя и фамилия").input_value() == "Дана Ким"
    password = _password(page)
    act = page.get_by_role("button", name="Открыть доступ", exact=True)
    expect(act).to_be_in_viewport()

    act.tap()

    page.get_by_role("heading", name="Доступ открыт").wait_for()
    chat = page.get_by_role("link", name="Отправить в WhatsApp")
    expect(chat).to_be_in_viewport()
    address = unquote(chat.get_attribute("href") or "")
    assert address.startswith("https://wa.me/77000000011?text=")
    assert password in address
    world.desk.assert_whole_student("dana@onai.test")
    assert world.lines() == []


@pytest.mark.parametrize("javascript", [True, False])
def test_what_was_typed_stays_when_a_lead_is_looked_for(
    open_page: Any, world: Buyers, javascript: bool
) -> None:
    world.clicked("Дана Ким", "+7 700 000 00 11", email="dana@onai.test")
    page = open_page(java_script_enabled=javascript)
    sign_in(page, MANAGER)
    page.goto(NEW)
    page.get_by_label("Имя и фамилия").fill("Дана Ермекқызы")
    page.get_by_label("Пароль").fill("Kvx7-Rmp3-9wTq")

    page.get_by_label("Телефон, почта или имя").fill("8 700 000 00 99")
    page.keyboard.press("Enter")
    page.get_by_text("Никого не нашлось").wait_for()
    assert page.get_by_label("Имя и фамилия").input_value() == "Дана Ермекқызы"
    page.get_by_label("Телефон, почта или имя").fill("8 700 000 00 11")
    page.keyboard.press("Enter")

    page.get_by_text("dana@onai.test").wait_for()
    assert page.get_by_label("Имя и фамилия").input_value() == "Дана Ермекқызы"
    assert page.get_by_label("Почта студента").input_value() == "dana@onai.test"
    assert _password(page) == "Kvx7-Rmp3-9wTq"
    page.get_by_label("Имя и фамилия").press("Enter")
    page.get_by_role("heading", name="Доступ открыт").wait_for()


def test_another_lead_replaces_what_the_one_before_filled_in(open_page: Any, world: Buyers) -> None:
    world.clicked("Дана Ким", "+7 700 000 00 11", email="dana@onai.test")
    world.clicked("Арман Ли", "+7 700 000 00 12", email="arman@onai.test")
    page = open_page()
    sign_in(page, MANAGER)
    page.goto(NEW)

    for phone, name, email in (
        ("8 700 000 00 11", "Дана Ким", "dana@onai.test"),
        ("8 700 000 00 12", "Арман Ли", "arman@onai.test"),
    ):
        page.get_by_label("Телефон, почта или имя").fill(phone)
        page.get_by_role("button", name="Найти заявку").click()
        page.get_by_text(email).wait_for()
        assert page.get_by_label("Имя и фамилия").input_value() == name
        assert page.get_by_label("Почта студента").input_value() == email


@pytest.mark.parametrize("javascript", [True, False])
def test_a_student_is_blocked_and_the_blocking_is_undone(
    open_page: Any, desk: Desk, javascript: bool
) -> None:
    page = open_page(java_script_enabled=javascript, **PHONE)
    sign_in(page, MANAGER)
    page.goto(NEW)
    page.get_by_label("Почта студента").fill(GOOD["email"])
    page.get_by_label("Имя и фамилия").fill(GOOD["full_name"])
    page.get_by_role("button", name="Открыть доступ", exact=True).tap()
    page.get_by_role("link", name="Карточка студента").tap()
    page.get_by_role("link", name="Заблокировать").tap()
    assert page.get_by_label("Заблокирован").is_checked()
    page.get_by_label("Да, закрыть этому студенту доступ").check()
    page.get_by_role("button", name="Сменить статус").tap()

    page.get_by_text("Студент заблокирован.").wait_for()
    assert desk.students()[0]["status"] == "blocked"
    page.get_by_role("button", name="Отменить").tap()

    page.get_by_text("Студент разблокирован.").wait_for()
    assert desk.students()[0]["status"] == "active"


def test_leaving_a_filled_form_asks_and_sending_it_does_not(open_page: Any, desk: Desk) -> None:
    page = open_page()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    sign_in(page, MANAGER)
    page.goto(NEW)
    page.get_by_role("link", name="Найти студента").click()
    page.wait_for_url(f"**{CABINET}#*")
    assert asked == []
    page.goto(NEW)
    page.get_by_label("Почта студента").press_sequentially(GOOD["email"])
    page.get_by_label("Имя и фамилия").press_sequentially(GOOD["full_name"])

    page.get_by_role("link", name="Найти студента").click(no_wait_after=True)

    expect(page.get_by_label("Имя и фамилия")).to_have_value(GOOD["full_name"])
    page.wait_for_function("true")
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Открыть доступ", exact=True).click()
    page.get_by_role("heading", name="Доступ открыт").wait_for()
    assert asked == ["beforeunload"]


def test_access_is_opened_by_keyboard_alone(open_page: Any, world: Buyers) -> None:
    world.clicked("Дана Ким", "+7 700 000 00 11", email="dana@onai.test")
    page = open_page()
    sign_in(page, MANAGER)
    page.goto(NEW)
    page.wait_for_function("document.activeElement.name === 'who'")

    page.keyboard.type("dana@onai.test")
    page.keyboard.press("Enter")
    page.get_by_text("8 700 000 00 11").wait_for()
    page.get_by_role("button", name="Открыть доступ", exact=True).focus()
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="Доступ открыт").wait_for()
    world.desk.assert_whole_student("dana@onai.test")

"""Creating a student in Chromium: phone and desktop widths, with and without JavaScript."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.conftest import Faults
from tests.support.browser import complaints_of, sign_in
from tests.support.desk import GOOD, Desk
from tests.support.processes import run_worker

MANAGER = "ayaulym@onai.test"
NEW = "/sales-manager/students/new"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SUGGESTED = r"(?:[a-zA-Z2-9]{4}-){3}[a-zA-Z2-9]{4}"


def _fill(page: Page, **changes: str) -> str:
    """Fill in the form except the password; returns the password suggested there."""
    typed = {**GOOD, **changes}
    page.get_by_label("Почта студента").fill(typed["email"])
    page.get_by_label("Имя и фамилия").fill(typed["full_name"])
    return page.get_by_label("Пароль").input_value()


def _open_form(page: Page, person: str = MANAGER) -> None:
    sign_in(page, person)
    page.goto(NEW)


def _create(page: Page) -> None:
    page.get_by_role("button", name="Открыть доступ", exact=True).last.click()
    page.wait_for_load_state()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_manager_opens_access_on_a_phone(open_page: Any, desk: Desk, javascript: bool) -> None:
    page = open_page(java_script_enabled=javascript, **PHONE)
    _open_form(page)
    password = _fill(page)
    assert re.fullmatch(SUGGESTED, password)

    _create(page)

    page.get_by_role("heading", name="Доступ открыт").wait_for()
    assert page.locator("#password").inner_text() == password
    message = page.get_by_label("Сообщение для мессенджера").input_value()
    assert message.startswith("Здравствуйте, Ару Сапарова!")
    assert f"Пароль: {password}" in message
    assert page.get_by_text("Письмо отправлено на aru@onai.test").is_visible()
    desk.assert_whole_student()
    page.reload()
    assert page.locator("#password").inner_text() == password
    page.get_by_role("link", name="Карточка студента").click()
    page.wait_for_load_state()
    page.go_back()
    assert page.locator("#password").inner_text() == password
    desk.assert_whole_student()


@pytest.mark.parametrize("javascript", [True, False])
def test_suggesting_another_password_keeps_the_other_fields(
    open_page: Any, desk: Desk, javascript: bool
) -> None:
    page = open_page(java_script_enabled=javascript)
    _open_form(page)
    first = _fill(page)

    page.get_by_role("button", name="Предложить другой").click()

    second = page.get_by_label("Пароль").input_value()
    assert re.fullmatch(SUGGESTED, second)
    assert second != first
    assert page.get_by_label("Почта студента").input_value() == GOOD["email"]
    assert page.get_by_label("Имя и фамилия").input_value() == GOOD["full_name"]
    desk.assert_no_student()


def test_the_browser_generates_a_password(open_page: Any, desk: Desk) -> None:
    page = open_page()
    sent: list[str] = []
    page.on("response", lambda answer: sent.append(answer.text()) if NEW in answer.url else None)
    _open_form(page)

    password = page.get_by_label("Пароль").input_value()

    assert re.fullmatch(SUGGESTED, password)
    assert sent
    assert password not in sent[-1]


def test_a_typed_password_can_be_hidden_and_shown(open_page: Any, desk: Desk) -> None:
    page = open_page()
    _open_form(page)
    field = page.locator("[name=password]")
    field.fill("Kvx7-Rmp3-9wTq")

    page.get_by_role("button", name="Скрыть").click()
    assert field.get_attribute("type") == "password"
    page.get_by_role("button", name="Показать").click()
    assert field.get_attribute("type") == "text"
    _fill(page)
    page.get_by_role("button", name="Скрыть").click()
    _create(page)

    assert page.locator("#password").inner_text() == "Kvx7-Rmp3-9wTq"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_double_tap_creates_one_student(open_page: Any, desk: Desk, javascript: bool) -> None:
    page = open_page(java_script_enabled=javascript)
    _open_form(page)
    _fill(page)

    page.get_by_role("button", name="Открыть доступ", exact=True).last.dblclick()

    page.get_by_role("heading", name=re.compile("Доступ открыт|Открываем")).wait_for()
    page.get_by_role("heading", name="Доступ открыт").wait_for()
    desk.assert_whole_student()


def test_the_enter_key_submits_the_form(open_page: Any, desk: Desk) -> None:
    page = open_page(java_script_enabled=False)
    _open_form(page)
    password = _fill(page)

    page.get_by_label("Имя и фамилия").press("Enter")

    page.get_by_role("heading", name="Доступ открыт").wait_for()
    assert page.locator("#password").inner_text() == password


def test_after_going_back_the_next_student_is_created(open_page: Any, desk: Desk) -> None:
    page = open_page()
    _open_form(page)
    _fill(page)
    _create(page)
    page.go_back()
    _fill(page, email="dana@onai.test", full_name="Дана Ким")

    _create(page)

    page.get_by_role("heading", name="Доступ открыт").wait_for()
    assert page.get_by_text("Дана Ким").first.is_visible()
    desk.assert_whole_student("aru@onai.test")
    desk.assert_whole_student("dana@onai.test")


def test_the_message_is_copied_with_one_tap(open_page: Any, desk: Desk) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    _open_form(page)
    password = _fill(page)
    _create(page)

    page.get_by_role("button", name="Скопировать сообщение").click()

    page.get_by_role("button", name="Скопировано").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"Логин: aru@onai.test\nПароль: {password}" in copied


def test_the_waiting_page_shows_the_result_without_a_reload(
    open_page: Any, desk: Desk, faults: Faults
) -> None:
    faults.set("/auth/v1/admin/users", method="POST", status=504, times=1)
    page = open_page()
    _open_form(page)
    password = _fill(page)
    _create(page)
    page.get_by_role("heading", name="Открываем доступ").wait_for()
    desk.time_passes()
    run_worker()

    page.get_by_role("heading", name="Доступ открыт").wait_for()

    assert page.locator("#password").inner_text() == password
    desk.assert_whole_student()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_of_student_creation_fits_the_screen(
    open_page: Any, desk: Desk, faults: Faults, width: int, scheme: str
) -> None:
    page = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    complaints = complaints_of(page)
    long = {"email": f"{'long' * 15}@{'a' * 60}.onai.test", "full_name": "Ж" * 120}

    def fits() -> None:
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{page.url} is {wide} px wide"

    _open_form(page)
    _fill(page, email="nonsense", full_name="Ж")
    _create(page)
    fits()
    faults.set("/emails", status=422, body='{"name": "validation_error"}')
    _fill(page, **long)
    _create(page)
    fits()
    page.get_by_role("link", name="Карточка студента").click()
    page.get_by_role("button", name="Отправить ещё раз").wait_for()
    fits()
    page.goto("/sales-manager")
    fits()
    page.goto(NEW)
    _fill(page, **long)
    _create(page)
    page.get_by_text("Это уже ваш студент").wait_for()
    fits()
    assert [text for text in complaints if "status of 4" not in text] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_letter_fits_a_narrow_mail_client(open_page: Any, desk: Desk, scheme: str) -> None:
    desk_page = open_page()
    _open_form(desk_page)
    _fill(desk_page, email=f"{'long' * 15}@{'a' * 60}.onai.test", full_name="Ж" * 120)
    _create(desk_page)
    (letter,) = desk.rows("select html from mailbox.letters")
    page = open_page(viewport={"width": 320, "height": 600}, color_scheme=scheme)

    page.set_content(letter["html"])

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    boxes = [page.get_by_text(text, exact=True).bounding_box() for text in ("Логин", "Пароль")]
    assert all(box and 0 < box["x"] < 320 for box in boxes)
    button = page.get_by_role("link", name="Войти на платформу").bounding_box()
    assert button
    assert button["x"] + button["width"] <= 320
    assert button["height"] >= 44
    paper = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    lightness = sum(int(part) for part in paper.strip("rgb()").split(","))
    assert (lightness > 382) == (scheme == "light")

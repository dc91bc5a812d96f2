"""Setting an own password by the link of a letter, in a phone's browser."""

import re
from typing import Any

import pytest

from tests.support.browser import complaints_of
from tests.support.desk import Desk
from tests.support.people import Accounts
from tests.support.processes import run_worker

EMAIL, CHOSEN = "dana@onai.test", "Tzw4-Qpn8-2vXk"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_password_is_set_despite_double_clicks_reloads_and_the_back_button(
    open_page: Any, accounts: Accounts, desk: Desk, javascript: bool
) -> None:
    accounts.create(EMAIL, role="student")
    page = open_page(java_script_enabled=javascript, viewport={"width": 360, "height": 740})
    complaints = complaints_of(page)
    page.goto("/login")
    page.get_by_role("link", name="Забыли пароль?").click()
    page.get_by_label("Почта").fill(EMAIL)
    page.get_by_role("button", name="Прислать письмо").click()
    page.get_by_text("Если у этого адреса есть доступ").wait_for()
    run_worker()
    [letter] = desk.mailbox(EMAIL)
    [link] = re.findall(r"/password/new\?\S+", letter["text"])

    page.goto(link)
    page.get_by_role("button", name="Задать новый пароль").dblclick()
    page.get_by_label("Новый пароль").wait_for()
    assert "token" not in page.url
    page.go_back()
    page.get_by_role("button", name="Задать новый пароль").click()
    page.get_by_label("Новый пароль").fill(CHOSEN)
    page.get_by_label("Ещё раз").fill(CHOSEN)
    page.get_by_role("button", name="Сохранить пароль").dblclick()
    page.get_by_role("heading", name="Пароль сменён").wait_for()
    page.reload()
    page.get_by_role("link", name="Войти на этом сайте").click()
    assert page.get_by_label("Почта").input_value() == EMAIL
    page.get_by_label("Пароль").fill(CHOSEN)
    page.get_by_role("button", name="Войти").click()
    page.wait_for_url("**/welcome")

    assert complaints == []

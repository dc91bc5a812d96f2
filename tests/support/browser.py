"""A real Chromium, and the steps that many browser tests share. The fixtures are in conftest."""

from playwright.sync_api import Page

from onai.local.make.browser import ARGUMENTS, chromium
from tests.support.people import PASSWORD

__all__ = ["ARGUMENTS", "chromium", "complaints_of", "open_account_menu", "sign_in"]


def sign_in(page: Page, email: str = "admin@onai.test") -> None:
    page.goto("/login")
    page.get_by_label("Почта").fill(email)
    page.get_by_label("Пароль").fill(PASSWORD)
    page.get_by_role("button", name="Войти").click()
    page.wait_for_url(lambda url: "/login" not in url)


def open_account_menu(page: Page) -> None:
    """The menu of the person signed in, with the theme and the way out."""
    page.get_by_role("banner").locator(".account-button").click()


def complaints_of(page: Page) -> list[str]:
    """The browser's errors, such as a breach of the content security policy."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said

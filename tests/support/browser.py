"""A real Chromium, and the steps that many browser tests share. The fixtures are in conftest."""

import os
import shutil

from playwright.sync_api import Page

from tests.support.people import PASSWORD

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = (shutil.which(name) for name in names)
    return os.environ.get("CHROMIUM") or next((path for path in found if path), None)


def sign_in(page: Page, email: str = "admin@onai.test") -> None:
    page.goto("/login")
    page.get_by_label("Почта").fill(email)
    page.get_by_label("Пароль").fill(PASSWORD)
    page.get_by_role("button", name="Войти").click()
    page.wait_for_url(lambda url: "/login" not in url)


def complaints_of(page: Page) -> list[str]:
    """The browser's errors, such as a breach of the content security policy."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said

"""The pages in a real Chromium: narrow and wide, light and dark, with and without JavaScript."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from onai.local.leads import demo_leads
from tests.conftest import LandingPages
from tests.people import PASSWORD
from tests.server import production_server

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = ("/funnel", "/sales-manager", "/status", "/nowhere", "/welcome")


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = (shutil.which(name) for name in names)
    return os.environ.get("CHROMIUM") or next((path for path in found if path), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = _chromium()
    if program is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, and there is no Chromium on this machine")
        pytest.skip("no Chromium on this machine (looked for chromium and google-chrome)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    # Fresh figures each time, since these processes' cache is not ours to clear.
    with production_server(FUNNEL_CACHE_SECONDS="0") as address:
        yield address


@pytest.fixture
def open_page(browser: Browser, site: str) -> Iterator[Any]:
    contexts = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(base_url=site, **options)
        contexts.append(context)
        context.set_default_timeout(10_000)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


def _sign_in(page: Page, email: str = "admin@onai.test") -> None:
    page.goto("/login")
    page.get_by_label("Почта").fill(email)
    page.get_by_label("Пароль").fill(PASSWORD)
    page.get_by_role("button", name="Войти").click()
    page.wait_for_url(lambda url: "/login" not in url)


def _complaints(page: Page) -> list[str]:
    """What the browser complains of, such as a breach of the content security policy."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_fits_and_the_browser_has_nothing_to_complain_of(
    open_page: Any, landing: LandingPages, width: int, scheme: str
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    landing.write({"source": "proftest_" + "очень_длинное_имя_" * 8, "sms_clicked": True})
    page = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    complaints = _complaints(page)
    _sign_in(page)

    for path in PAGES:
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} px wide"
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        lightness = sum(int(part) for part in background.strip("rgb()").split(","))
        assert (lightness > 382) == (scheme == "light")
    assert [text for text in complaints if "status of 40" not in text] == []


@pytest.mark.parametrize("javascript", [True, False])
def test_an_owner_reads_the_funnel(open_page: Any, landing: LandingPages, javascript: bool) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(java_script_enabled=javascript)

    page.goto("/funnel")
    page.get_by_label("Почта").fill("admin@onai.test")
    page.get_by_label("Пароль").fill("oops")
    page.keyboard.press("Enter")
    page.get_by_text("Почта или пароль не подходят").wait_for()
    page.get_by_label("Пароль").fill(PASSWORD)
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="Воронка продаж").wait_for()
    assert page.get_by_text("150 000 ₸").first.is_visible()
    shapes = page.locator("svg polygon")
    assert shapes.count() == 3
    boxes = [shapes.nth(n).bounding_box() for n in range(3)]
    assert all(box and box["height"] > 20 for box in boxes)
    page.get_by_role("button", name="Выйти").click()
    page.get_by_role("heading", name="Вход").wait_for()
    page.goto("/funnel")
    page.get_by_role("heading", name="Вход").wait_for()


def test_a_manager_is_let_into_the_cabinet(open_page: Any) -> None:
    page = open_page()

    _sign_in(page, "ayaulym@onai.test")

    assert page.url.endswith("/sales-manager")
    page.get_by_role("heading", name="Кабинет менеджера").wait_for()
    assert page.get_by_role("link", name="Воронка").count() == 0


def test_the_funnel_prints_on_paper(open_page: Any, landing: LandingPages) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(color_scheme="dark")
    _sign_in(page)

    page.emulate_media(media="print", color_scheme="dark")

    assert page.get_by_text("150 000 ₸").first.is_visible()
    assert not page.get_by_role("button", name="Выйти").is_visible()
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert ink == "rgb(0, 0, 0)"

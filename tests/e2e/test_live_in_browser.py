"""Live parts of pages in Chromium: they update themselves, and only with figures of their own."""

from typing import Any

import pytest

from tests.conftest import LandingPages
from tests.support.browser import sign_in
from tests.support.people import PASSWORD, Accounts
from tests.support.student_rows import RESULTS, Sales, many_students

PAGES = ("/funnel", RESULTS)
NOTE = "Обновить цифры не получается"
# Responses other than the live part, from the product or from a proxy.
STRANGE = {
    "sign-in": {"status": 200, "body": "<form><input name=email autofocus></form>"},
    "with a part": {"status": 200, "body": "<div id='live' data-live><input autofocus></div>"},
    "not found": {"status": 404, "body": "<div id='live'>404</div>"},
    "forbidden": {"status": 403, "body": "<div id='live'>403</div>"},
    "outage": {"status": 503, "body": "<div id='live'>503</div>"},
    "empty": {"status": 204, "body": ""},
}


def _filled(landing: LandingPages, sales: Sales) -> None:
    landing.write({"sms_clicked": True})
    many_students(sales, 7)


def _typing(page: Any) -> None:
    """Type into a field outside the live part, since a field inside it would pause the updates."""
    page.evaluate(
        """() => {
          const field = document.querySelector("main").appendChild(document.createElement("input"));
          field.id = "typed";
        }"""
    )
    page.locator("#typed").fill("начало")
    page.locator("#typed").focus()


def _nothing_has_changed(page: Any, path: str, before: str) -> None:
    page.get_by_text(NOTE).wait_for()
    page.keyboard.type(" и конец")
    assert page.evaluate("document.activeElement.value") == "начало и конец"
    assert page.locator("#live :is(.figures, .tiles)").inner_text() == before
    assert page.url.endswith(path)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("how", STRANGE)
def test_a_live_part_is_never_replaced_by_another_page(
    open_page: Any, landing: LandingPages, sales: Sales, path: str, how: str
) -> None:
    _filled(landing, sales)
    page = open_page()
    sign_in(page)
    page.goto(path)
    before = page.locator("#live :is(.figures, .tiles)").inner_text()
    page.route(f"**{path}", lambda route: route.fulfill(content_type="text/html", **STRANGE[how]))
    _typing(page)

    page.evaluate("htmx.trigger('#live', 'wake')")

    _nothing_has_changed(page, path, before)


@pytest.mark.parametrize("path", PAGES)
def test_when_the_session_ends_the_page_stays_and_shows_a_note(
    open_page: Any, landing: LandingPages, sales: Sales, path: str
) -> None:
    _filled(landing, sales)
    page = open_page()
    sign_in(page)
    page.goto(f"{path}?period=today")
    before = page.locator("#live :is(.figures, .tiles)").inner_text()
    page.context.clear_cookies()
    _typing(page)

    page.evaluate("htmx.trigger('#live', 'wake')")

    _nothing_has_changed(page, "?period=today", before)
    page.get_by_role("link", name="Войти снова").click()
    page.get_by_label("Почта").fill("admin@onai.test")
    page.get_by_label("Пароль").fill(PASSWORD)
    page.get_by_role("button", name="Войти").click()
    page.wait_for_url(f"**{path}?period=today")


def test_a_live_part_is_never_replaced_by_another_users_figures(
    open_page: Any, sales: Sales, accounts: Accounts
) -> None:
    many_students(sales, 7)
    page = open_page()
    sign_in(page, "ayaulym@onai.test")
    page.goto(f"{RESULTS}?period=all")
    before = page.locator("#live :is(.figures, .tiles)").inner_text()
    tab = page.context.new_page()
    tab.context.clear_cookies()
    sign_in(tab, accounts.create(role="sales")["email"])

    page.evaluate("htmx.trigger('#live', 'wake')")

    page.get_by_text("вошли под другим именем").wait_for()
    assert page.locator("#live :is(.figures, .tiles)").inner_text() == before


@pytest.mark.parametrize("path", PAGES)
def test_a_hidden_tab_does_not_poll_and_polls_once_visible(
    open_page: Any, site: str, landing: LandingPages, sales: Sales, path: str
) -> None:
    page = open_page()
    sign_in(page)
    page.goto(path)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    shown = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    changed = "document.dispatchEvent(new Event('visibilitychange'))"

    page.evaluate(shown % "true" + changed)
    page.evaluate("htmx.trigger('#live', 'wake')")
    page.evaluate("fetch('/healthz').then((answer) => answer.ok)")
    assert [url for url in asked if url.endswith((path, "healthz"))] == [f"{site}/healthz"]

    with page.expect_response(lambda answer: answer.url.endswith(path)):
        page.evaluate(shown % "false" + changed)


def test_the_figures_update_again_after_signing_in(open_page: Any, sales: Sales) -> None:
    page = open_page()
    sign_in(page)
    page.goto(f"{RESULTS}?period=all")
    kept = page.context.cookies()
    page.context.clear_cookies()
    page.evaluate("htmx.trigger('#live', 'wake')")
    page.get_by_text(NOTE).wait_for()
    page.context.add_cookies(kept)
    many_students(sales, 7)

    page.evaluate("htmx.trigger('#live', 'wake')")

    page.locator("#live .tile-figure").get_by_text("7", exact=True).first.wait_for()
    assert not page.get_by_text(NOTE).is_visible()

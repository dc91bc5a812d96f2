"""Pages in Chromium: narrow and wide, light and dark, printed, with and without JavaScript."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from onai.local.demo_data.leads import demo_leads
from tests.conftest import LandingPages
from tests.support.browser import complaints_of, open_account_menu, sign_in
from tests.support.people import PASSWORD

PAGES = (
    *("/funnel", "/funnel?count=cohort", "/funnel/sources?source=proftest_kenesary&source=TF4"),
    *("/funnel/sources?count=cohort", "/funnel/trend?by=week", "/funnel/trend?count=cohort"),
    *("/funnel?source=nobody", "/funnel?from=2026-11-05&to=2026-11-03", "/funnel/ads?period=today"),
    *(
        "/sales-manager",
        "/sales-manager/results",
        "/sales-manager/activity",
        "/status",
        "/nowhere",
        "/welcome",
    ),
)

# In CSS pixels, between the margins of 12 mm.
A4_WIDTH, A4_HEIGHT = (round((side - 24) / 25.4 * 96) for side in (210, 297))


OPENED = "for (const one of document.querySelectorAll('details')) one.open = true"
SCROLLED = """[...document.querySelectorAll(".scrolls")]
  .filter(one => one.scrollWidth > one.clientWidth)
  .map(one => `${one.innerText.slice(0, 40)}: ${one.scrollWidth} in ${one.clientWidth}`)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_every_page_fits_the_screen_without_browser_errors(
    open_page: Any, landing: LandingPages, width: int, scheme: str
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    landing.write({"source": "proftest_" + "очень_длинное_имя_" * 8, "sms_clicked": True})
    page = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    complaints = complaints_of(page)
    sign_in(page)

    for path in PAGES:
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} px wide"
        page.evaluate(OPENED)
        assert page.evaluate(SCROLLED) == [], path
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

    page.get_by_role("heading", name="За 30 дней 30 покупок на 150 000 ₸.").wait_for()
    assert page.get_by_text("150 000 ₸").first.is_visible()
    bars = page.locator(".step-reached")
    boxes = [bars.nth(n).bounding_box() for n in range(4)]
    assert all(box and box["height"] > 20 for box in boxes)
    open_account_menu(page)
    page.get_by_role("button", name="Выйти").click()
    page.get_by_role("heading", name="Вход").wait_for()
    page.goto("/funnel")
    page.get_by_role("heading", name="Вход").wait_for()


def test_a_manager_reaches_the_cabinet(open_page: Any) -> None:
    page = open_page()

    sign_in(page, "ayaulym@onai.test")

    assert page.url.endswith("/sales-manager")
    page.get_by_role("heading", name="Ваши студенты").wait_for()
    assert page.get_by_role("link", name="Воронка").count() == 0


def test_the_funnel_prints_on_paper(open_page: Any, landing: LandingPages) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(color_scheme="dark")
    sign_in(page)

    page.emulate_media(media="print", color_scheme="dark")

    assert page.get_by_text("150 000 ₸").first.is_visible()
    assert not page.get_by_role("banner").locator("button").first.is_visible()
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert ink == "rgb(0, 0, 0)"


@pytest.mark.parametrize("page_of", ["", "?count=cohort", "/sources", "/trend", "/ads", "/speed"])
def test_the_funnel_fits_a_sheet_of_a4(open_page: Any, landing: LandingPages, page_of: str) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(viewport={"width": A4_WIDTH, "height": 1_000})
    sign_in(page)
    page.goto(f"/funnel{page_of}")

    page.emulate_media(media="print")

    assert page.evaluate("document.documentElement.scrollWidth") <= A4_WIDTH
    assert not page.get_by_role("link", name="CSV").first.is_visible()
    sheets = re.findall(rb"/MediaBox\s*\[([^\]]+)\]", page.pdf(prefer_css_page_size=True))
    assert 1 <= len(sheets) <= 2
    for sheet in sheets:
        _, _, width, height = (float(one) for one in sheet.split())
        assert (round(width), round(height)) == (595, 842)


@pytest.mark.parametrize(
    "query", ["source=TF4&source=proftest_kenesary", "q=никто", "source=nobody"]
)
def test_printed_pages_have_no_buttons(open_page: Any, landing: LandingPages, query: str) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(viewport={"width": A4_WIDTH, "height": 1_000})
    sign_in(page)
    page.goto(f"/funnel/sources?{query}")
    shown = page.get_by_role("link", name="Показать все").locator("visible=true")
    assert shown.count() == 1

    page.emulate_media(media="print")

    assert shown.count() == 0


@pytest.mark.parametrize("query", ["", "?count=cohort", "?source=proftest_kenesary"])
def test_the_first_printed_sheet_is_not_left_half_empty(
    open_page: Any, landing: LandingPages, query: str
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(viewport={"width": A4_WIDTH, "height": 1_000})
    sign_in(page)
    page.goto(f"/funnel{query}")

    page.emulate_media(media="print")

    # An unbreakable block across the edge of the sheet moves to the next sheet as a whole.
    left_empty = page.evaluate(
        """edge => Math.max(0, ...[...document.querySelectorAll("main *")]
          .filter(one => getComputedStyle(one).breakInside === "avoid")
          .map(one => one.getBoundingClientRect())
          .filter(box => box.top < edge && box.bottom > edge)
          .map(box => edge - box.top))""",
        A4_HEIGHT,
    )
    assert left_empty < A4_HEIGHT / 5
    amount = page.locator(".tile-figure").first
    assert amount.evaluate("one => one.scrollWidth <= one.clientWidth")


TAPPED = """() => [...document.querySelectorAll("a, button, summary, select, label.choice, input")]
  .filter(one => one.getClientRects().length && !one.closest(".skip"))
  .filter(one => one.type !== "hidden" && one.type !== "checkbox")
  .map(one => {
    const box = one.getBoundingClientRect(), around = one.closest("p");
    const among_words = around && around.innerText.trim() !== one.innerText.trim();
    const enough = box.height >= (among_words ? 24 : 43.9) && box.width >= 24;
    return enough ? "" : `${one.tagName} ${one.innerText} ${box.width} × ${box.height}`;
  }).filter(Boolean)"""


@pytest.mark.parametrize("width", [390, 768])
def test_every_tap_target_is_large_enough(
    open_page: Any, landing: LandingPages, width: int
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    for _ in range(2):
        landing.write({"phone": "87000004567", "source": "TF4", "sms_clicked": True})
    page = open_page(viewport={"width": width, "height": 844})
    sign_in(page)

    for path in (
        *(
            "/funnel",
            "/funnel?count=cohort",
            "/funnel/sources?source=TF4&source=expresscourse&q=no",
        ),
        *("/funnel/sources", "/funnel/trend", "/funnel/ads", "/funnel/speed?rows=time"),
        *("/funnel?source=nobody", "/funnel/sources?count=money&sort=luck"),
        *("/funnel/people", "/funnel/people?source=TF4&q=nobody", "/funnel/people?step=clicked"),
        *("/funnel/duplicates", "/funnel/duplicates?source=TF4", "/funnel/duplicates?page=9"),
    ):
        page.goto(path)
        page.evaluate(OPENED)
        assert page.evaluate(TAPPED) == [], path


@pytest.mark.parametrize(("width", "lines"), [(1440, [4]), (768, [2, 2])])
def test_no_row_of_headline_tiles_holds_a_single_tile(
    open_page: Any, landing: LandingPages, width: int, lines: list[int]
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(viewport={"width": width, "height": 844})
    sign_in(page)

    tops = page.evaluate(
        "[...document.querySelectorAll('.tile')].map(one => one.getBoundingClientRect().top)"
    )
    assert [tops.count(top) for top in sorted(set(tops))] == lines
    for figure in page.locator(".tile-figure").all():
        assert figure.evaluate("one => one.scrollWidth <= one.clientWidth")


@pytest.mark.parametrize("path", ["people?step=payment", "people?q=Ким&source=TF4", "duplicates"])
def test_a_printed_list_starts_on_the_first_sheet_and_hides_its_form(
    open_page: Any, landing: LandingPages, path: str
) -> None:
    for number in range(60):
        bought = {"source": "TF4", "name": "Дана Ким", "sms_clicked": True, "email_sent": True}
        landing.write({**bought, "phone": f"+7700000{number % 30:04d}"})
    page = open_page(viewport={"width": A4_WIDTH, "height": 1_000})
    sign_in(page)
    page.goto(f"/funnel/{path}")

    page.emulate_media(media="print")

    first = page.locator(".crowd > li").first
    assert first.evaluate("one => one.getBoundingClientRect().bottom") < A4_HEIGHT / 2
    # An unbreakable block that does not fit moves to the next sheet as a whole.
    kept_whole = page.evaluate(
        """[...document.querySelectorAll("main *")]
          .filter(one => getComputedStyle(one).breakInside === "avoid")
          .map(one => one.getBoundingClientRect().height)"""
    )
    assert max(kept_whole) < A4_HEIGHT / 2
    assert not page.get_by_role("button", name="Показать").first.is_visible()
    assert not page.get_by_label("Шаг").is_visible()
    assert page.get_by_text("Только источники: Команда TF4").is_visible() == ("TF4" in path)
    assert page.get_by_text("Все — в файле CSV.").is_visible()


def test_sources_are_chosen_without_javascript(open_page: Any, landing: LandingPages) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(java_script_enabled=False, viewport={"width": 390, "height": 844})
    sign_in(page)

    page.goto("/funnel/sources")
    page.get_by_role("link", name="Арыстан").click()
    page.get_by_role("link", name="Показать только этот источник").click()
    page.get_by_role("heading", name="Больше всего продаёт «Арыстан»: 9 из 9 покупок.").wait_for()
    page.get_by_role("button", name="30 дней").click()
    page.get_by_role("link", name="только прошедших тест").click()
    page.wait_for_url("**count=cohort**")
    page.get_by_role("link", name="Арыстан — убрать").click()
    page.get_by_role("link", name="Кенесары").wait_for()


def test_a_chosen_theme_overrides_the_system_theme(open_page: Any) -> None:
    page = open_page(color_scheme="light")
    sign_in(page)

    open_account_menu(page)
    page.get_by_role("button", name="Тёмная").click()

    page.wait_for_url("**/funnel")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(12, 15, 14)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(238, 242, 240)"


def test_without_a_network_the_offline_page_is_shown(open_page: Any) -> None:
    page = open_page()
    sign_in(page)
    # As on a first visit of a user who is already signed in.
    page.evaluate(
        """async () => {
            const all = await navigator.serviceWorker.getRegistrations();
            await Promise.all(all.map((one) => one.unregister()));
            await Promise.all((await caches.keys()).map((name) => caches.delete(name)));
        }"""
    )
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.reload()
    page.wait_for_function("navigator.serviceWorker.ready.then((one) => Boolean(one.active))")
    page.context.set_offline(True)

    page.goto("/funnel/sources")

    page.get_by_role("heading", name="Нет интернета").wait_for()
    assert page.evaluate("getComputedStyle(document.querySelector('.top')).backgroundColor") == (
        "rgb(12, 15, 14)"
    )
    # The cached page belongs to no user.
    assert page.get_by_role("banner").get_by_role("button").count() == 0
    list_kept = """async () => {
        const names = await caches.keys();
        const caches_ = await Promise.all(names.map((name) => caches.open(name)));
        const requests = await Promise.all(caches_.map((cache) => cache.keys()));
        return requests.flat().map((one) => new URL(one.url).pathname);
    }"""
    kept = page.evaluate(list_kept)
    assert [path for path in kept if not path.startswith("/static/")] == ["/offline"]

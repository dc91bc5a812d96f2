"""The funnel's pages in Chromium: every state and width, transferred bytes, menu."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onai.local.demo_data.leads import demo_leads
from tests.conftest import LandingPages
from tests.support.browser import complaints_of, sign_in

PAGES = (
    *("/funnel", "/funnel?count=cohort", "/funnel/sources", "/funnel/trend?by=day", "/funnel/ads"),
    *("/funnel/speed", "/funnel/people", "/funnel/duplicates"),
)
WIDTHS = (320, 360, 768, 1440)
OPENED = "for (const one of document.querySelectorAll('details')) one.open = true"
ELEMENTS = "document.querySelectorAll('*').length"
# Bytes transferred for the page and its resources, compressed.
WEIGHT = """[...performance.getEntriesByType("navigation"),
  ...performance.getEntriesByType("resource")]
  .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
MOST_ELEMENTS, MOST_BYTES = 800, 40_000


def _hide_leads(landing: LandingPages) -> None:
    landing.connection.execute("alter table landing_leads rename column source to mislaid")


def _bring_leads_back(landing: LandingPages) -> None:
    landing.connection.execute("alter table landing_leads rename column mislaid to source")


@pytest.mark.parametrize("state", ["full", "empty", "stale", "error"])
def test_every_funnel_page_fits_every_width_in_every_state(
    open_page: Any, landing: LandingPages, state: str
) -> None:
    if state in ("full", "stale"):
        landing.write(*demo_leads(datetime.now(UTC)))
        landing.write({"source": "proftest_" + "очень_длинное_имя_" * 8, "sms_clicked": True})
    page = open_page()
    complaints = complaints_of(page)
    sign_in(page)
    if state == "stale":
        for path in PAGES:
            page.goto(path)
    if state in ("stale", "error"):
        _hide_leads(landing)
    try:
        for path in PAGES:
            page.goto(path)
            _fits(page, path)
            if state == "stale" and "people" not in path and "duplicates" not in path:
                assert page.get_by_text("Показаны цифры на").is_visible(), path
    finally:
        if state in ("stale", "error"):
            _bring_leads_back(landing)
    assert [text for text in complaints if "status of 503" not in text] == []


def _fits(page: Any, path: str) -> None:
    page.evaluate(OPENED)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} px wide in {width}"
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        lightness = sum(int(part) for part in background.strip("rgb()").split(","))
        assert (lightness > 382) == (scheme == "light")


@pytest.mark.parametrize(
    "path", [*PAGES, "/funnel/sources?count=cohort", "/funnel/speed?rows=time"]
)
def test_a_page_stays_small_with_any_amount_of_data(
    open_page: Any, landing: LandingPages, path: str
) -> None:
    """A thousand sources and UTM marks, three years, leads with every event."""
    now = datetime.now(UTC)
    landing.connection.execute(
        "insert into landing_leads (name, phone, email, source, email_sent, email_sent_at,"
        " email_clicked, sms_sent, sms_clicked, sms_clicked_at, metadata, created_at)"
        " select 'Кто-то', '+7700' || lpad((n %% 500)::text, 7, '0'), 'n' || n || '@onai.test',"
        " 'proftest_' || lpad(n::text, 4, '0'), true, %(at)s, true, true, true,"
        " %(at)s - interval '1 day' * n + interval '5 hours',"
        " jsonb_build_object('utm_campaign', 'offer' || n), %(at)s - interval '1 day' * n"
        " from generate_series(0, 999) n",
        {"at": now - timedelta(hours=6)},
    )
    # Responses of a service worker would be counted uncompressed.
    page = open_page(service_workers="block")
    sign_in(page)

    days = f"from={now.date() - timedelta(days=1_000)}&to={now.date()}"
    page.goto(f"{path}{'&' if '?' in path else '?'}{days}")

    assert page.evaluate(ELEMENTS) <= MOST_ELEMENTS
    page.wait_for_load_state("networkidle")
    assert 0 < page.evaluate(WEIGHT) <= MOST_BYTES


def test_a_page_loads_only_the_styles_of_its_own_part(
    open_page: Any, landing: LandingPages
) -> None:
    page = open_page()
    sign_in(page)

    def styles(path: str) -> list[str]:
        page.goto(path)
        sheets: list[str] = page.evaluate(
            "[...document.styleSheets].map(one => one.href.match(/([a-z]+)[^/]*$/)[1])"
        )
        return sheets

    assert styles("/funnel/trend") == ["onai", "funnel"]
    assert styles("/funnel/people") == ["onai", "funnel", "people"]
    assert styles("/sales-manager") == ["onai", "cabinet"]
    assert styles("/status") == ["onai"]


@pytest.mark.parametrize("javascript", [True, False])
def test_the_menu_on_a_phone_opens_pages_and_keeps_the_filters(
    open_page: Any, landing: LandingPages, javascript: bool
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(java_script_enabled=javascript, viewport={"width": 360, "height": 740})
    sign_in(page)
    page.goto("/funnel?period=7-days&count=cohort")
    way = page.get_by_role("link", name="Динамика")
    assert not way.is_visible()

    page.get_by_role("button", name="Обзор").click()
    way.click()

    page.wait_for_url("**/funnel/trend**")
    assert page.url.endswith("/funnel/trend?period=7-days&count=cohort")


@pytest.mark.parametrize("path", ["/funnel", "/funnel/sources", "/funnel/trend", "/funnel/speed"])
def test_a_phone_shows_the_answer_above_all_controls(
    open_page: Any, landing: LandingPages, path: str
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(viewport={"width": 360, "height": 740})
    sign_in(page)

    page.goto(path)

    answer = page.locator("h1").bounding_box()
    control = page.locator("main :is(a, button, summary, input):visible").first.bounding_box()
    assert answer
    assert control
    assert answer["y"] + answer["height"] <= min(300, control["y"])

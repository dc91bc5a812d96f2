"""Barriers on every page: axe-core, contrast of what is no text, large text, and the keyboard."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from onai.local.demo_data.leads import demo_leads
from tests.conftest import LandingPages
from tests.support.browser import sign_in
from tests.support.student_rows import Sales, many_students

FUNNEL = (
    *("/funnel", "/funnel/sources?open=proftest_kenesary", "/funnel/trend", "/funnel/ads"),
    *("/funnel/speed", "/funnel/people", "/funnel/people?step=bought&lost=1&source=TF4&q=a"),
    "/funnel/duplicates",
)
STRANGERS = ("/login", "/password/forgot", "/password/new", "/nowhere", "/offline")
OPENED = "for (const one of document.querySelectorAll('details')) one.open = true"
LINKS = """[...document.querySelectorAll("a[href]:not([download])")]
  .filter(one => one.origin === location.origin).map(one => one.pathname)"""
_ID = re.compile(r"[0-9a-f-]{36}")
_NO_PAGE = re.compile(r"\.(csv|json|png)$|^/(api|static)/")


def _findings(page: Any) -> list[str]:
    """What axe-core finds on the page as it stands, with everything unfolded."""
    page.evaluate(OPENED)
    return [
        f"{found['id']}: {node['html'][:160]}"
        for found in Axe().run(page).response["violations"]
        for node in found["nodes"]
    ]


def _pages_from(page: Any, start: str) -> Iterator[str]:
    """Goes to every page that links lead to from here, to one of each kind."""
    waiting, seen = [start], {start}
    while waiting:
        path = waiting.pop()
        page.goto(path)
        yield path
        for link in page.evaluate(LINKS):
            kind = _ID.sub("<id>", link)
            if kind not in seen and not _NO_PAGE.search(link):
                seen.add(kind)
                waiting.append(link)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("person", "fewest"), [("admin", 15), ("ayaulym", 8), ("student", 1), ("", len(STRANGERS))]
)
def test_axe_finds_nothing_on_any_page(
    open_page: Any, landing: LandingPages, sales: Sales, person: str, fewest: int, scheme: str
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    many_students(sales, 30)
    page = open_page(color_scheme=scheme)
    if person:
        sign_in(page, f"{person}@onai.test")
    found: dict[str, list[str]] = {}

    for path in _pages_from(page, urlsplit(page.url).path) if person else STRANGERS:
        page.goto(path)
        found[path] = _findings(page)

    assert len(found) >= fewest
    assert {path: said for path, said in found.items() if said} == {}


@pytest.mark.parametrize("state", ["one", "empty", "broken"])
def test_axe_finds_nothing_on_the_funnel_in_any_state(
    open_page: Any, landing: LandingPages, state: str
) -> None:
    if state == "one":
        long = {"name": "Ж" * 60, "source": "proftest_" + "x" * 51, "phone": "нет"}
        landing.write({**long, "sms_clicked": True})
    page = open_page(viewport={"width": 360, "height": 740})
    sign_in(page)
    if state == "broken":
        landing.connection.execute("alter table landing_leads rename column source to mislaid")
    try:
        found = {}
        for path in (*FUNNEL, "/funnel?from=2026-11-05&to=2026-11-03", "/funnel/people?step=x"):
            page.goto(path)
            found[path] = _findings(page)
    finally:
        if state == "broken":
            landing.connection.execute("alter table landing_leads rename column mislaid to source")
    assert {path: said for path, said in found.items() if said} == {}


# --- What axe-core does not measure ------------------------------------------------------------

FILLS = """selectors => selectors.flatMap(selector => {
  const drawn = [...document.querySelectorAll(selector)];
  return drawn.slice(0, 1).map(one => [selector, getComputedStyle(one).fill,
    getComputedStyle(one.closest(".card")).backgroundColor]);
})"""
RING = """() => {
  const behind = one => {
    const ground = getComputedStyle(one).backgroundColor;
    return ground.endsWith(", 0)") && one.parentElement ? behind(one.parentElement) : ground;
  };
  const one = document.activeElement;
  const ring = getComputedStyle(one).outlineColor;
  return [one.outerHTML.slice(0, 80), ring, behind(one.parentElement)];
}"""


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours of the browser, by WCAG 2."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        weights = (0.2126, 0.7152, 0.0722)
        return sum(part * weight for part, weight in zip(linear, weights, strict=True))

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fills_and_the_focus_ring_stand_out(
    open_page: Any, landing: LandingPages, scheme: str
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(color_scheme=scheme)
    sign_in(page)

    page.goto("/funnel")
    fills = page.evaluate(
        FILLS, [".step-reached", ".patterns rect", ".interval-value", ".interval-limits"]
    )
    assert len(fills) == 4
    too_pale = [one for one in fills if _contrast(one[1], one[2]) < 3]
    assert too_pale == []
    rings = []
    for _ in range(25):
        page.keyboard.press("Tab")
        rings.append(page.evaluate(RING))
    assert len({html for html, _ring, _ground in rings}) > 15
    assert [one for one in rings if _contrast(one[1], one[2]) < 3] == []


def test_no_page_of_the_funnel_scrolls_sideways_with_text_of_double_size(
    open_page: Any, landing: LandingPages
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    landing.write({"name": "Ж" * 60, "source": "proftest_" + "x" * 51, "sms_clicked": True})
    page = open_page(viewport={"width": 320, "height": 740})
    sign_in(page)

    for path in FUNNEL:
        page.goto(path)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        page.evaluate(OPENED)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_the_first_figure_of_a_page_stands_in_the_first_screen_of_a_phone(
    open_page: Any, landing: LandingPages
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(viewport={"width": 360, "height": 740})
    sign_in(page)

    for path in FUNNEL:
        page.goto(path)
        heading = page.locator("h1").bounding_box()
        assert heading["y"] + heading["height"] <= 300, path


@pytest.mark.parametrize("javascript", [True, False])
def test_the_keyboard_opens_the_details_of_a_source(
    open_page: Any, landing: LandingPages, javascript: bool
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))
    page = open_page(java_script_enabled=javascript)
    sign_in(page)
    page.goto("/funnel/sources")
    page.wait_for_load_state("networkidle")
    source = page.get_by_role("link", name="Арыстан")

    for _ in range(40):
        page.keyboard.press("Tab")
        if source.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")

    page.get_by_role("link", name="Показать только этот источник").wait_for()
    assert "open=proftest_arystan" in page.url
    assert source.get_attribute("aria-expanded") == "true"
    if javascript:
        # The part of the page is exchanged in place, and the focus stays where it was.
        assert source.evaluate("one => one === document.activeElement")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Показать только этот источник").wait_for(state="hidden")

"""The chart in Chromium: values by key and touch, with JavaScript and without, and its colours."""

from datetime import UTC, datetime
from typing import Any

import pytest

from onai.local.demo_data.leads import demo_leads
from tests.conftest import LandingPages
from tests.support.browser import sign_in

CHART = "/funnel/trend?metric=leads&by=day&period=30-days"
# The value that is seen above the bars.
SEEN = """[...document.querySelectorAll(".chart-columns span")]
  .filter(one => getComputedStyle(one).opacity === "1").map(one => one.innerText)"""
STOPS = """document.querySelectorAll('.chart-columns > [tabindex="0"]').length"""
# The contrast of a colour of the page with another (WCAG 2.2).
CONTRAST = """([one, other]) => {
  const painted = (colour) => {
    const probe = document.createElement("i");
    probe.style.color = colour;
    document.body.append(probe);
    const parts = getComputedStyle(probe).color.match(/[0-9.]+/g).slice(0, 3).map(Number);
    probe.remove();
    const [r, g, b] = parts.map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark, light] = [painted(`var(${one})`), painted(`var(${other})`)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}"""


@pytest.fixture
def with_leads(landing: LandingPages) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))


@pytest.mark.usefixtures("with_leads")
def test_the_arrows_go_from_bar_to_bar_and_show_each_value(open_page: Any) -> None:
    page = open_page()
    sign_in(page)
    page.goto(CHART)
    texts = page.locator(".chart-columns span").all_inner_texts()

    assert page.evaluate(STOPS) == 1
    page.locator(".chart-columns > [tabindex='0']").focus()
    assert page.evaluate(SEEN) == [texts[-1]]
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(SEEN) == [texts[-2]]
    page.keyboard.press("Home")
    assert page.evaluate(SEEN) == [texts[0]]
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(SEEN) == [texts[0]]
    assert page.evaluate(STOPS) == 1


@pytest.mark.usefixtures("with_leads")
def test_a_touch_shows_a_value_and_the_tab_key_all_without_javascript(open_page: Any) -> None:
    page = open_page(java_script_enabled=False, viewport={"width": 360, "height": 740})
    sign_in(page)
    page.goto(CHART)
    column = page.locator(".chart-columns > li").nth(12)

    column.locator("span").wait_for(state="attached")
    column.click()
    box = column.locator("span").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    page.keyboard.press("Tab")
    assert page.locator(".chart-columns > li").nth(13).evaluate("one => one.matches(':focus')")


@pytest.mark.usefixtures("with_leads")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_shapes_and_the_focus_ring_stand_out_from_their_ground(open_page: Any, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    sign_in(page)
    page.goto(CHART)

    for shape in ("--green-shape", "--edge"):
        for ground in ("--surface", "--paper"):
            assert page.evaluate(CONTRAST, [shape, ground]) >= 3, (shape, ground)
    drawn = page.locator(".chart-ghost").evaluate("one => getComputedStyle(one).stroke")
    assert drawn == page.evaluate("""() => {
      const probe = document.createElement("i");
      probe.style.color = "var(--edge)";
      document.body.append(probe);
      return getComputedStyle(probe).color;
    }""")

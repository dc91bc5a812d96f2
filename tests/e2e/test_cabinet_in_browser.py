"""The cabinet in a real browser."""

from typing import Any

import pytest

from tests.support.browser import complaints_of, sign_in
from tests.support.student_rows import CABINET, RESULTS, Sales, many_students

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("count", [0, 3, 40])
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1440, "light")])
def test_the_cabinet_fits_the_screen(
    open_page: Any, sales: Sales, count: int, width: int, scheme: str
) -> None:
    many_students(sales, count)
    page = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    complaints = complaints_of(page)
    sign_in(page)

    for path in (
        *("", "?sort=name", "?q=я", "/results", "/results?period=all"),
        *("/results?from=2026-11-05&to=2026-11-01", "/activity"),
    ):
        page.goto(CABINET + path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} px wide"
    assert [text for text in complaints if "status of 4" not in text] == []


def test_the_figures_change_without_a_reload(open_page: Any, sales: Sales) -> None:
    page = open_page()
    sign_in(page)
    page.goto(f"{RESULTS}?period=all")
    page.locator("#live .tile-figure").get_by_text("0", exact=True).first.wait_for()
    many_students(sales, 7)

    page.evaluate("htmx.ajax('GET', location.href, {target: '#live', swap: 'outerHTML'})")

    page.locator("#live .tile-figure").get_by_text("7", exact=True).first.wait_for()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_manager_searches_and_pages_through_students(
    open_page: Any, sales: Sales, javascript: bool
) -> None:
    many_students(sales, 40)
    page = open_page(java_script_enabled=javascript)
    sign_in(page, "ayaulym@onai.test")
    page.get_by_role("link", name="Дальше →").click()
    page.get_by_role("link", name="← В начало").wait_for()
    assert page.locator(".student").count() == 15
    page.get_by_label("Найти студента").last.fill("имя 17")

    page.get_by_role("button", name="Найти").click()

    page.get_by_role("link", name="Имя 17").click()
    page.get_by_role("heading", name="Имя 17").wait_for()


def test_two_taps_lead_to_a_student_from_any_page_of_the_cabinet(
    open_page: Any, sales: Sales
) -> None:
    many_students(sales, 40)
    page = open_page(**PHONE)
    sign_in(page, "ayaulym@onai.test")
    page.goto(f"{CABINET}/activity")

    page.get_by_role("link", name="Найти студента").tap()
    page.wait_for_function("window.htmx && document.activeElement.name === 'q'")
    page.keyboard.type("имя 17")
    page.get_by_text("Всего: 1").wait_for()
    page.wait_for_url("**/sales-manager?q=*")
    page.reload()
    assert page.locator(".student").count() == 1
    page.get_by_role("link", name="Имя 17").tap()

    page.get_by_role("heading", name="Имя 17").wait_for()


@pytest.mark.parametrize("javascript", [True, False])
def test_filters_stand_in_the_address_and_keep_the_search(
    open_page: Any, sales: Sales, javascript: bool
) -> None:
    sales.add(full_name="Дана Ким", status="blocked")
    sales.add(full_name="Дана Учится")
    sales.add(full_name="Арман Ким", status="blocked")
    page = open_page(java_script_enabled=javascript, **PHONE)
    sign_in(page, "ayaulym@onai.test")
    page.goto(f"{CABINET}?q=дана")

    page.get_by_role("button", name="Фильтры").tap()
    page.get_by_label("Статус").select_option("blocked")
    page.get_by_role("button", name="Показать").tap()

    page.wait_for_url("**status=blocked*")
    page.get_by_text("Всего: 1").wait_for()
    assert page.locator(".student-name").all_inner_texts() == ["Дана Ким"]
    assert not page.get_by_label("Статус").is_visible()
    page.get_by_role("link", name="Статус: Заблокирован").tap()
    page.get_by_text("Всего: 2").wait_for()
    assert "status" not in page.url


def test_a_search_without_a_connection_keeps_the_list_and_says_why(
    open_page: Any, sales: Sales
) -> None:
    many_students(sales, 3)
    page = open_page()
    sign_in(page, "ayaulym@onai.test")
    page.wait_for_function("window.htmx")
    page.context.set_offline(True)

    page.get_by_role("searchbox").fill("им")

    page.get_by_text("нет связи с сайтом").wait_for()
    assert page.locator(".student").count() == 3
    page.context.set_offline(False)
    page.get_by_role("searchbox").fill("имя")
    page.get_by_text("Всего: 2").wait_for()
    assert not page.get_by_text("нет связи с сайтом").is_visible()


@pytest.mark.parametrize("size", ["100%", "200%"])
def test_the_desk_fits_a_small_phone_and_is_pressed_by_a_thumb(
    open_page: Any, sales: Sales, size: str
) -> None:
    many_students(sales, 40)
    page = open_page(viewport={"width": 320, "height": 640})
    sign_in(page)

    for path in ("", "?attention=not-started-1", "?q=nobody", "/queue", "/students/new"):
        page.goto(CABINET + path)
        page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, f"{path} is {wide} px wide"
        assert page.evaluate("document.querySelectorAll('*').length") <= 800
    page.goto(CABINET)
    first = page.locator(".work-row, .work ~ p, section.card p").first.bounding_box()
    assert first
    assert first["y"] <= 300

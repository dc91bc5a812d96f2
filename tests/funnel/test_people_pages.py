"""The page that lists people of the funnel: its text, links, filters and layout."""

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client

from funnel.models import LeadQuerySet
from funnel.stages import FIRST_STAGES, STAGES, StageId
from onai.periods import business_day
from onai.web import paging
from tests.conftest import LandingPages
from tests.support.browser import complaints_of, sign_in
from tests.support.lead_rows import ALMATY, DAYS, lead, many, text_of, write

PAGE, FILE, API = "/funnel/people", "/funnel/people.csv", "/api/traffic-dashboard/people"

LISTS = [
    (step, lost)
    for step in StageId
    for lost in (False, True)
    if not (lost and step in FIRST_STAGES)
]


# --- The page ----------------------------------------------------------------------------------


def test_the_page_shows_contacts_and_events_of_each_person(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(
        lead(
            phone="8 (700) 000-45-67",
            email="dana@onai.test",
            email_sent=True,
            email_sent_at=datetime(2026, 10, 10, 12, 5, tzinfo=ALMATY),
            email_clicked=True,
        )
    )

    answer = admin.get(PAGE, {**DAYS, "step": "bought", "lost": "1"})
    page, text = answer.content.decode(), text_of(answer)

    assert 'href="tel:+77000004567"' in page
    assert 'href="mailto:dana@onai.test"' in page
    assert 'href="https://wa.me/77000004567"' in page
    assert "8 700 000 45 67 WhatsApp dana@onai.test" in text
    assert "Не дошли до шага «Купили»: 1 заявка." in text
    assert "Перешли по ссылке из письма, но не купили." in text
    assert "Дана Ким proftest_a" in text
    # What happened stands in a line, and a day is named once.
    way = "заявка 10 октября, 12:00 письмо 12:05 переход из письма,"
    marks = text.partition(way)[2]
    assert marks.startswith(" время неизвестно Насколько это надёжно?")


def test_a_mark_of_another_year_says_so(admin: Client, landing: LandingPages) -> None:
    landing.write(
        lead(
            sms_clicked=True,
            created_at=datetime(2024, 12, 31, 23, 50, tzinfo=ALMATY),
            sms_clicked_at=datetime(2025, 1, 1, 0, 10, tzinfo=ALMATY),
        )
    )

    text = text_of(admin.get(PAGE, {"from": "2024-12-31", "to": "2024-12-31"}))

    assert "заявка 31 декабря, 23:50 покупка 1 января 2025, 00:10" in text


def test_the_opening_of_an_email_is_shown_only_where_something_has_written_one(
    admin: Client, landing: LandingPages
) -> None:
    sent = {"email_sent": True, "email_clicked": True}
    landing.write(lead(name="Без Отметки", **sent), lead(name="С Отметкой", **sent))
    query = {**DAYS, "step": "messaged"}

    assert "открыто" not in text_of(admin.get(PAGE, query))
    assert "Письмо открыто" not in _file(admin, query)
    landing.connection.execute(
        "update landing_leads set email_opened_at = '2026-10-10 12:30+05' where name = 'С Отметкой'"
    )

    page = text_of(admin.get(PAGE, query))
    assert page.count("письмо открыто (записала рассылка) 12:30") == 1
    assert page.count("открыто") == 1
    # The file asks once a day.
    assert "Письмо открыто" not in _file(admin, query)
    cache.clear()
    file = _file(admin, query)
    assert "Письмо открыто (записала рассылка)" in file
    assert file.count("10.10.2026 12:30") == 1


def test_a_file_does_not_fail_where_the_database_is_too_busy_to_tell_about_openings(
    admin: Client, landing: LandingPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.write(lead(email_sent=True))

    def too_slow(*_arguments: object) -> bool:
        raise OperationalError

    monkeypatch.setattr(LeadQuerySet, "exists", too_slow)

    assert "Дана Ким" in _file(admin, {**DAYS, "step": "messaged"})


def _file(client: Client, query: dict[str, str]) -> str:
    file: Any = client.get(FILE, query)
    return str(b"".join(file.streaming_content).decode("utf-8-sig"))


@pytest.mark.parametrize(("step", "lost"), LISTS)
def test_every_list_describes_who_is_in_it(
    admin: Client, landing: LandingPages, step: StageId, lost: bool
) -> None:
    text = text_of(admin.get(PAGE, {"step": step, **({"lost": "1"} if lost else {})}))

    wording = STAGES[step]
    assert str(wording.lost if lost else wording.description) in text
    reported = step in (StageId.EXPRESS, StageId.PAYMENT)
    assert ("мимо прошлого, сюда не входит" in text) == (lost and reported)
    assert "За эти дни" in text


def test_the_page_warns_that_recent_leads_may_still_reach_the_step(
    admin: Client, landing: LandingPages
) -> None:
    yesterday = business_day() - timedelta(days=1)
    lost = {"source": "proftest_a", "created_at": datetime.now(ALMATY) - timedelta(days=1)}
    landing.write(lost, {**lost, "email_sent": True})
    said = "Период ещё идёт: недавние заявки ещё могут дойти до этого шага."

    def told(**query: str) -> bool:
        text = text_of(admin.get(PAGE, query))
        assert "1 заявка" in text or "никого не потеряли" in text
        return said in text

    for days in ({"period": "7-days"}, {"from": str(yesterday), "to": str(business_day())}):
        assert told(step="payment", lost="1", **days)
        assert told(step="messaged", lost="1", **days)
        assert not told(step="express", **days), "a list of those who got there"
        assert not told(step="bought", lost="1", **days), "nobody is lost"
    assert not told(step="payment", lost="1", period="yesterday")


def test_a_printed_list_says_which_part_of_the_list_it_holds(
    admin: Client, landing: LandingPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        landing.write(lead(phone=f"+7700000{number % 30:04d}", sms_clicked=True))

    def on_paper(path: str, **query: Any) -> list[str]:
        page = admin.get(path, {**DAYS, **query}).content.decode()
        said = re.findall(r'<p class="on-paper">(.*?)</p>', page, re.DOTALL)
        return [" ".join(text.split()) for text in said]

    second = admin.get(API, {**DAYS, "step": "payment"}).json()["next"]
    third = admin.get(API, {**DAYS, "step": "payment", "after": second}).json()["next"]
    part = "Напечатана часть списка, не с начала: {} из 60. Все — в файле CSV."
    assert on_paper(PAGE) == ["Напечатаны первые 25 из 60. Все — в файле CSV."]
    assert on_paper(PAGE, after=second) == [part.format(25)]
    assert on_paper(PAGE, after=third) == [part.format(10)]
    monkeypatch.setattr(paging, "COUNTED_AT_MOST", 50)
    assert on_paper(PAGE) == ["Напечатаны первые 25 из более чем 50. Все — в файле CSV."]
    assert on_paper("/funnel/duplicates") == ["Напечатаны 1–20 из 30. Все — в файле CSV."]
    assert on_paper("/funnel/duplicates", page=2) == ["Напечатаны 21–30 из 30. Все — в файле CSV."]
    # A list that fits on one page has no such note.
    (searched,) = on_paper(PAGE, q="000 00 01")
    assert "Напечатан" not in searched
    assert on_paper("/funnel/duplicates", page=3) == []


def test_the_source_filter_lists_sources_of_the_period_largest_first(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(*(lead(source=source) for source in ("TF4", "proftest_a", "proftest_a")))

    page = admin.get(PAGE, {**DAYS, "step": "proftest"}).content.decode()

    assert re.findall(r'name="source"\s+value="([^"]*)"', page) == ["proftest_a", "TF4"]


@pytest.mark.parametrize(
    ("phone", "email", "links"),
    [
        ("нет", "javascript:alert(1)", []),
        ("112", "a@b", []),
        ("8 700 000 45 67", " Dana@Onai.test ", ["tel:+77000004567", "mailto:Dana@Onai.test"]),
        (
            "+49 30 1234567",
            'a"b@onai.test?bcc=x',
            ["tel:+49301234567", "mailto:a%22b@onai.test%3Fbcc%3Dx"],
        ),
        # Thirteen digits are not a Kazakh phone, even after a 7.
        ("7 123 456 789 012", "dana kim@onai.test", ["tel:7123456789012"]),
        ("'><script>", "", []),
    ],
)
def test_only_usable_phones_and_emails_are_links(
    admin: Client, landing: LandingPages, phone: str, email: str, links: list[str]
) -> None:
    landing.write(lead(phone=phone, email=email, name="<script>alert(1)</script>"))

    page = admin.get(PAGE, {**DAYS, "step": "proftest"}).content.decode()

    assert re.findall(r'href="((?:tel|mailto|javascript):[^"]*)"', page) == links
    assert "<script>alert(1)" not in page


def test_links_and_forms_keep_the_filters(admin: Client, landing: LandingPages) -> None:
    for number in range(30):
        landing.write(lead(name=f"Имя {number}", sms_clicked=True, source="a&b"))
    query = {"period": "all", "step": "payment", "source": ["a&b", ""], "q": "имя"}

    page = unescape(admin.get(PAGE, query).content.decode())

    question = "step=payment&source=a%26b&source=&q=%D0%B8%D0%BC%D1%8F"
    assert f'href="/funnel/people.csv?period=all&{question}"' in page
    assert re.search(rf'href="\?period=all&{re.escape(question)}&after=[\w=-]+"', page)
    assert f'href="?period=7-days&{question}"' in page
    assert '<input type="hidden" name="period" value="all">' in page
    assert page.count("checked") == 2


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ({"step": "paid"}, "step", "Такого шага нет."),
        ({"step": "proftest", "lost": "1"}, "lost", "До первого шага терять некого."),
        ({"lost": "yes"}, "lost", "Укажите 1 или ничего."),
        ({"after": "AAAA"}, "after", "Такой страницы нет: показана первая."),
        ({"q": "x" * 101}, "q", "Убедитесь, что это значение содержит не более 100"),
        ({"q": "\0"}, "q", "ноль-байт"),
        ({"source": "\0"}, "source", "Источников не больше 50"),
        ({"source": "x" * 501}, "source", "Источников не больше 50"),
        ({"from": "2026-10-05", "to": "2026-10-01"}, "to", "Конец раньше начала."),
        ({"from": "2020-01-01", "to": "2026-10-01"}, "to", "Период не длиннее 3 лет."),
        ({"period": "century"}, "period", "Такого периода нет."),
    ],
)
def test_an_invalid_parameter_is_reported(
    admin: Client, landing: LandingPages, query: dict[str, str], field: str, sentence: str
) -> None:
    page, api, file = (admin.get(path, query) for path in (PAGE, API, FILE))

    assert (page.status_code, api.status_code, file.status_code) == (400, 400, 400)
    assert sentence in text_of(page)
    assert (api.json()["success"], api.json()["code"]) == (False, "invalid_input")
    assert sentence in api.json()["fields"][field]
    assert sentence not in str(api.json()["error"])


@pytest.mark.parametrize(
    "place",
    [
        '["2026-10-10T12:00:00", "0e5a6a5e-2c0e-4d0c-9a3e-6d8f0b5f4a11"]',
        "[" * 1_000,
        '{"a": 1, "b": 2}',
        '["x", 1]',
        "[1, 2]",
    ],
)
def test_a_forged_cursor_is_not_accepted(place: str) -> None:
    from base64 import urlsafe_b64encode

    assert paging.place_at(urlsafe_b64encode(place.encode()).decode(), moments=True) is None


# --- In a browser ------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 60])
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1440, "light")])
def test_the_lists_fit_the_screen(
    open_page: Any, landing: LandingPages, count: int, width: int, scheme: str
) -> None:
    write(landing, many()[:count])
    if count:
        long = {"name": "Ж" * 120, "email": f"{'long' * 15}@{'a' * 60}.onai.test"}
        landing.write(lead(**long, source="proftest_" + "x" * 90, email_sent=True))
        landing.write(lead(**long, phone="+7 700 000-45-67" + "1" * 60, sms_clicked=True))
        landing.write(lead(**long, sms_clicked=True))
    page = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    complaints = complaints_of(page)
    sign_in(page)
    days = "from=2026-10-01&to=2026-10-31"
    addresses = (
        f"/funnel/people?{days}",
        f"/funnel/people?{days}&step=express&lost=1&source=",
        "/funnel/people?from=2026-11-05&to=2026-11-01&step=x&after=y",
        f"/funnel/duplicates?{days}",
    )
    for address in addresses:
        page.goto(address)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{address} is {wide} px wide"
    assert [text for text in complaints if "status of 4" not in text] == []


@pytest.mark.parametrize("javascript", [True, False])
def test_an_owner_filters_lost_leads_to_find_a_phone_to_call(
    open_page: Any, landing: LandingPages, javascript: bool
) -> None:
    today = {"created_at": datetime.now(ALMATY), "email_sent": True}
    for number in range(40):
        landing.write(lead(name=f"Имя {number}", source=f"proftest_{number % 2}", **today))
    landing.write(lead(name="Дана Ким", phone="8 700 000 45 67", source=None, **today))
    page = open_page(java_script_enabled=javascript)
    sign_in(page)

    page.get_by_role("link", name="40 не перешли").last.click()
    page.get_by_role("heading", name="Не дошли до шага «Перешли по ссылке»: 40 заявок.").wait_for()
    page.get_by_role("button", name="30 дней").click()
    page.get_by_label("Шаг").select_option(label="Оплата экспресс-курса")
    page.get_by_label("Кого показать").select_option(label="кто не дошёл")
    page.get_by_role("button", name="Показать", exact=True).last.click()
    page.get_by_role("heading", name="«Оплата экспресс-курса»: 41 заявка.").wait_for()
    page.get_by_role("link", name="Дальше →").click()
    page.wait_for_url("**after=**")
    page.locator(".crowd > li").nth(15).wait_for()
    assert page.locator(".crowd > li").count() == 16
    page.get_by_role("button", name="30 дней").click()
    page.get_by_text("Источники: все").click()
    page.get_by_label("Без источника").check()
    page.get_by_role("button", name="Показать", exact=True).last.click()
    page.get_by_role("link", name="Без источника — убрать").wait_for()
    page.get_by_label("Имя, телефон или почта").fill("+7 700 000-45")
    page.get_by_role("button", name="Найти").click()

    page.get_by_role("heading", name="«Оплата экспресс-курса»: 1 заявка.").wait_for()
    page.get_by_role("link", name="WhatsApp").wait_for()
    assert page.get_by_role("link", name="8 700 000 45 67").is_visible()
    assert "lost=1" in page.url

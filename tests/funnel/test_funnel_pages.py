"""The funnel as an owner sees it, and as a program reads it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.test import Client

from onai.local.demo_data.leads import demo_leads
from tests.conftest import LandingPages
from tests.settings import TEST_KEYS
from tests.support.funnel_requests import ALMATY, LEGEND, PAGES, asked_at, page_text
from tests.support.people import Accounts

WIRE = (
    *("success", "stages", "totalRevenue", "totalConversions"),
    "overallConversionRate",
)
Bearer = Callable[[str], dict[str, str]]
API = "/api/traffic-dashboard/funnel"


@pytest.fixture
def report_of_the_day(landing: LandingPages) -> LandingPages:
    landing.write(*demo_leads(datetime.now(UTC)))
    return landing


def _text(client: Client, path: str = "/funnel") -> str:
    """What is read on the page: its text without tags, single spaces."""
    page = client.get(path).content.decode()
    bare = re.sub(r"<[^>]+>", " ", page)
    return re.sub(r"\s+", " ", bare.replace("\N{NO-BREAK SPACE}", " "))


def test_the_page_shows_the_whole_report(admin: Client, report_of_the_day: LandingPages) -> None:
    text = _text(admin)

    assert "Выручка 150 000 ₸" in text
    assert "За 30 дней 30 покупок на 150 000 ₸." in text
    assert "Тест → покупка 8,57 %" in text
    assert "350 посетителей Тест ProfTest" in text
    assert "380 писем 109 % Предложение экспресс-курса Больше 100 %" in text
    assert "30 покупок 8 % Оплата экспресс-курса" in text
    page = admin.get("/funnel").content.decode()
    assert re.findall(r'class="rate (\w+)">(\d+)', page) == [("success", "109"), ("warning", "8")]
    # Ratios that are no proportions are not silently shown as if they had been tested.
    assert re.search(
        r"Тест → покупка 8,57 % [+−][\d,]+ п. п., [\d, %противбыло]+ все покупки", text
    )
    sources = _text(admin, "/funnel/sources")
    assert "Больше всего продаёт «Кенесары»: 19 из 30 покупок." in sources
    assert re.search(r"Кенесары proftest_kenesary 141 19 \d+ 13,48 % 95 000 ₸ .*? лучше", sources)
    assert "Без источника" in sources
    duplicates = _text(admin, "/funnel/duplicates")
    counted = "30 покупок, 30 разных телефонов, 29 разных адресов почты, без почты — 1"
    assert f"Дублей нет: {counted}." in duplicates


def test_sent_letters_are_not_called_delivered(admin: Client, landing: LandingPages) -> None:
    landing.write({"source": "proftest_a", "email_sent": True, "sms_sent": True})

    reported, cohort = _text(admin), _text(admin, "/funnel?count=cohort")

    assert "Отправлено письмо или SMS" in reported
    told = admin.get(f"{API}/express").json()["stage"]["description"]
    assert told == "Отправлено письмо с предложением экспресс-курса"
    assert "олучил" not in reported + cohort


def test_numbers_use_no_break_spaces(admin: Client, report_of_the_day: LandingPages) -> None:
    assert "150\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}₸" in admin.get("/funnel").content.decode()


def test_the_page_explains_a_ratio_above_100_percent_only_when_shown(
    admin: Client, landing: LandingPages
) -> None:
    landing.write({"source": "proftest_a", "email_sent": True})

    assert "не ошибка" not in _text(admin)


def test_a_number_beside_a_link_is_that_of_its_list(admin: Client, landing: LandingPages) -> None:
    """One bought without an e-mail: by the stages one is missing, by name two are."""
    landing.write(
        {"source": "TF4", "sms_clicked": True},
        *({"source": "proftest_a", "email_sent": True} for _ in range(2)),
    )
    text = _text(admin)
    listed = _text(admin, "/funnel/people?step=payment&lost=1")
    lost = _text(admin, "/funnel/people?step=clicked&lost=1")

    # The stages are no parts of each other, so nobody is called lost between them.
    report = text.partition("Как в отчёте")[2].partition("Источники")[0]
    assert not re.search(r"не (дошли|перешли|купили)", report)
    assert "2 заявки" in listed
    assert "Кто пришёл на этот шаг сразу, мимо прошлого, сюда не входит." in listed
    # The steps of a cohort lose exactly those who are listed.
    assert text.count("2 не перешли") == 2
    assert "2 заявки" in lost


def test_a_repeated_conversion_is_shown_once(admin: Client, landing: LandingPages) -> None:
    """Where everybody took the test, «of the test» is the proportion «of the leads», and tested."""
    landing.write({"source": "proftest_a", "sms_clicked": True}, {"source": "proftest_a"})
    landing.write({"source": "TF4"})

    one, find_unreadable = _text(admin, "/funnel?source=proftest_a"), _text(admin)

    assert one.count("→ покупка 50,00 %") == 2  # The tile, and its details.
    assert "Тест → покупка 50,00 % сравнить не с чем" in one
    assert "Тест → покупка: скорее всего, от 9,5 до 90,5 %" in one
    assert "Тест → покупка 50,00 %" in find_unreadable
    assert "Заявка → покупка 33,33 %" in find_unreadable


@pytest.mark.parametrize("query", ["", "&count=cohort", "&source=TF4"])
def test_nothing_is_claimed_of_future_days(
    admin: Client, landing: LandingPages, query: str
) -> None:
    landing.write({"source": "TF4"})
    first, last = (datetime.now(UTC).date() + timedelta(days=days) for days in (3, 5))
    days = f"from={first}&to={last}"

    for path in (*PAGES, "/funnel/people", "/funnel/duplicates"):
        text = _text(admin, f"{path}?{days}{query}")
        assert "Эти дни ещё не наступили" in text, path
        for claim in ("идёт реклама", "не пришло", "молчал", "ещё идёт", "Дублей нет"):
            assert claim not in text, path
        for claim in ("лидов нет", "никто не дошёл", "не потеряли", "0 ₸", "Сравнивать"):
            assert claim not in text, path


def test_the_page_names_its_time_zone(admin: Client, landing: LandingPages) -> None:
    assert re.search(r"Посчитано [^:]+[\d:]{8} по времени Алматы \(UTC\+5\)", _text(admin))


def test_recent_times_to_buy_are_qualified(admin: Client, landing: LandingPages) -> None:
    now = datetime.now(UTC)
    bought = {"sms_clicked": True, "sms_clicked_at": now, "created_at": now - timedelta(days=1)}
    landing.write(bought, {**bought, "created_at": now - timedelta(minutes=1)})
    warning = "Это пока только те, кто решил быстро"

    assert warning in _text(admin, "/funnel/speed?period=today")
    assert warning not in _text(admin, "/funnel/speed?period=30-days")


def test_the_file_of_the_sources_has_all_of_them(admin: Client, landing: LandingPages) -> None:
    landing.write({"created_at": datetime.now(UTC), "source": "TF4"})

    page = admin.get("/funnel/sources?q=tf4&sort=name&page=1").content.decode()

    assert 'href="/funnel/tables/sources.csv?sort=name"' in page


def test_without_leads_the_page_says_what_to_check(admin: Client, landing: LandingPages) -> None:
    for page in PAGES:
        text = _text(admin, page)
        assert "За эти дни не пришло ни одной заявки." in text, page
        assert "Проверьте, открываются ли лендинги и идёт ли реклама." in text, page
    duplicates = _text(admin, "/funnel/duplicates")
    assert "Покупок за эти дни нет, проверять нечего." in duplicates


def test_the_page_links_to_repeat_buyers(admin: Client, landing: LandingPages) -> None:
    for phone in ("+7 700 000-45-67", "87000004567"):
        landing.write({"phone": phone, "email": "Twice@onai.test", "sms_clicked": True})

    text = _text(admin, "/funnel/duplicates")

    assert "Похоже, есть дубли: 2 покупки, 1 разный телефон, 1 разный адрес почты." in text
    assert "Повторяются и телефон, и почта." in text
    figures = admin.get("/funnel?period=7-days").content.decode()
    assert 'href="/funnel/duplicates?period=7-days"' in figures
    assert "77000004567" not in figures


@pytest.mark.parametrize("query", ["count=cohort&source=TF4", "count=cohort"])
def test_leads_without_a_test_count_as_leads(
    admin: Client, landing: LandingPages, query: str
) -> None:
    landing.write(*({"source": "TF4", "sms_clicked": True} for _ in range(3)))

    for page in PAGES:
        text = page_text(admin, query, page)
        assert text.count("Теста за эти дни не прошёл никто") == 1, page
        assert "Всего заявок — 3. Посчитать все события" in text, page
        assert "не пришло ни одной заявки" not in text, page


def test_an_unfinished_day_is_not_called_a_drop(
    admin: Client, landing: LandingPages, settings: Any
) -> None:
    now = datetime(2026, 11, 22, 9, tzinfo=ALMATY)
    evening, long_ago = now - timedelta(hours=14), now - timedelta(days=40)
    tested = {"source": "proftest_a"}
    landing.write(
        *({**tested, "created_at": evening, "sms_clicked": True} for _ in range(20)),
        *({**tested, "created_at": one} for one in (now - timedelta(hours=1), long_ago)),
        {**tested, "created_at": now - timedelta(hours=25), "sms_clicked": True},
    )

    asked_at(now, settings)
    text = page_text(admin, "from=2026-11-22&to=2026-11-22")
    tiles = text.partition("Путь прошедших тест")[0]

    assert "Сегодняшний день ещё идёт, цифры вырастут." in text
    assert "Сравниваем с тем, что было к этому же времени, 09:00." in text
    assert "Заявкам ещё нет 72 часов, поэтому покупки и конверсии сравнивать рано." in text
    assert "Заявки 1 как было" in text
    assert "Выручка 0 ₸ было 5 000 ₸, сравнивать рано" in text
    assert tiles.count("сравнивать рано") == 4  # And the sentence says why.
    assert not re.search(r"[−≈▲▼]", text.partition(LEGEND)[0])


def test_the_bars_are_proportional_to_the_counts(admin: Client, landing: LandingPages) -> None:
    mailed = {"source": "proftest_a", "email_sent": True}
    landing.write({"source": "proftest_a"}, mailed, {**mailed, "email_clicked": True})
    landing.write({**mailed, "sms_clicked": True})

    page = admin.get("/funnel").content.decode()

    reached = re.findall(r'<rect class="step-reached" width="([\d.]+)%"', page)
    lost = re.findall(r'class="step-loss"\s+x="([\d.]+)%"\s+width="([\d.]+)%"', page)

    widths = [float(width) for width in reached]
    assert widths == [100, 75, 50, 25]
    # Hatched is what the step before had more.
    for before, width, (begins, missing) in zip(widths, widths[1:], lost[1:], strict=False):
        assert float(begins) == width
        assert float(begins) + float(missing) == pytest.approx(before, abs=0.02)


def test_the_api_answers_in_the_wire_format(
    client: Client, bearer: Bearer, report_of_the_day: LandingPages
) -> None:
    began = datetime.now(UTC)

    body = client.get(API, headers=bearer("admin@onai.test")).json()

    timestamp = body.pop("timestamp")
    assert body.pop("stale") is False
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", timestamp)
    assert abs(datetime.fromisoformat(timestamp) - began) < timedelta(minutes=1)
    for stage in body["stages"]:
        assert stage.pop("description")
    # More keys stand beside these, and none of these ever changes.
    assert {name: body[name] for name in WIRE} == {
        "success": True,
        "stages": [
            {
                "id": "proftest",
                "title": "ProfTest",
                "emoji": "🧪",
                "metrics": {"visitors": 350, "passed": 350},
                "conversionRate": 100,
                "status": "success",
            },
            {
                "id": "express",
                "title": "Express Course Landing",
                "emoji": "📚",
                "metrics": {"views": 380, "avgValue": 5000},
                "conversionRate": 109,
                "status": "success",
            },
            {
                "id": "payment",
                "title": "Paid Express Course (5K)",
                "emoji": "💳",
                "metrics": {"purchases": 30, "revenue": 150000},
                "conversionRate": 8,
                "status": "warning",
            },
        ],
        "totalRevenue": 150000,
        "totalConversions": 30,
        "overallConversionRate": 8.57,
    }


@pytest.mark.parametrize("stage", ["proftest", "express", "payment"])
def test_the_api_answers_for_one_stage(admin: Client, landing: LandingPages, stage: str) -> None:
    whole = admin.get(API).json()

    one = admin.get(f"{API}/{stage}").json()

    assert one["success"] is True
    assert one["stage"] in whole["stages"]
    assert one["stage"]["id"] == stage


@pytest.mark.parametrize("stage", ["payments", "PAYMENT", "%00", "1"])
def test_an_unknown_stage_is_not_found(admin: Client, stage: str) -> None:
    answer = admin.get(f"{API}/{stage}")

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_page_and_api_agree(admin: Client, report_of_the_day: LandingPages) -> None:
    body = admin.get(API).json()
    text = _text(admin)

    as_of = datetime.fromisoformat(body["timestamp"])
    for stage in body["stages"]:
        assert f"{next(iter(stage['metrics'].values()))} " in text
    shown = re.search(r'<time\s+datetime="([^"]+)"', admin.get("/funnel").content.decode())
    assert shown
    assert abs(datetime.fromisoformat(shown[1]) - as_of) < timedelta(seconds=1)


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_the_funnel_is_only_read(admin: Client, method: str) -> None:
    answer: Any = getattr(admin, method)(API)

    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert "GET" in answer["Allow"]


def test_the_default_period_moves_with_the_calendar(
    client: Client, accounts: Accounts, landing: LandingPages
) -> None:
    # The predecessor computed it once, when the process started.
    now = datetime.now(UTC)
    landing.write({"sms_clicked": True, "created_at": now - timedelta(days=29)})
    opened = accounts.sign_in("admin@onai.test")["access_token"]
    claims = jwt.decode(opened, options={"verify_signature": False})
    token = TEST_KEYS.sign({**claims, "exp": int((now + timedelta(days=3)).timestamp())})

    def purchases() -> int:
        answer = client.get(API, headers={"Authorization": f"Bearer {token}"})
        found: int = answer.json()["totalConversions"]
        return found

    assert purchases() == 1
    with time_machine.travel(now + timedelta(days=1)):
        assert purchases() == 0

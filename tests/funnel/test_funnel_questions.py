"""The funnel asked otherwise than by default: on the page, in its files, and by a program."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.http import QueryDict
from django.test import Client

from funnel.web.forms import QuestionForm
from onai.local.demo_data.leads import demo_leads
from onai.periods import Period
from onai.web.period_form import in_words
from tests.conftest import LandingPages
from tests.support.funnel_requests import (
    ALMATY,
    API,
    IN_OCTOBER,
    PAGE,
    PAGES,
    RELIABLE,
    SOURCES,
    csv_rows,
    lead,
    page_text,
    write_october,
)


@pytest.fixture
def october(landing: LandingPages) -> LandingPages:
    write_october(landing)
    return landing


def test_the_default_is_the_last_30_days_as_reported(admin: Client, landing: LandingPages) -> None:
    landing.write(*demo_leads(datetime.now(ALMATY)))

    bare, named = (admin.get(f"{API}?{query}").json() for query in ("", "period=30-days"))

    assert bare == named
    assert bare["period"]["days"] == 30
    assert (bare["count"], bare["by"], bare["source"]) == ("reported", "day", [])
    assert bare["compared"]["with"] == "previous"
    assert bare["compared"]["to"] == str(
        date.fromisoformat(bare["period"]["from"]) - timedelta(days=1)
    )
    reached = [step["reached"]["now"] for step in bare["funnel"]["steps"]]
    assert reached == [350, 380, 30]
    assert bare["funnel"]["overallConversion"]["now"] == bare["overallConversionRate"]


def test_an_owner_chooses_days(admin: Client, october: LandingPages) -> None:
    body = admin.get(f"{API}?{IN_OCTOBER}").json()

    assert body["period"] == {"from": "2026-10-01", "to": "2026-10-31", "days": 31}
    assert body["totalConversions"] == 4
    assert body["funnel"]["leads"]["now"] == 10
    assert body["funnel"]["purchases"]["before"] == 1
    assert "1 октября — 31 октября 2026 (31 день)" in page_text(admin, IN_OCTOBER)


def test_page_files_and_api_agree(admin: Client, october: LandingPages) -> None:
    body = admin.get(f"{API}?{IN_OCTOBER}").json()
    text = page_text(admin, IN_OCTOBER)
    rows = csv_rows(admin, "sources", IN_OCTOBER)

    assert "Выручка 20 000 ₸ ≈ +274 % в день, было 5 000 ₸, обычное колебание" in text
    assert body["totalRevenue"] == body["funnel"]["revenue"]["now"] == 20_000
    assert body["funnel"]["revenue"]["verdict"] == "within-chance"
    by_name = {row["name"]: row["leads"]["now"] for row in body["sources"]}
    assert by_name == {"Муха": 6, "Команда TF4": 2, "Без источника": 2}
    assert {row["Источник"]: int(row["Лиды"]) for row in rows} == by_name


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["2026-10-24", "2026-11-22"]),
        ("period=last-month", ["2026-10-01", "2026-10-31"]),
        ("from=2026-11-03", ["2026-11-03", "2026-11-22"]),
        ("from=2026-11-05&to=2026-11-03", ["2026-11-05", "2026-11-03"]),
        ("from=2026-11-05&to=tomorrow", ["2026-11-05", "tomorrow"]),
        ("to=2026-11-03", ["2026-11-03"]),
    ],
)
def test_the_day_fields_hold_the_shown_period(query: str, shown: list[str]) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 12, tzinfo=ALMATY), tick=False):
        form = QuestionForm(QueryDict(query))
        form.question()

    fields = f"{form['from']}{form['to']}"
    assert re.findall(r'value="([^"]*)"', fields) == shown


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("period=century", "period", "Такого периода нет."),
        ("period=all", "period", "Такого периода нет."),
        ("from=2026-11-05&to=2026-11-03", "to", "Конец раньше начала."),
        ("from=yesterday", "from", "Это не дата."),
        ("from=2026-11-01&to=9999-12-31", "to", "Таких дней у нас нет."),
        ("from=0001-01-01&to=2026-11-22", "from", "Таких дней у нас нет."),
        ("from=9999-12-31", "from", "Таких дней у нас нет."),
        ("from=9999-12-31&to=2026-11-22", "from", "Таких дней у нас нет."),
        ("to=2026-11-03", "from", "Укажите, с какого дня."),
        ("from=2022-01-01&to=2026-01-01", "to", "Период не длиннее 3 лет."),
        ("compare=luck", "compare", "с теми же днями прошлого месяца (last-month)"),
        ("count=money", "count", "как в отчёте (reported)"),
        ("by=hour", "by", "по неделям (week)"),
        ("sort=bad", "sort", "по конверсии (conversion)"),
        ("q=" + "x" * 101, "q", "не длиннее 100 знаков"),
        ("source=%00", "source", "обычный текст"),
        ("source=" + "x" * 501, "source", "обычный текст"),
        ("&".join(f"source={n}" for n in range(51)), "source", "не больше 50"),
    ],
)
def test_an_invalid_value_is_reported_at_its_field(
    admin: Client, landing: LandingPages, query: str, field: str, sentence: str
) -> None:
    api, page = admin.get(f"{API}?{query}"), admin.get(f"{SOURCES}?{query}")
    table = admin.get(f"/funnel/tables/sources.csv?{query}")

    assert (api.status_code, page.status_code, table.status_code) == (400, 400, 400)
    body = api.json()
    assert set(body) == {"success", "error", "code", "fields"}
    assert body["code"] == "invalid_input"
    assert list(body["fields"]) == [field]
    assert sentence in body["fields"][field]
    assert sentence in unescape(page.content.decode())


@pytest.mark.parametrize(
    "query", ["from=2026-11-05&to=2026-11-03", "from=x", "to=2026-11-03", "period=century"]
)
def test_invalid_days_fall_back_to_the_default_with_a_note(
    admin: Client, landing: LandingPages, query: str
) -> None:
    said = f"Пока показано «30 дней»: {in_words(Period.last_days(30))}."
    for path in (PAGE, "/funnel/people", "/funnel/duplicates"):
        assert said in unescape(admin.get(f"{path}?{query}").content.decode()), path
        for good in ("period=30-days", "from=2026-10-03", "from=2026-10-03&compare=luck"):
            assert "Пока показано" not in admin.get(f"{path}?{good}").content.decode()


def test_a_period_is_at_most_three_years(admin: Client, landing: LandingPages) -> None:
    assert admin.get(f"{API}?from=2023-11-01&to=2026-10-31").status_code == 200
    assert admin.get(f"{API}?from=2023-10-31&to=2026-10-31").status_code == 400


def test_one_stage_takes_the_same_parameters(admin: Client, october: LandingPages) -> None:
    stage = admin.get(f"{API}/payment?{IN_OCTOBER}&source=TF4").json()["stage"]

    assert stage["metrics"] == {"purchases": 2, "revenue": 10_000}
    assert admin.get(f"{API}/payment?period=century").status_code == 400


def test_the_page_is_filtered_by_sources(admin: Client, october: LandingPages) -> None:
    query = f"{IN_OCTOBER}&source=TF4&source="

    body = admin.get(f"{API}?{query}").json()
    text = page_text(admin, query, SOURCES)

    assert body["source"] == ["", "TF4"]
    assert body["funnel"]["leads"]["now"] == 4
    assert body["totalConversions"] == 2
    assert sum(point["leads"]["now"] for point in body["overTime"]) == 4
    assert {row["source"] for row in body["sources"]} == {"", "TF4"}
    assert "Только источники: Без источника ✕ Команда TF4 ✕" in text
    assert "Добавить источник Муха" in text


def test_a_click_on_a_source_filters_and_keeps_the_question(
    admin: Client, october: LandingPages
) -> None:
    opened = f"{IN_OCTOBER}&count=cohort&q=мух&page=1&open=proftest_muha"
    page = admin.get(f"{SOURCES}?{opened}").content.decode()

    link = re.search(r'href="([^"]+)"\s*>Показать только этот источник<', page)

    assert link
    assert parse_qs(urlsplit(unescape(link[1])).query) == {
        "from": ["2026-10-01"],
        "to": ["2026-10-31"],
        "count": ["cohort"],
        "source": ["proftest_muha"],
    }


def test_another_period_is_a_link(admin: Client, october: LandingPages) -> None:
    way = "compare=last-year&count=cohort&by=week&sort=name&source=proftest_muha&source="
    page = unescape(admin.get(f"{SOURCES}?{IN_OCTOBER}&{way}&q=МУХ&page=1").content.decode())

    assert f'href="?period=today&{way}&q=%D0%9C%D0%A3%D0%A5"' in page
    # In the form of one's own days; the search has a field of its own.
    assert len(re.findall(r'type="hidden"\s+name="q"\s+value="МУХ"', page)) == 1
    assert len(re.findall(r'type="hidden"\s+name="count"\s+value="cohort"', page)) == 2


def test_every_page_links_to_the_others_with_the_same_question(
    admin: Client, october: LandingPages
) -> None:
    asked = parse_qs(f"{IN_OCTOBER}&compare=last-year&count=cohort&by=week&sort=name&source=TF4")
    lists = ("/funnel/people", "/funnel/duplicates")
    shown = [*PAGES, *lists, "/funnel/money"]
    for page in (*PAGES, *lists):
        text = unescape(admin.get(page, asked).content.decode())
        (navigation,) = re.findall(r'<nav class="rooms".*?</nav>', text, re.DOTALL)
        links = re.findall(r'href="(/funnel[^"]*)"', navigation)
        assert [urlsplit(link).path for link in links] == shown, page
        for link in links:
            assert parse_qs(urlsplit(link).query) == asked, (page, link)
        assert navigation.count('aria-current="page"') == 1
        assert 'href="?period=today&' in text
        for other_days in re.findall(r'href="(\?period=today&[^"]+)"', text):
            assert "compare=last-year&count=cohort&by=week&sort=name" in other_days


@pytest.mark.parametrize("source", ["nobody", "<script>", "' or 1=1 --", "%%", "\udcff"])
def test_an_unknown_source_gives_an_empty_funnel_with_a_note(
    admin: Client, october: LandingPages, source: str
) -> None:
    query = {"source": source.encode("utf-8", "surrogateescape")}

    page, api = admin.get(PAGE, query), admin.get(API, query)

    assert (page.status_code, api.status_code) == (200, 200)
    assert "От выбранных источников за эти дни не пришло ни одной заявки" in page.content.decode()
    assert api.json()["funnel"]["leads"]["now"] == 0
    assert "<script>" not in page.content.decode()


def test_sources_are_sorted_and_searched(admin: Client, october: LandingPages) -> None:
    def names(query: str) -> list[str]:
        page = admin.get(f"{SOURCES}?{IN_OCTOBER}&{query}").content.decode()
        return re.findall(r'<th scope="row">\s*<a\s[^>]+><bdi>([^<]+)', page)

    assert names("") == ["Муха", "Команда TF4", "Без источника"]
    assert names("sort=conversion") == ["Команда TF4", "Муха", "Без источника"]
    assert names("sort=name") == ["Без источника", "Команда TF4", "Муха"]
    assert names("sort=nonsense") == names("")
    for order in ("", "sort=conversion", "sort=name"):
        body = admin.get(f"{API}?{IN_OCTOBER}&{order}").json()
        assert [row["name"] for row in body["sources"]] == names(order)
        rows = csv_rows(admin, "sources", f"{IN_OCTOBER}&{order}&q=муха")
        assert [row["Источник"] for row in rows] == names(order)
    assert names("q=МУХ") == ["Муха"]
    assert names("q=tf4") == ["Команда TF4"]
    assert "за эти дни нет" in page_text(admin, f"{IN_OCTOBER}&q=никто", SOURCES)


def test_an_unnamed_source_is_shown_as_stored(admin: Client, landing: LandingPages) -> None:
    landing.write(lead(3, source="proftest_новый<b>"))

    page = admin.get(f"{SOURCES}?{IN_OCTOBER}").content.decode()

    assert "<bdi>proftest_новый&lt;b&gt;</bdi>" in page


def test_the_cohort_explains_itself_and_reports_other_buyers(
    admin: Client, landing: LandingPages
) -> None:
    through = {"email_sent": True, "email_clicked": True, "sms_sent": True, "sms_clicked": True}
    landing.write(lead(3, **through), lead(4, sms_clicked=True), lead(5))

    text = page_text(admin, f"{IN_OCTOBER}&count=cohort")
    body = admin.get(f"{API}?{IN_OCTOBER}&count=cohort").json()

    path = re.sub(r"неполно с \d+ октября ", "", text.partition("Путь прошедших тест")[2])
    assert "Прошли тест 3 Отправлено письмо или SMS 2 без сообщения 1" in path
    assert "Купили 1 100,0 %" in path
    assert "Ещё 1 покупка — без отметки о письме или SMS." in text
    assert "Покупки 2" in text
    assert "Покупка здесь — переход по ссылке из SMS." in text
    reached = {step["id"]: step["reached"]["now"] for step in body["funnel"]["steps"]}
    assert reached == {
        "tested": 3,
        "messaged": 1,
        "clicked": 1,
        "bought": 1,
    }
    assert body["funnel"]["purchasesOutsideSteps"] == 1
    # The keys of the report stay as reported.
    assert body["totalConversions"] == 2


def test_periods_that_overlap_are_compared_without_a_verdict(
    admin: Client, landing: LandingPages
) -> None:
    query = "from=2026-08-01&to=2026-10-31&compare=last-month"

    body = admin.get(f"{API}?{query}").json()

    assert body["compared"]["from"] == "2026-07-01"
    assert body["funnel"]["leads"]["verdict"] == "periods-overlap"
    assert "Периоды пересекаются" in page_text(admin, query)


def test_an_unfinished_day_is_labelled(admin: Client, landing: LandingPages) -> None:
    assert "Сегодняшний день ещё идёт" in page_text(admin, "period=7-days")
    assert "Сегодняшний день ещё идёт" not in page_text(admin, IN_OCTOBER)
    body = admin.get(f"{API}?period=today").json()
    assert body["funnel"]["leads"]["verdict"] == "within-chance"
    assert body["funnel"]["purchases"]["verdict"] == "too-young"
    assert body["compared"]["until"] is not None
    assert body["compared"]["ageHours"] == 72
    assert admin.get(f"{API}?{IN_OCTOBER}").json()["compared"]["until"] is None


def test_presets_follow_the_day_in_almaty(admin: Client, landing: LandingPages) -> None:
    # It is the 22nd in Almaty already, and the 21st in UTC still.
    near_midnight = datetime(2026, 11, 22, 0, 5, tzinfo=ALMATY)

    with time_machine.travel(near_midnight, tick=False):
        question = QuestionForm(QueryDict("period=30-days")).question()

    assert question.period == Period(date(2026, 10, 24), date(2026, 11, 22))
    assert question.compared == Period(date(2026, 9, 24), date(2026, 10, 23))


def test_days_before_the_first_lead_are_never_compared(
    admin: Client, landing: LandingPages
) -> None:
    landing.write({"created_at": datetime.now(UTC), "sms_clicked": True, "email_sent": True})
    text = " ".join(re.sub(r"<[^>]+>", " ", admin.get("/funnel").content.decode()).split())
    assert "Сравнивать не с чем: первая заявка пришла" in text
    assert "Выручка 5 000 ₸ сравнить не с чем" in text
    assert "▲" not in text.partition(RELIABLE)[0]
    # Nowhere is a zero shown for what nobody knows: of no ratio, of no row and in no file.
    assert "было 0" not in text
    body = admin.get(API).json()
    assert body["funnel"]["overallConversion"]["before"] is None
    assert {row["leads"]["before"] for row in body["overTime"]} == {None}
    assert body["timeToBuy"]["all"]["before"] is None
    for name in ("steps", "sources", "utm", "over-time", "time-to-buy"):
        for row in csv_rows(admin, name, ""):
            told = {column: value for column, value in row.items() if "ыло" in column}
            assert set(told.values()) == {""}, (name, told)


def test_one_purchase_of_one_lead_is_not_the_best_conversion(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(*(lead(3, source="TF4", sms_clicked=True) for _ in range(9)))
    for day in range(1, 21):
        landing.write(*(lead(day, sms_clicked=n == 0) for n in range(2)))

    best = admin.get(f"{API}?{IN_OCTOBER}&sort=conversion").json()["sources"]

    assert [(row["source"], row["conversion"]["now"]) for row in best] == [
        ("proftest_muha", 50.0),
        ("TF4", 100.0),
    ]


def test_each_source_is_compared_with_the_others(admin: Client, landing: LandingPages) -> None:
    for source, bought in (("proftest_muha", 20), ("TF4", 2), ("expresscourse", 6)):
        mark = {"utm_campaign": source}
        landing.write(
            *(lead(3, source=source, metadata=mark, sms_clicked=n < bought) for n in range(60))
        )

    body = admin.get(f"{API}?{IN_OCTOBER}").json()
    rows = {row["source"]: row for row in body["sources"]}
    text = page_text(admin, IN_OCTOBER, SOURCES)

    against = {source: row["againstOthers"] for source, row in rows.items()}
    assert against["proftest_muha"]["others"] == 6.67
    # The same figures, held to more rows.
    assert {source: one["pValue"] for source, one in against.items()} == {
        row["value"]: row["againstOthers"]["pValue"] for row in body["utm"]["campaign"]["values"]
    }
    assert {source: one["verdict"] for source, one in against.items()} == {
        "proftest_muha": "beyond-chance",
        "TF4": "beyond-chance",
        "expresscourse": "within-chance",
    }
    for told in ("Муха", "лучше"), ("Команда TF4", "хуже"), ("Страница экспресс-курса", "как все"):
        assert re.search(f"{told[0]} [^₸]*₸ сравнить не с чем {told[1]}", text)
    # How sure each is stands once, below the table.
    assert text.count("скорее всего, от") == len(rows)
    assert "Муха: скорее всего, от 22,7 до 45,9 %" in text.partition(RELIABLE)[2]

"""The funnel's tables as files."""

from html import unescape
from typing import Any

import pytest
from django.test import Client

from tests.conftest import LandingPages
from tests.support.funnel_requests import IN_OCTOBER, PAGE, SignIn, csv_rows, lead, write_october


@pytest.fixture
def october(landing: LandingPages) -> LandingPages:
    write_october(landing)
    return landing


@pytest.mark.parametrize(
    "name", ["headline", "steps", "sources", "over-time", "time-to-buy", "utm"]
)
@pytest.mark.parametrize("query", ["", "count=cohort&by=month"])
def test_every_table_is_a_file(admin: Client, october: LandingPages, name: str, query: str) -> None:
    rows = csv_rows(admin, name, f"{IN_OCTOBER}&{query}")

    assert rows
    assert all(None not in row and None not in row.values() for row in rows)


def test_a_file_writes_numbers_as_a_russian_spreadsheet_reads_them(
    admin: Client, october: LandingPages
) -> None:
    tf4 = next(row for row in csv_rows(admin, "sources", IN_OCTOBER) if row["Как записан"] == "TF4")

    assert tf4["Из лида в покупку, %"] == "100"
    assert tf4["не меньше, %"] == "34,2"
    assert tf4["Доля выручки, %"] == "50"


def test_files_compare_each_conversion_with_the_others(
    admin: Client, landing: LandingPages
) -> None:
    """Of one winter's hundred leads nine in ten bought, of most others' one in ten."""
    for source, mark, leads, bought in (
        ("proftest_muha", "winter", 100, 90),
        ("proftest_arystan", "spring", 200, 20),
        ("TF4", "autumn", 100, 10),
        ("expresscourse", "summer", 4, 1),
        ("proftest", "late", 40, 12),
    ):
        marked: dict[str, Any] = {"source": source, "metadata": {"utm_campaign": mark}}
        landing.write(*(lead(3, sms_clicked=one < bought, **marked) for one in range(leads)))

    def told(name: str, row: str, query: str = "") -> dict[str, tuple[str, str]]:
        return {
            one[row]: (one["Из лида в покупку у остальных, %"], one["Против остальных"])
            for one in csv_rows(admin, name, f"{IN_OCTOBER}{query}")
        }

    sources, marks = told("sources", "Как записан"), told("utm", "Значение")
    assert sources["proftest_muha"] == marks["winter"] == ("12,5", "выше")
    assert sources["proftest_arystan"] == marks["spring"] == ("46,31", "ниже")
    assert sources["proftest"] == marks["late"] == ("29,95", "обычное колебание")
    assert sources["expresscourse"] == marks["summer"] == ("30", "слишком мало лидов")
    assert marks["без метки"] == ("", "")
    # Alone, there is nobody to hold it against.
    assert told("sources", "Как записан", "&source=TF4") == {"TF4": ("", "")}


def test_the_headline_is_a_file_as_well(admin: Client, october: LandingPages) -> None:
    bought_more = {"source": "TF4", "sms_clicked": True}
    october.write(lead(20, month=9, **bought_more), lead(21, month=9, **bought_more))

    def file(query: str) -> list[tuple[str, ...]]:
        return [tuple(row.values()) for row in csv_rows(admin, "headline", query)]

    # One who bought without the test is in no conversion of the test, and so it is no proportion.
    assert file(IN_OCTOBER) == [
        ("Выручка, ₸", "20000", "15000", "", ""),
        ("Покупки", "4", "3", "", ""),
        ("Лиды", "10", "7", "", ""),
        ("Из теста в покупку, %", "66,67", "60", "", ""),
        ("Из лида в покупку, %", "40", "42,86", "16,8", "68,7"),
    ]
    assert file(f"{IN_OCTOBER}&count=cohort") == [
        ("Выручка, ₸", "10000", "5000", "", ""),
        ("Покупки", "2", "1", "", ""),
        ("Из теста в покупку, %", "33,33", "20", "9,7", "70"),
    ]
    # Nothing is said of days before the first lead.
    assert {row[2] for row in file("from=2026-09-01&to=2026-09-30")} == {""}
    page = admin.get(f"{PAGE}?{IN_OCTOBER}").content.decode()
    assert f'href="/funnel/tables/headline.csv?{IN_OCTOBER}"' in unescape(page)


def test_the_cohorts_file_reports_buyers_outside_its_steps(
    admin: Client, landing: LandingPages
) -> None:
    through = {"email_sent": True, "email_clicked": True, "sms_sent": True, "sms_clicked": True}
    landing.write(lead(3, **through), lead(4, sms_clicked=True), lead(5), lead(1, month=8))
    landing.write(*(lead(day, month=9, sms_clicked=True) for day in (10, 11)))

    *_, bought, past = csv_rows(admin, "steps", f"{IN_OCTOBER}&count=cohort")

    assert list(bought)[:3] == ["Шаг", "За период", "Было"]
    assert tuple(bought.values()) == ("Купили", "1", "0", "100", "")
    assert tuple(past.values()) == ("Купили мимо шагов", "1", "2", "", "")
    *_, alone = csv_rows(admin, "steps", "from=2026-08-01&to=2026-08-31&count=cohort")
    assert tuple(alone.values()) == ("Купили мимо шагов", "0", "", "", "")
    # The stages of the report count all purchases.
    *_, payment = csv_rows(admin, "steps", IN_OCTOBER)
    assert payment["Шаг"] == "Оплата экспресс-курса"


def test_an_export_is_logged(
    admin: Client, october: LandingPages, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        csv_rows(admin, "sources", "")

    (event,) = [one for one in caplog.records if "xport" in one.getMessage()]
    assert event.getMessage() == "exported"
    assert event.__dict__["file"] == "/funnel/tables/sources.csv"
    assert event.__dict__["user_id"]


@pytest.mark.parametrize("path", ["/funnel/tables/people.csv", "/funnel/tables/sources"])
def test_an_unknown_file_is_not_found(admin: Client, path: str) -> None:
    assert admin.get(path).status_code == 404


@pytest.mark.parametrize("person", ["ayaulym@onai.test", "student@onai.test"])
def test_only_admins_get_files(as_person: SignIn, person: str) -> None:
    assert as_person(person).get("/funnel/tables/sources.csv").status_code == 403

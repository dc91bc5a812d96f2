"""The page of sources: a row a source, its verdict, and what a press on it shows."""

import re
from typing import Any

import pytest
from django.test import Client

from funnel.report import accesses
from funnel.report.accesses import Accesses
from tests.conftest import LandingPages
from tests.support.funnel_requests import API, IN_OCTOBER, PAGE, SOURCES, lead, page_text


def _write(landing: LandingPages, **bought: int) -> None:
    """Sixty leads of each source on one day, so many of which bought."""
    for source, count in bought.items():
        rows = [
            lead(3, source=source, email_sent=True, sms_clicked=number < count)
            for number in range(60)
        ]
        landing.write(*rows)


def _opened(monkeypatch: pytest.MonkeyPatch, answer: Accesses | None) -> None:
    monkeypatch.setattr(accesses, "COUNTERS", [lambda _question: answer])


def test_a_row_has_the_figures_and_one_verdict(
    admin: Client, landing: LandingPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(landing, proftest_muha=20, TF4=2, expresscourse=6)
    _opened(monkeypatch, Accesses((("proftest_muha", 7), ("TF4", 1)), not_matched=4))

    text = page_text(admin, IN_OCTOBER, SOURCES)

    assert "Муха proftest_muha 60 20 7 33,33 % 100 000 ₸ сравнить не с чем лучше" in text
    assert "Команда TF4 TF4 60 2 1 3,33 % 10 000 ₸ сравнить не с чем хуже" in text
    assert "Страница экспресс-курса expresscourse 60 6 0 10,00 % 30 000 ₸" in text
    assert "Лучше остальных: «Муха». Хуже остальных: «Команда TF4»." in text
    assert "Доступы, у которых заявка не нашлась: 4." in text


def test_without_the_database_of_students_there_is_no_column_of_accesses(
    admin: Client, landing: LandingPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(landing, proftest_muha=20, TF4=2)
    _opened(monkeypatch, None)

    text = page_text(admin, IN_OCTOBER, SOURCES)

    assert "Муха proftest_muha 60 20 33,33 % 100 000 ₸" in text
    assert "Доступы" not in text
    assert "Доступы Заявка → покупка" not in page_text(admin, IN_OCTOBER)


def test_a_verdict_is_the_same_whichever_way_is_counted(
    admin: Client, landing: LandingPages
) -> None:
    """Of all leads both sources of the test are as good; without the page of the course, which has
    no test, one would be better than the other.
    """
    _write(landing, proftest_muha=20, proftest_arystan=2, expresscourse=40, TF4=30)

    def told(query: str) -> dict[str, Any]:
        rows = admin.get(f"{API}?{IN_OCTOBER}&{query}").json()["sources"]
        return {row["source"]: row["againstOthers"] for row in rows}

    reported, cohort = told("count=reported"), told("count=cohort")

    assert set(cohort) == {"proftest_muha", "proftest_arystan"}
    assert {source: reported[source] for source in cohort} == cohort
    assert cohort["proftest_muha"]["verdict"] == "within-chance"
    page = page_text(admin, f"{IN_OCTOBER}&count=cohort", SOURCES)
    assert re.search(
        r"Муха proftest_muha 60 20 [\d ]*33,33 % 100 000 ₸ сравнить не с чем как", page
    )


def test_one_source_alone_has_no_verdict(admin: Client, landing: LandingPages) -> None:
    _write(landing, proftest_muha=20)

    text = page_text(admin, IN_OCTOBER, SOURCES).partition("Насколько это надёжно?")[0]

    assert not re.search("лучше|хуже|как все|рано судить|Явно лучших", text)


def test_sources_that_sell_alike_are_not_ranked(admin: Client, landing: LandingPages) -> None:
    _write(landing, proftest_muha=9, TF4=10)

    assert "Явно лучших и явно худших пока нет." in page_text(admin, IN_OCTOBER, SOURCES)


def test_a_long_list_of_the_best_is_shortened(admin: Client, landing: LandingPages) -> None:
    _write(landing, **{f"proftest_{name}": 50 for name in "abcde"}, TF4=0, expresscourse=0)

    text = page_text(admin, IN_OCTOBER, SOURCES)

    assert "Лучше остальных: «proftest_a», «proftest_b», «proftest_c» и ещё 2." in text


def test_a_press_on_a_source_opens_its_details_and_another_closes_them(
    admin: Client, landing: LandingPages
) -> None:
    _write(landing, proftest_muha=20, TF4=2)

    def page(query: str) -> str:
        return admin.get(f"{SOURCES}?{IN_OCTOBER}&{query}").content.decode()

    closed = page("sort=name")
    assert closed.count('aria-expanded="false"') == 2
    assert "sort=name&amp;open=proftest_muha" in closed
    opened = page("sort=name&open=proftest_muha")
    assert opened.count('aria-expanded="true"') == 1
    details = opened.partition('class="unfolded"')[2].partition("</tr>")[0]
    # Each step with its list, of this source in these days.
    lists = re.findall(r'href="(/funnel/people[^"]*)"', details)
    assert [re.findall("step=([a-z]+)", one) for one in lists] == [
        ["proftest"],
        ["express"],
        ["payment"],
    ]
    assert all("source=proftest_muha" in one and "from=2026-10-01" in one for one in lists)
    assert re.search(r'href="\?[^"]*source=proftest_muha"', details)
    # Pressed once more, or asked anything else, it is closed.
    assert re.search(r'href="\?from=2026-10-01&amp;to=2026-10-31&amp;sort=name"', opened)
    assert "open=" not in re.findall(r'href="(\?[^"]*period=7-days[^"]*)"', opened)[0]


def test_the_details_of_a_source_stay_on_their_page_of_the_table(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(*(lead(3, source=f"proftest_{number:02}") for number in range(25)))

    page = admin.get(f"{SOURCES}?{IN_OCTOBER}&page=2").content.decode()

    assert "open=proftest_24&amp;page=2" in page or "page=2&amp;open=proftest_24" in page


def test_an_unknown_source_opens_nothing(admin: Client, landing: LandingPages) -> None:
    _write(landing, TF4=2)

    answer = admin.get(f"{SOURCES}?{IN_OCTOBER}&open=nobody%00")

    assert answer.status_code == 200
    assert 'class="unfolded"' not in answer.content.decode()


def test_the_overview_has_the_same_verdict(admin: Client, landing: LandingPages) -> None:
    _write(landing, proftest_muha=20, TF4=2)

    assert "Муха proftest_muha 60 20" in page_text(admin, IN_OCTOBER, PAGE)
    assert re.search(r"Муха proftest_muha 60 20 .*?лучше", page_text(admin, IN_OCTOBER, PAGE))

"""Accesses beside the funnel's own figures: the fourth stage of the overview, and by source."""

import re
from datetime import date
from typing import Any

import pytest
from django.test import Client

from funnel.question import FunnelQuestion
from funnel.report.accesses import Accesses, accesses
from onai.periods import Period
from tests.conftest import LandingPages
from tests.support.buyers import Buyers, ago
from tests.support.desk import Desk
from tests.support.outages import tripwire_outage
from tests.support.student_rows import Sales, text_on

STAGE = "Доступ открыт По дню, когда менеджер открыл доступ. В отчёт не входит."


@pytest.fixture
def world(landing: LandingPages, desk: Desk) -> Buyers:
    return Buyers(landing, desk)


@pytest.fixture
def joined(world: Buyers, sales: Sales) -> Buyers:
    """Four accesses of now: two of Muha's, one of a lead without a source, one of nobody known."""
    world.clicked("Дана Ким", "87000000021", email="dana@onai.test", source="proftest_muha")
    world.clicked("Айя Серик", "87000000022", email="aya@onai.test", source="proftest_muha")
    world.clicked("Ару Сапарова", "87000000023", email="aru@onai.test", source=None)
    for name in ("dana", "aya", "aru", "stranger"):
        sales.add(f"{name}@onai.test", created_at=ago(minutes=5))
    world.join()
    return world


def _page_text(client: Client, path: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text_on(client.get(path))))


def _of(**question: Any) -> Accesses | None:
    return accesses(FunnelQuestion(Period.last_days(2), **question))


def test_accesses_are_of_the_source_that_brought_their_person(joined: Buyers) -> None:
    assert _of() == Accesses((("", 1), ("proftest_muha", 2)), not_matched=1)
    assert _of(sources=("proftest_muha", "TF4")) == Accesses((("proftest_muha", 2),), 0)
    assert _of(sources=("",)) == Accesses((("", 1),), 0)


def test_an_access_is_of_no_source_once_its_match_is_undone(joined: Buyers) -> None:
    joined.desk.connection.execute("update sales_student_leads set how = 'undone'")

    assert _of() == Accesses((), not_matched=4)


def test_accesses_of_other_days_and_rows_of_staff_are_not_counted(
    joined: Buyers, sales: Sales
) -> None:
    sales.add("old@onai.test", created_at=ago(days=40))
    sales.add("boss@onai.test", created_at=ago(minutes=5), user_id=sales.ids["admin"])

    found = _of()
    assert found is not None
    assert found.total == 4
    assert accesses(FunnelQuestion(Period.day(date(2020, 1, 1)))) == Accesses((), 0)


def test_the_overview_shows_accesses_apart_from_the_reported_stages(
    admin: Client, joined: Buyers
) -> None:
    assert f"4 доступа {STAGE}" in _page_text(admin, "/funnel?period=7-days")
    assert f"2 доступа {STAGE}" in _page_text(admin, "/funnel?period=7-days&source=proftest_muha")
    report = admin.get("/api/traffic-dashboard/funnel").json()
    assert [stage["id"] for stage in report["stages"]] == ["proftest", "express", "payment"]


def test_the_number_of_accesses_is_that_of_its_list(admin: Client, joined: Buyers) -> None:
    page = text_on(admin.get("/funnel?period=7-days&source=proftest_muha"))
    link = re.search(r'href="(/funnel/money/people[^"]+)"><strong>(\d+)', page)

    assert link is not None
    assert link[2] == "2"
    assert '<span class="count">2</span>' in text_on(admin.get(link[1]))


def test_a_new_access_is_on_the_overview_at_once(
    admin: Client, joined: Buyers, sales: Sales
) -> None:
    assert "4 доступа" in _page_text(admin, "/funnel")
    sales.add("late@onai.test", created_at=ago(minutes=1))

    assert "5 доступов" in _page_text(admin, "/funnel")


def test_without_tripwire_the_overview_says_that_it_cannot_show_accesses(
    admin: Client, joined: Buyers, fresh_connection: None
) -> None:
    admin.get("/funnel")
    with tripwire_outage():
        answer = admin.get("/funnel")
        text = _page_text(admin, "/funnel")

    assert answer.status_code == 200
    assert "3 покупки" in text
    assert "База студентов (Tripwire) не отвечает, поэтому число доступов сейчас не видно." in text

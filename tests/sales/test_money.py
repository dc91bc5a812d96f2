"""The page of money: its figures equal a join by hand, each cell is its list, and who may look."""

import json
import re
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sales.handoff import no_payment
from tests.conftest import LandingPages
from tests.settings import LANDING_URL
from tests.support.buyers import Buyers, ago
from tests.support.desk import Desk
from tests.support.outages import landing_outage, tripwire_outage
from tests.support.plain_money import BUYER, STUDENT, by_hand, write
from tests.support.student_changes import ADMIN, MANAGER, SignIn
from tests.support.student_rows import Sales, text_on

PAGE, API, LIST = "/funnel/money", "/api/traffic-dashboard/money", "/funnel/money/people"


@pytest.fixture
def world(landing: LandingPages, desk: Desk) -> Buyers:
    return Buyers(landing, desk)


def _text(client: Client, path: str = PAGE) -> str:
    """What is read on the page: its text without tags, single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text_on(client.get(path))))


def _file_lines(answer: Any) -> list[str]:
    content: str = b"".join(answer.streaming_content).decode("utf-8-sig")
    return content.strip().splitlines()


# --- Every figure ------------------------------------------------------------------------------


def _told(client: Client) -> dict[str, Any]:
    """The same as the API tells it."""
    told: dict[str, Any] = {}
    for by in ("source", "manager"):
        answer = json.loads(client.get(f"{API}?period=7-days&rows={by}").content)
        rows = [("all", None, answer["total"])]
        rows += [(by, row["key"], row["cells"]) for row in answer["rows"]]
        for kind, key, cells in rows:
            amounts = {
                cell: (one["count"], one["deals"] or 0, one["prices"])
                for cell, one in cells.items()
                if one["count"]
            }
            if amounts:
                told[kind if kind == "all" else f"{kind} {key}"] = amounts
    return told


@given(buyers=st.lists(BUYER, max_size=6), students=st.lists(STUDENT, max_size=6))
@settings(
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_figure_of_random_people_equals_one_by_hand(
    admin: Client, desk: Desk, sales: Sales, buyers: list[Any], students: list[Any]
) -> None:
    write(desk, sales, buyers, students)

    assert _told(admin) == by_hand(buyers, students, sales.ids)


def _lists_on(page: str) -> dict[str, int]:
    """The number at each link to a list,by the list's address."""
    links = re.findall(rf'href="({LIST}\?[^"]+)"[^>]*>(?:<strong>)?([\d\s\xa0]+)<', page)
    return {href.replace("&amp;", "&"): int(re.sub(r"\D", "", text)) for href, text in links}


@pytest.fixture
def people(world: Buyers, sales: Sales) -> Buyers:
    """Somebody in every stage, and in each gap."""
    lead = world.clicked("Дана Ким", "87000000021", email="dana@onai.test", source="TF4")
    world.chose(lead)
    world.won(1, "87000000021", amount=5000)
    world.clicked("Айя Серик", "87000000022", email="aya@onai.test", source="proftest_muha")
    world.won(2, "87000000022", amount=7000, sale_date=ago(hours=50))
    world.chose(world.lead("Ару Сапарова", "87000000023", source=None))
    sales.add("dana@onai.test", created_at=ago(minutes=5), full_name="Дана Ким", price=5000)
    sales.add("gift@onai.test", created_at=ago(minutes=4), full_name="Ержан Дар", price=0)
    world.join()
    return world


@pytest.mark.parametrize("by", ["source", "manager"])
def test_each_number_on_the_page_is_that_of_its_list(
    admin: Client, people: Buyers, by: str
) -> None:
    page = text_on(admin.get(f"{PAGE}?period=7-days&rows={by}"))
    lists = _lists_on(page)

    assert len(lists) > 15
    for href, count in lists.items():
        listed = text_on(admin.get(href))
        assert f'<span class="count">{count}</span>' in listed, href
        assert len(re.findall("Дана Ким|Айя Серик|Ару Сапарова|Ержан Дар", listed)) == count, href
        file = admin.get(href.replace(LIST, f"{LIST}.csv"))
        rows = _file_lines(file)
        assert len(rows) == 1 + count, href


def test_an_access_without_payment_is_what_the_cabinet_lists_as_one(
    admin: Client, people: Buyers
) -> None:
    text = _text(admin, f"{LIST}?cell=opened-no-payment&period=7-days")

    assert "Доступ открыт, оплаты не видно: 1" in text
    assert "Ержан Дар" in text
    assert no_payment.without_payment().count() == 1


def test_the_page_asks_as_often_for_many_rows_as_for_few(
    admin: Client, people: Buyers, sales: Sales
) -> None:
    def statements(by: str) -> int:
        with CaptureQueriesContext(connections["tripwire"]) as captured:
            assert admin.get(f"{PAGE}?rows={by}").status_code == 200
        return len(captured)

    sales.add(created_at=ago(minutes=1), granted_by=uuid4(), manager_name="Бывший")
    few = {by: statements(by) for by in ("source", "manager")}
    for number in range(30):
        people.clicked(f"Имя {number}", f"8700000{number:04}", source=f"источник {number}")
        sales.add(created_at=ago(minutes=1), granted_by=uuid4(), manager_name=f"Менеджер {number}")
    people.join()

    assert {by: statements(by) for by in few} == few
    page = admin.get(PAGE).content.decode()
    assert "Страница 1 из 2" in page
    assert len(re.findall(r"<[a-z]", page)) < 800


# --- The sentence ------------------------------------------------------------------------------


def test_the_sentence_says_what_is_missing_most(admin: Client, world: Buyers, sales: Sales) -> None:
    assert "За эти дни не было ни переходов, ни сделок, ни доступов." in _text(admin)

    world.chose(world.lead("Ару", "87000000023"))
    world.join()
    assert "1 человек выбрал, как платить, но доступа нет." in _text(admin)

    sales.add("gift@onai.test", created_at=ago(minutes=5))
    world.join()
    assert "1 доступ без видимой оплаты." in _text(admin)

    world.won(1, "87000000024", sale_date=ago(hours=51))
    world.won(2, "87000000025")
    world.join()
    text = _text(admin)
    assert "2 человека с выигранной сделкой без доступа, дольше всех ждёт 2 д 3 ч." in text


def test_the_sentence_says_that_everything_agrees(
    admin: Client, world: Buyers, sales: Sales
) -> None:
    world.clicked(email="dana@onai.test")
    world.won(1, "87000000011", amount=5000)
    sales.add("dana@onai.test", created_at=ago(minutes=5))
    world.join()

    assert "Всё сходится: у каждой сделки есть доступ, у каждого доступа — оплата." in _text(admin)


def test_whoever_was_closed_in_the_queue_is_missing_no_more(admin: Client, people: Buyers) -> None:
    assert "1 человек с выигранной сделкой без доступа, ждёт 2 д 2 ч." in _text(admin)
    people.desk.connection.execute(
        "update sales_buyers set closed_at = now(), closed_reason = 'refund', waiting_since = null"
        " where name = 'Айя Серик'"
    )

    text = _text(admin)

    assert "1 закрыты без доступа 7 000 ₸" in text
    assert "1 доступ без видимой оплаты." in text


# --- The question ------------------------------------------------------------------------------


def test_the_question_is_kept_from_page_to_page(admin: Client, people: Buyers) -> None:
    page = text_on(admin.get(f"{PAGE}?period=7-days&compare=last-month&source=TF4"))

    assert 'href="/funnel/sources?period=7-days&compare=last-month&source=TF4"' in page
    assert f'href="{PAGE}?period=7-days&compare=last-month&source=TF4"' in page
    overview = text_on(admin.get("/funnel?period=7-days"))
    assert f'href="{PAGE}?period=7-days"' in overview


def test_the_chosen_sources_are_all_that_is_counted(admin: Client, people: Buyers) -> None:
    total = json.loads(admin.get(f"{API}?period=7-days&source=TF4").content)["total"]

    assert {cell: total[cell]["count"] for cell in ("clicked", "won", "opened")} == {
        "clicked": 1,
        "won": 1,
        "opened": 1,
    }
    assert total["won-access"] == {"count": 1, "deals": 5000, "prices": 5000}


def test_the_stages_are_compared_with_the_days_before(
    admin: Client, world: Buyers, sales: Sales
) -> None:
    for number, days in enumerate((1, 1, 1, 8, 8)):
        sales.add(created_at=ago(days=days, minutes=number))

    found = json.loads(admin.get(f"{API}?period=7-days").content)

    assert (found["total"]["opened"]["count"], found["before"]["opened"]["count"]) == (3, 2)
    assert "+50 % к прошлым 7 дням" in _text(admin, f"{PAGE}?period=7-days")


def test_a_wrong_address_is_refused_in_words(admin: Client, people: Buyers) -> None:
    page = admin.get(f"{PAGE}?rows=moon")
    assert page.status_code == 400
    assert "по источникам (source) или по менеджерам (manager)" in text_on(page)
    assert json.loads(admin.get(f"{API}?rows=moon").content)["code"] == "invalid_input"
    for wrong in ("cell=moon", "manager=moon", "unmatched=2", "after=moon"):
        assert admin.get(f"{LIST}?{wrong}").status_code == 400, wrong


def test_the_file_has_every_cell_of_every_row(admin: Client, people: Buyers) -> None:
    file = admin.get(f"{PAGE}.csv?period=7-days")

    titles, *rows = (line.split(";") for line in _file_lines(file))
    assert titles[:3] == ["Источник", "Перешли по ссылке", "Перешли по ссылке: сделки, ₸"]
    found = {row[0]: dict(zip(titles, row, strict=True)) for row in rows}
    assert found["Муха"]["Сделка выиграна, доступа нет: сделки, ₸"] == "7000"
    assert found["Заявка не найдена"]["Доступ открыт, оплаты не видно"] == "1"


# --- Who may look, and outages -----------------------------------------------------------------


@pytest.mark.parametrize("path", [PAGE, API, LIST, f"{PAGE}.csv", f"{LIST}.csv"])
def test_only_admins_may_look(client: Client, as_person: SignIn, desk: Desk, path: str) -> None:
    assert client.get(path).status_code == (401 if path == API else 302)
    for email in (MANAGER, "student@onai.test"):
        assert as_person(email).get(path).status_code == 403
    assert as_person(ADMIN).get(path).status_code == 200


def test_without_landing_the_page_shows_what_was_read_last(
    admin: Client, sold: Any, desk: Desk, sales: Sales
) -> None:
    with psycopg.connect(LANDING_URL, autocommit=True) as connection:
        world = Buyers(LandingPages(connection), desk)
        world.clicked("Дана Ким", email="dana@onai.test")
        sales.add("dana@onai.test", created_at=ago(minutes=5))
        world.join()
    with landing_outage():
        text, listed = _text(admin), _text(admin, f"{LIST}?cell=clicked")

    assert "База заявок (Landing) не отвечает. Переходы, выборы оплаты и сделки — на" in text
    assert "Доступ открыт 1" in text
    assert "Дана Ким" in listed


def test_without_tripwire_the_page_shows_the_report_and_says_what_it_cannot(
    admin: Client, world: Buyers, fresh_connection: None
) -> None:
    world.clicked()
    admin.get(PAGE)
    with tripwire_outage():
        text, listed = _text(admin), _text(admin, LIST)

    assert "База студентов (Tripwire) не отвечает, поэтому сверки сейчас нет." in text
    assert "В отчёте за эти дни: 1 покупка, 5 000 ₸." in text
    assert "База студентов (Tripwire) не отвечает, поэтому списка сейчас нет." in listed

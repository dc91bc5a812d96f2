"""The list of persons with more than one purchase."""

import logging
import pickle
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.db import close_old_connections, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from funnel.people import duplicates
from funnel.people.duplicates import RepeatBuyer, all_duplicates, page_of_duplicates
from tests.conftest import LandingPages
from tests.support.lead_rows import (
    ALMATY,
    DAYS,
    INSIDE,
    PERIOD,
    Row,
    bought_by,
    lines_of,
    random_leads,
    text_of,
    write,
)
from tests.support.outages import landing_outage
from tests.support.plain_funnel import persons

PAGE, FILE = "/funnel/duplicates", "/funnel/duplicates.csv"
API = "/api/traffic-dashboard/duplicates"
SOME_SOURCES = ("proftest_kenesary", "proftest_arystan", "expresscourse")
SignIn = Callable[[str], Client]


def _named(buyers: Any, rows: list[Row]) -> set[frozenset[UUID]]:
    """Each person as the set of ids of their rows, looked up by name."""
    ids = {row["name"]: row["id"] for row in rows}
    return {frozenset(ids[purchase.name] for purchase in buyer.rows) for buyer in buyers}


def _by_hand(rows: list[Row], sources: tuple[str, ...] = ()) -> set[frozenset[UUID]]:
    inside = [row for row in rows if PERIOD.start <= row["created_at"] < PERIOD.end]
    bought = [row for row in inside if row["sms_clicked"]]
    return set(
        map(
            frozenset,
            persons([row for row in bought if not sources or (row["source"] or "") in sources]),
        )
    )


@pytest.mark.parametrize(("count", "people"), [(6_000, 4_000), (4_000, 600), (500, 40)])
def test_duplicates_match_a_count_by_hand(landing: LandingPages, count: int, people: int) -> None:
    dice = random.Random(count)
    rows = random_leads(dice, PERIOD, count, people=people)
    for number, row in enumerate(rows):
        row["name"] = f"row {number}"
        # A phone of one person with an e-mail of another makes a chain.
        if dice.random() < 0.1:
            row["email"] = f"lead{dice.randrange(people)}@onai.test"
    write(landing, rows)

    found = list(all_duplicates(PERIOD))

    assert _named(found, rows) == _by_hand(rows)
    assert all(buyer.purchases == len(buyer.rows) > 1 for buyer in found)
    order = [(-buyer.purchases, -buyer.rows[0].created_at.timestamp()) for buyer in found]
    assert order == sorted(order)
    page = page_of_duplicates(PERIOD)
    assert page.persons == len(found)
    assert page.purchases == sum(buyer.purchases for buyer in found)
    for sources in (("TF4",), ("", "proftest"), ("<b>\"'%_", " "), ("nobody",), SOME_SOURCES):
        of_these = _by_hand(rows, sources)
        assert _named(all_duplicates(PERIOD, sources=sources), rows) == of_these, sources
        assert page_of_duplicates(PERIOD, sources=sources).persons == len(of_these)
    assert len(of_these) > 5, "a list that small shows little"


@pytest.mark.parametrize("in_order", [True, False])
def test_a_chain_of_shared_contacts_of_any_length_is_one_person(
    landing: LandingPages, in_order: bool
) -> None:
    """Each purchase shares its phone with the one before and its e-mail with the one after."""
    rows = [
        {
            **dict.fromkeys(("source", "email_sent", "email_sent_at", "email_opened_at")),
            **dict.fromkeys(("email_clicked", "email_clicked_at", "sms_sent", "sms_sent_at")),
            **bought_by(f"8700{number // 2:07d}", f"{(number + 1) // 2}@onai.test"),
            "id": UUID(int=number, version=4) if in_order else uuid4(),
            "sms_clicked_at": None,
        }
        for number in range(3_000)
    ]
    write(landing, rows)

    (buyer,) = all_duplicates(PERIOD)

    assert buyer.purchases == len(buyer.rows) == 3_000
    assert (buyer.same_phone, buyer.same_email) == (True, True)


def test_one_phone_or_email_in_any_spelling_is_one_person(landing: LandingPages) -> None:
    landing.write(
        bought_by("+7 700 000-45-67", "dana@onai.test", name="a1"),
        bought_by("87000004567", None, name="a2"),
        bought_by("нет", " DANA@onai.test ", name="a3"),
        bought_by("87000000001", "", name="b1"),
        bought_by("87000000002", "", name="c1"),
        bought_by("", None, name="d1"),
        bought_by("", None, name="d2"),
        bought_by("87000000001", sms_clicked=None, name="no purchase"),
        bought_by("87000000001", created_at=PERIOD.end, name="another day"),
    )

    (buyer,) = page_of_duplicates(PERIOD).buyers

    assert {purchase.name for purchase in buyer.rows} == {"a1", "a2", "a3"}
    assert (buyer.same_phone, buyer.same_email) == (True, True)


def test_a_full_last_page_has_no_next_page(
    landing: LandingPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "PAGE", 1)
    for phone in ("87000000001", "87000000002"):
        landing.write(bought_by(phone), bought_by(phone))

    assert page_of_duplicates(PERIOD, number=1).following == 2
    assert page_of_duplicates(PERIOD, number=2).following is None


def test_pages_hold_every_person_and_shorten_a_long_list_of_purchases(
    admin: Client, landing: LandingPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "PAGE", 3)
    monkeypatch.setattr(duplicates, "SHOWN_OF_ONE", 4)
    for number in range(7):
        for day in range(number + 2):
            at = INSIDE - timedelta(days=day)
            landing.write(bought_by(f"8700000000{number}", name=f"{number}", created_at=at))
    buyers: list[RepeatBuyer] = []
    following: int | None = 1
    while following:
        page = page_of_duplicates(PERIOD, number=following)
        buyers += page.buyers
        following = page.following

    assert [(buyer.purchases, len(buyer.rows)) for buyer in buyers] == [
        *((8, 4), (7, 4), (6, 4), (5, 4), (4, 4), (3, 3), (2, 2))
    ]
    assert (page.persons, page.purchases, page.number) == (7, 35, 3)
    assert [purchase.created_at for purchase in buyers[0].rows] == [
        INSIDE - timedelta(days=day) for day in range(4)
    ]
    first = admin.get(PAGE, DAYS)
    assert "7 человек, 35 покупок" in text_of(first)
    assert "Здесь не все: ещё 5 — в файле CSV." in text_of(first)
    assert 'href="?from=2026-10-01&amp;to=2026-10-31&amp;page=2"' in first.content.decode()
    assert "Дальше никого нет." in text_of(admin.get(PAGE, {**DAYS, "page": "9"}))


def test_the_page_shows_each_person_with_their_rows(admin: Client, landing: LandingPages) -> None:
    landing.write(
        bought_by("+7 700 000-45-67", "dana@onai.test", source="proftest_a"),
        bought_by("87000004567", name="<b>Дана</b>", sms_clicked_at=INSIDE + timedelta(hours=1)),
    )

    answer = admin.get(PAGE, DAYS)
    text = text_of(answer)

    assert "1 человек, 2 покупки" in text
    assert "Повторяется телефон." in text
    assert "proftest_a 8 700 000 45 67 WhatsApp dana@onai.test заявка 10 октября, 12:00" in text
    assert "Без источника 8 700 000 45 67 WhatsApp без почты заявка 10 октября, 12:00" in text
    assert "покупка 13:00" in text
    assert "покупка, время неизвестно" in text
    assert answer.content.decode().count('href="tel:+77000004567"') == 2
    assert "<b>Дана</b>" not in answer.content.decode()


def test_the_page_says_that_nobody_bought_twice(admin: Client, landing: LandingPages) -> None:
    landing.write(bought_by("87000004567"), bought_by("87000004568"))

    text = text_of(admin.get(PAGE, DAYS))
    counted = "2 покупки, 2 разных телефона, 0 разных адресов почты, без почты — 2"
    assert f"Дублей нет: {counted}." in text
    assert "За эти дни никто не купил дважды." in text


def test_the_api_and_the_file_agree(admin: Client, landing: LandingPages) -> None:
    landing.write(
        bought_by("87000004567", "dana@onai.test", source="proftest_arystan", name="=1"),
        bought_by("7000004567", created_at=INSIDE - timedelta(days=1), sms_clicked_at=INSIDE),
    )

    body = admin.get(API, DAYS).json()
    answer: Any = admin.get(FILE, DAYS)
    lines = lines_of(answer)

    assert body.pop("timestamp")
    assert body == {
        "success": True,
        "sources": [],
        "period": DAYS,
        "persons": 1,
        "purchases": 2,
        "buyers": [
            {
                "purchases": 2,
                "samePhone": True,
                "sameEmail": False,
                "rows": [
                    {
                        "name": "=1",
                        "phone": "87000004567",
                        "email": "dana@onai.test",
                        "source": "proftest_arystan",
                        "createdAt": "2026-10-10T07:00:00.000Z",
                        "boughtAt": None,
                    },
                    {
                        "name": "Дана Ким",
                        "phone": "7000004567",
                        "email": None,
                        "source": None,
                        "createdAt": "2026-10-09T07:00:00.000Z",
                        "boughtAt": "2026-10-10T07:00:00.000Z",
                    },
                ],
            }
        ],
        "next": None,
    }
    at = "10.10.2026 12:00"
    phone, source = "8 700 000 45 67", "proftest_arystan"
    assert lines[1:] == [
        ["1", "2", "'=1", phone, "dana@onai.test", "Арыстан", source, at, "время неизвестно"],
        ["1", "2", "Дана Ким", phone, "", "Без источника", "", "09.10.2026 12:00", at],
    ]
    name = "duplicates-2026-10-01_2026-10-31.csv"
    assert f'filename="{name}"' in answer["Content-Disposition"]


def test_a_page_takes_two_queries_for_any_number_of_rows(landing: LandingPages) -> None:
    write(landing, random_leads(random.Random(1), PERIOD, 2_000, people=300))

    with CaptureQueriesContext(connections["landing"]) as captured:
        page_of_duplicates(PERIOD)

    # One query for the persons, one for the rows of this page.
    assert len(captured) == 2


def test_a_page_asked_for_again_reads_the_contacts_alone(landing: LandingPages) -> None:
    landing.write(*(bought_by("+7 700 000-45-67", None, name="Дана") for _ in range(2)))
    (before,) = page_of_duplicates(PERIOD).buyers
    landing.connection.execute("update landing_leads set name = 'Дана Ким', phone = '87000004568'")

    with CaptureQueriesContext(connections["landing"]) as captured:
        (buyer,) = page_of_duplicates(PERIOD).buyers

    assert len(captured) == 1
    assert [one.name for one in before.rows] == ["Дана", "Дана"]
    assert [(one.name, one.phone) for one in buyer.rows] == [("Дана Ким", "87000004568")] * 2


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999"])
def test_an_invalid_page_number_is_reported(
    admin: Client, landing: LandingPages, page: str
) -> None:
    assert admin.get(PAGE, {"page": page}).status_code == 400
    answer = admin.get(API, {"page": page})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert answer.json()["fields"] == {"page": "Такой страницы нет."}


@pytest.mark.parametrize("path", [PAGE, FILE, API])
def test_only_admins_see_duplicates(landing: LandingPages, as_person: SignIn, path: str) -> None:
    for email in ("ayaulym@onai.test", "student@onai.test"):
        assert as_person(email).get(path, DAYS).status_code == 403
    assert Client().get(path, DAYS).status_code == (401 if path == API else 302)
    assert "no-store" in as_person("admin@onai.test").get(path, DAYS)["Cache-Control"]


def test_no_phone_or_email_is_cached(admin: Client, landing: LandingPages) -> None:
    for _ in range(2):
        landing.write(
            bought_by("+7 700 000-45-67", "dana@onai.test", created_at=datetime.now(ALMATY))
        )
    for path in ("/funnel", PAGE, FILE, API):
        answer = admin.get(path)
        assert b"".join(answer) if answer.streaming else answer.content

    kept = "".join(
        str(pickle.loads(value))
        for value in cache._cache.values()  # type: ignore[attr-defined]
    )

    assert '"purchases"' in kept, "nothing is cached at all"
    for secret in ("77000004567", "000-45-67", "dana@onai.test", "Дана"):
        assert secret not in kept


def test_an_export_is_logged(
    admin: Client, landing: LandingPages, caplog: pytest.LogCaptureFixture
) -> None:
    landing.write(*(bought_by("87000004567") for _ in range(3)))
    caplog.set_level(logging.INFO)

    answer: Any = admin.get(FILE, DAYS)
    b"".join(answer)

    ended = caplog.records[-1]
    assert ended.getMessage() == "exported"
    assert (ended.rows, ended.complete) == (3, True)  # type: ignore[attr-defined]
    assert UUID(ended.user_id)  # type: ignore[attr-defined]


def test_without_the_landing_database_the_list_answers_503(admin: Client) -> None:
    with landing_outage():
        close_old_connections()
        assert [admin.get(path).status_code for path in (PAGE, API, FILE)] == [503] * 3

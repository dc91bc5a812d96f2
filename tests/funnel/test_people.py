"""The lists of people in a step of the funnel and lost at it: page, CSV file and JSON."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from funnel.people import listing
from funnel.people.listing import PeopleFilter, everybody, page_of_people
from funnel.question import FunnelQuestion
from funnel.report.answers import answers
from funnel.stages import FIRST_STAGES, Counting, StageId
from onai.web import paging
from tests.conftest import LandingPages
from tests.support.lead_rows import ALMATY, DAYS, PERIOD, Row, lead, lines_of, many, write
from tests.support.plain_funnel import is_in_step

PAGE, FILE, API = "/funnel/people", "/funnel/people.csv", "/api/traffic-dashboard/people"

LISTS = [
    (step, lost)
    for step in StageId
    for lost in (False, True)
    if not (lost and step in FIRST_STAGES)
]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return many()


def _names(client: Client, **query: Any) -> list[str]:
    body = client.get(API, {**DAYS, "step": "proftest", **query}).json()
    assert body["success"], body
    return [one["name"] for one in body["people"]]


# --- The contents of the lists -----------------------------------------------------------------


def _expected(rows: list[Row], step: StageId, *, lost: bool) -> list[UUID]:
    inside = [row for row in rows if PERIOD.start <= row["created_at"] < PERIOD.end]
    there = [row for row in inside if is_in_step(row, step, lost=lost)]
    there.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
    return [row["id"] for row in there]


def test_every_list_matches_a_filter_by_hand_newest_first(
    landing: LandingPages, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_BATCH", 700)
    write(landing, rows)

    for step, lost in LISTS:
        expected = _expected(rows, step, lost=lost)
        found = everybody(PeopleFilter(PERIOD, step, lost))
        assert [one.id for one in found] == expected, (step, lost)
        page = page_of_people(PeopleFilter(PERIOD, step, lost))
        assert [one.id for one in page.rows] == expected[: listing.PAGE]
        assert page.count == min(len(expected), paging.COUNTED_AT_MOST)
        assert page.there_are_more == (len(expected) > paging.COUNTED_AT_MOST)
        assert len(expected) > 30, "a list that small shows little"


def test_the_pages_hold_every_person_once_and_in_order(
    landing: LandingPages, rows: list[Row]
) -> None:
    write(landing, rows)
    wanted = PeopleFilter(PERIOD, StageId.CLICKED, lost=True)
    seen: list[UUID] = []
    after = ""
    while True:
        page = page_of_people(wanted, after=after)
        seen += [one.id for one in page.rows]
        if page.following is None:
            break
        after = page.following

    assert seen == _expected(rows, StageId.CLICKED, lost=True)
    assert page.count == len(seen)


def test_a_person_has_the_contacts_and_events_of_their_row(
    landing: LandingPages, rows: list[Row]
) -> None:
    write(landing, rows)
    by_id = {row["id"]: row for row in rows}

    for one in everybody(PeopleFilter(PERIOD, StageId.EXPRESS)):
        row = by_id[one.id]
        assert (one.name, one.phone, one.created_at) == (
            row["name"],
            row["phone"],
            row["created_at"],
        )
        assert (one.email, one.source) == (row["email"] or "", row["source"] or "")
        for event, flag in (
            (one.emailed, "email_sent"),
            (one.clicked, "email_clicked"),
            (one.texted, "sms_sent"),
            (one.bought, "sms_clicked"),
        ):
            assert event.happened == bool(row[flag])
            assert event.at == (row[f"{flag}_at"] if row[flag] else None)
        assert one.opened.happened == bool(row["email_opened_at"] or row["email_clicked"])
        assert one.opened.at == row["email_opened_at"]


def test_sources_match_exactly_and_an_empty_one_means_no_source(
    admin: Client, landing: LandingPages, rows: list[Row]
) -> None:
    write(landing, rows)
    for chosen in (("TF4",), ("",), ("", " "), ("<b>\"'%_", "proftest"), ("nobody",)):
        found = everybody(PeopleFilter(PERIOD, StageId.PAYMENT, sources=chosen))
        expected = [
            pk
            for pk, source in ((row["id"], row["source"]) for row in rows)
            if (source or "") in chosen
        ]
        bought = set(_expected(rows, StageId.PAYMENT, lost=False))
        assert {one.id for one in found} == bought & set(expected)
    body = admin.get(API, {**DAYS, "step": "payment", "source": ["", "TF4"]}).json()
    assert {one["source"] for one in body["people"]} == {None, "TF4"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("әЙГЕР", True),
        ("нұРЛАНҚ", True),
        ("нұрлан әйг", True),
        ("AIGERIM@mail", True),
        ("онай", False),
        ("әйгерім дана", False),
        ("ә", True),
        ("100%", False),
        ("_", False),
        ("+7 700 000-45-67", True),
        ("8(700)0004567", True),
        ("7000004567", True),
        ("007 700 000 45 67", True),
        ("8700000", True),
        ("+7 700 0", True),
        ("45-67", True),
        ("4567", True),
        ("8 701", False),
        ("45 68", False),
        ("әйгерім 8 700 000", True),
        ("әйгерім +7 701 000", False),
    ],
)
def test_search_matches_any_part_of_a_name_email_or_phone(
    admin: Client, landing: LandingPages, text: str, found: bool
) -> None:
    person = lead(name="Әйгерім Нұрланқызы", email="Aigerim@Mail.kz")
    landing.write({**person, "phone": "+7 (700) 000-45-67"})
    landing.write({**person, "phone": "87000004567"})
    landing.write({**person, "phone": "7000004567"})
    landing.write(lead(name="Кто-то Другой", phone="+7 777 111-22-33", email=None))

    assert len(_names(admin, q=text)) == (3 if found else 0)


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Қайрат", "кайрат"),
        ("Өмірбек", "омирбек"),
        ("ҒҰНИ ҺӘМ ҮҢГІР", "гуни хам унгир"),
        ("Пётр", "петр"),
        ("Петр", "ПЁТР"),
        ("Каиргали", "Қаирғали"),
    ],
)
def test_search_with_russian_letters_finds_kazakh_names(
    admin: Client, landing: LandingPages, written: str, typed: str
) -> None:
    landing.write(lead(name=written, email=f"{written.split(maxsplit=1)[0]}@onai.test"), lead())

    assert _names(admin, q=typed) == [written]
    assert _names(admin, q=written) == [written]
    assert _names(admin, q=f"{typed.split(maxsplit=1)[0]}@onai.test") == [written]


def test_a_search_for_the_country_prefix_alone_matches_its_digit_anywhere(
    admin: Client, landing: LandingPages
) -> None:
    for phone in ("87000004567", "+7 700 000-45-67", "нет"):
        landing.write(lead(name=phone, phone=phone, email=None))

    assert _names(admin, q="8") == ["87000004567"]
    assert sorted(_names(admin, q="+7")) == ["+7 700 000-45-67", "87000004567"]


# Phones whose operator code begins with the digits of the country prefix; the sixth has its sevens
# at the end.
_SEVENS = (
    *("+7 777 000-11-22", "8 (777) 000 11 22", "7770001122", "007 777 000 11 22"),
    *("+7 770 100-00-44", "8 701 000 77 70", "+7 700 000-45-67", "0012", "800 12 34"),
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # A part of the phone as written, wherever it stands.
        ("777", [*_SEVENS[:6]]),
        ("77700", [*_SEVENS[:4]]),
        ("777-00", [*_SEVENS[:4]]),
        ("77 70", [*_SEVENS[:6]]),
        ("70 00", ["+7 777 000-11-22", *_SEVENS[1:4], "+7 700 000-45-67"]),
        # A country prefix and first digits match phones with any prefix or with none.
        ("+7 777", [*_SEVENS[:4]]),
        ("8 777", [*_SEVENS[:4]]),
        ("007 777 0", [*_SEVENS[:4]]),
        ("7777000", [*_SEVENS[:4]]),
        ("8 770", ["+7 770 100-00-44"]),
        ("8 701", ["8 701 000 77 70"]),
        # A prefix counts only before a whole local number, and these phones have none.
        ("8 80", []),
        ("8 00", ["800 12 34"]),
    ],
)
def test_the_country_prefix_is_not_mistaken_for_the_operator_code(
    admin: Client, landing: LandingPages, text: str, found: list[str]
) -> None:
    landing.write(*(lead(phone=phone, email=None) for phone in _SEVENS))

    body = admin.get(API, {**DAYS, "step": "proftest", "q": text}).json()

    assert sorted(one["phone"] for one in body["people"]) == sorted(found)


def test_search_ignores_the_extension_of_a_phone(admin: Client, landing: LandingPages) -> None:
    landing.write(lead(phone="8 700 000 45 67 доб. 12"))

    for text in ("+7 700 000 45 67", "8 700 000 45 67", "7000004567"):
        assert _names(admin, q=text) == ["Дана Ким"]


@pytest.mark.parametrize("text", ["%", "\\", "'", '"', "$$", "%s", "{0}", "(", "+", "İ", "ß"])
def test_special_characters_in_a_search_match_only_themselves(
    admin: Client, landing: LandingPages, text: str
) -> None:
    landing.write(lead(name=f"x {text} y"), lead())

    assert _names(admin, q=text) == [f"x {text} y"]


# --- The API and the CSV file ------------------------------------------------------------------


def test_the_api_returns_contacts_and_events_of_each_person(
    admin: Client, landing: LandingPages
) -> None:
    sent = datetime(2026, 10, 10, 12, 5, tzinfo=ALMATY)
    phone = "+7 700 000-45-67"
    landing.write(lead(phone=phone, email=None, email_sent=True, email_sent_at=sent))

    body = admin.get(API, {**DAYS, "step": "payment", "lost": "1"}).json()

    assert datetime.fromisoformat(body.pop("timestamp"))
    (person,) = body.pop("people")
    assert body == {
        "success": True,
        "step": "payment",
        "lost": True,
        "sources": [],
        "period": DAYS,
        "count": 1,
        "thereAreMore": False,
        "next": None,
    }
    assert UUID(person.pop("id"))
    nothing = {"happened": False, "at": None}
    assert person == {
        "name": "Дана Ким",
        "phone": "+7 700 000-45-67",
        "email": None,
        "source": "proftest_a",
        "createdAt": "2026-10-10T07:00:00.000Z",
        "emailed": {"happened": True, "at": "2026-10-10T07:05:00.000Z"},
        "opened": nothing,
        "clicked": nothing,
        "sms": nothing,
        "bought": nothing,
    }


def test_the_pages_of_the_api_hold_every_person_once_and_in_order(
    admin: Client, landing: LandingPages, rows: list[Row]
) -> None:
    write(landing, rows[:500])
    query: dict[str, Any] = {**DAYS, "step": "clicked"}
    seen: list[str] = []
    while True:
        body = admin.get(API, query).json()
        seen += [one["id"] for one in body["people"]]
        if body["next"] is None:
            break
        query["after"] = body["next"]

    assert seen == [str(pk) for pk in _expected(rows[:500], StageId.CLICKED, lost=False)]


def test_the_csv_file_holds_exactly_the_filtered_people(
    admin: Client, landing: LandingPages, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_BATCH", 100)
    write(landing, rows)
    query = {**DAYS, "step": "messaged", "lost": "1", "q": "ким", "source": "proftest_kenesary"}

    answer = admin.get(FILE, query)
    head, *lines = lines_of(answer)

    expected = set(_expected(rows, StageId.MESSAGED, lost=True))
    names = [
        row
        for row in rows
        if row["id"] in expected
        and row["source"] == "proftest_kenesary"
        and row["name"] == "ДАНА КИМ"
    ]
    name = "people-messaged-lost-2026-10-01_2026-10-31.csv"
    assert f'filename="{name}"' in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    assert head[:5] == ["Имя", "Телефон", "Почта", "Источник", "Как записан"]
    assert len(lines) == len(names) > 5
    assert {tuple(line[3:5]) for line in lines} == {("Кенесары", "proftest_kenesary")}
    assert sorted(line[2] for line in lines) == sorted(row["email"] or "" for row in names)


def test_the_csv_file_escapes_spreadsheet_formulas(admin: Client, landing: LandingPages) -> None:
    landing.write(lead(name="=HYPERLINK(1)", email="@cmd", source="proftest;\n=1", phone="=1+1"))

    _, line = lines_of(admin.get(FILE, {**DAYS, "step": "proftest"}))

    assert line[:3] == ["'=HYPERLINK(1)", "'=1+1", "'@cmd"]
    assert line[3:6] == ["proftest;\n'=1", "proftest;\n'=1", "10.10.2026 12:00"]


@pytest.mark.parametrize(
    ("written", "in_the_file"),
    [
        ("+7 (700) 000-45-67", "8 700 000 45 67"),
        ("87000004567", "8 700 000 45 67"),
        ("7000004567", "8 700 000 45 67"),
        ("007 700 000 45 67", "8 700 000 45 67"),
        ("+49 30 1234567", "'+49 30 1234567"),
        ("8 700 000 45 67 доб. 1", "8 700 000 45 67 доб. 1"),
        ("нет", "нет"),
        ("", ""),
    ],
)
def test_the_csv_file_writes_phones_ready_to_dial(
    admin: Client, landing: LandingPages, written: str, in_the_file: str
) -> None:
    landing.write(lead(phone=written))

    _, line = lines_of(admin.get(FILE, {**DAYS, "step": "proftest"}))

    assert line[1] == in_the_file
    assert admin.get(API, {**DAYS, "step": "proftest"}).json()["people"][0]["phone"] == written


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    admin: Client, landing: LandingPages, rows: list[Row]
) -> None:
    def statements() -> int:
        cache.clear()
        with CaptureQueriesContext(connections["landing"]) as captured:
            query = {**DAYS, "step": "payment", "q": "a", "source": "TF4", "period": "all"}
            assert admin.get(PAGE, query).status_code == 200
        return len(captured)

    assert statements() <= 3
    write(landing, rows)
    assert statements() <= 3


@pytest.mark.parametrize("counting", list(Counting))
def test_each_list_is_as_long_as_the_funnel_counts(
    landing: LandingPages, rows: list[Row], counting: Counting
) -> None:
    write(landing, rows)
    question = FunnelQuestion(PERIOD, counting=counting)
    for step in answers(question, ()).funnel.steps:
        wanted = PeopleFilter(PERIOD, step.id)
        assert len(list(everybody(wanted))) == step.reached.now

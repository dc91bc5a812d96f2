"""Who is in a step of the funnel, and who was lost at it: as a page, as a file, as JSON."""

import csv
import io
import logging
import pickle
import random
import re
from collections.abc import Callable
from datetime import date, datetime
from html import unescape
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.db import close_old_connections, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from funnel import people
from funnel.people import PeopleFilter, everybody, page_of_people
from funnel.steps import FIRST_STEPS, STEP_WORDING, Step
from onai import paging, postgres
from onai.periods import Period
from tests.browser import complaints_of, sign_in
from tests.conftest import LandingPages
from tests.counting import is_in_step
from tests.crowd import crowd, write
from tests.outages import landing_outage

ALMATY = ZoneInfo("Asia/Almaty")
PERIOD = Period(date(2026, 10, 1), date(2026, 10, 31))
INSIDE = datetime(2026, 10, 10, 12, tzinfo=ALMATY)
DAYS = {"from": "2026-10-01", "to": "2026-10-31"}
PAGE, FILE, API = "/funnel/people", "/funnel/people.csv", "/api/traffic-dashboard/people"
Row = dict[str, Any]
SignIn = Callable[[str], Client]

LISTS = [
    (step, lost) for step in Step for lost in (False, True) if not (lost and step in FIRST_STEPS)
]


def _lead(**columns: Any) -> Row:
    return {"name": "Дана Ким", "source": "proftest_a", "created_at": INSIDE, **columns}


def _text(answer: Any) -> str:
    bare = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(bare).replace("\N{NO-BREAK SPACE}", " "))


def _names(client: Client, **query: Any) -> list[str]:
    body = client.get(API, {**DAYS, "step": "proftest", **query}).json()
    assert body["success"], body
    return [one["name"] for one in body["people"]]


def _file(answer: Any) -> list[list[str]]:
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    answer.close()
    return list(csv.reader(io.StringIO(body), delimiter=";"))


# --- Who is in the lists -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return crowd(random.Random(11), PERIOD, 6_000, people=900)


def _expected(rows: list[Row], step: Step, *, lost: bool) -> list[UUID]:
    inside = [row for row in rows if PERIOD.start <= row["created_at"] < PERIOD.end]
    there = [row for row in inside if is_in_step(row, step, lost=lost)]
    there.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
    return [row["id"] for row in there]


def test_every_list_holds_whom_one_finds_by_hand_newest_first(
    landing: LandingPages, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "_BATCH", 700)
    write(landing, rows)

    for step, lost in LISTS:
        expected = _expected(rows, step, lost=lost)
        found = everybody(PeopleFilter(PERIOD, step, lost))
        assert [one.id for one in found] == expected, (step, lost)
        page = page_of_people(PeopleFilter(PERIOD, step, lost))
        assert [one.id for one in page.people] == expected[: people.PAGE]
        assert page.count == min(len(expected), people.COUNTED_AT_MOST)
        assert page.there_are_more == (len(expected) > people.COUNTED_AT_MOST)
        assert len(expected) > 30, "a list that small shows little"


def test_the_pages_together_are_the_list(landing: LandingPages, rows: list[Row]) -> None:
    write(landing, rows)
    wanted = PeopleFilter(PERIOD, Step.CLICKED, lost=True)
    seen: list[UUID] = []
    after = ""
    while True:
        page = page_of_people(wanted, after=after)
        seen += [one.id for one in page.people]
        if page.following is None:
            break
        after = page.following

    assert seen == _expected(rows, Step.CLICKED, lost=True)
    assert page.count == len(seen)


def test_what_a_person_did_is_told_as_the_row_has_it(
    landing: LandingPages, rows: list[Row]
) -> None:
    write(landing, rows)
    by_id = {row["id"]: row for row in rows}

    for one in everybody(PeopleFilter(PERIOD, Step.EXPRESS)):
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


def test_sources_are_exact_and_none_is_one_of_them(
    admin: Client, landing: LandingPages, rows: list[Row]
) -> None:
    write(landing, rows)
    for chosen in (("TF4",), ("",), ("", " "), ("<b>\"'%_", "proftest"), ("nobody",)):
        found = everybody(PeopleFilter(PERIOD, Step.PAYMENT, sources=chosen))
        expected = [
            pk
            for pk, source in ((row["id"], row["source"]) for row in rows)
            if (source or "") in chosen
        ]
        bought = set(_expected(rows, Step.PAYMENT, lost=False))
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
def test_one_finds_people_by_any_part_in_any_spelling(
    admin: Client, landing: LandingPages, text: str, found: bool
) -> None:
    person = _lead(name="Әйгерім Нұрланқызы", email="Aigerim@Mail.kz")
    landing.write({**person, "phone": "+7 (700) 000-45-67"})
    landing.write({**person, "phone": "87000004567"})
    landing.write({**person, "phone": "7000004567"})
    landing.write(_lead(name="Кто-то Другой", phone="+7 777 111-22-33", email=None))

    assert len(_names(admin, q=text)) == (3 if found else 0)


def test_a_phone_with_an_extension_is_found_by_its_number(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(_lead(phone="8 700 000 45 67 доб. 12"))

    for text in ("+7 700 000 45 67", "8 700 000 45 67", "7000004567"):
        assert _names(admin, q=text) == ["Дана Ким"]


@pytest.mark.parametrize("text", ["%", "\\", "'", '"', "$$", "%s", "{0}", "(", "+", "İ", "ß"])
def test_signs_in_a_search_are_only_signs(admin: Client, landing: LandingPages, text: str) -> None:
    landing.write(_lead(name=f"x {text} y"), _lead())

    assert _names(admin, q=text) == [f"x {text} y"]


# --- The page ----------------------------------------------------------------------------------


def test_the_page_tells_who_they_are_and_what_they_did(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(
        _lead(
            phone="8 (700) 000-45-67",
            email="dana@onai.test",
            email_sent=True,
            email_sent_at=datetime(2026, 10, 10, 12, 5, tzinfo=ALMATY),
            email_clicked=True,
        )
    )

    answer = admin.get(PAGE, {**DAYS, "step": "sms", "lost": "1"})
    page, text = answer.content.decode(), _text(answer)

    assert 'href="tel:+77000004567"' in page
    assert 'href="mailto:dana@onai.test"' in page
    assert "Кого потеряли на шаге Отправлена SMS" in text
    assert "Перешли из письма, но SMS со ссылкой на оплату им не отправлена." in text
    assert "1 человек" in text
    assert "Дана Ким proftest_a · 10 октября, 12:00" in text
    assert "письмо отправлено 10 октября, 12:05" in text
    assert "открыто время неизвестно" in text
    assert "SMS отправлена" not in text
    assert "покупка" not in text


@pytest.mark.parametrize(("step", "lost"), LISTS)
def test_every_list_says_in_words_who_is_in_it(
    admin: Client, landing: LandingPages, step: Step, lost: bool
) -> None:
    text = _text(admin.get(PAGE, {"step": step, **({"lost": "1"} if lost else {})}))

    wording = STEP_WORDING[step]
    assert str(wording.is_lost if lost else wording.is_in) in text
    reported = step in (Step.EXPRESS, Step.PAYMENT)
    assert ("разность двух чисел отчёта" in text) == (lost and reported)
    assert "За эти дни" in text


@pytest.mark.parametrize(
    ("phone", "email", "links"),
    [
        ("нет", "javascript:alert(1)", []),
        ("112", "a@b", []),
        ("8 700 000 45 67", " Dana@Onai.test ", ["tel:+77000004567", "mailto:Dana@Onai.test"]),
        (
            "+49 30 1234567",
            'a"b@onai.test?bcc=x',
            ["tel:49301234567", "mailto:a%22b@onai.test%3Fbcc%3Dx"],
        ),
        ("'><script>", "", []),
    ],
)
def test_only_what_can_be_called_or_written_to_is_a_link(
    admin: Client, landing: LandingPages, phone: str, email: str, links: list[str]
) -> None:
    landing.write(_lead(phone=phone, email=email, name="<script>alert(1)</script>"))

    page = admin.get(PAGE, {**DAYS, "step": "proftest"}).content.decode()

    assert re.findall(r'href="((?:tel|mailto|javascript):[^"]*)"', page) == links
    assert "<script>alert(1)" not in page


def test_links_and_forms_keep_the_question(admin: Client, landing: LandingPages) -> None:
    for number in range(30):
        landing.write(_lead(name=f"Имя {number}", sms_clicked=True, source="a&b"))
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
        ({"source": "\0"}, "__all__", "Таких источников не бывает."),
        ({"source": "x" * 300}, "__all__", "Таких источников не бывает."),
        ({"from": "2026-10-05", "to": "2026-10-01"}, "to", "Конец раньше начала."),
        ({"from": "2020-01-01", "to": "2026-10-01"}, "to", "Период длинный"),
        ({"period": "century"}, "period", "Такого периода нет."),
    ],
)
def test_what_is_wrong_in_an_address_is_told(
    admin: Client, landing: LandingPages, query: dict[str, str], field: str, sentence: str
) -> None:
    page, api, file = (admin.get(path, query) for path in (PAGE, API, FILE))

    assert (page.status_code, api.status_code, file.status_code) == (400, 400, 400)
    assert sentence in _text(page)
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
def test_a_made_up_place_in_the_list_is_no_place(place: str) -> None:
    from base64 import urlsafe_b64encode

    assert paging.place_at(urlsafe_b64encode(place.encode()).decode(), moments=True) is None


def test_the_number_of_statements_does_not_depend_on_the_rows(
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


# --- JSON and the file -------------------------------------------------------------------------


def test_the_api_answers_with_the_same_people(admin: Client, landing: LandingPages) -> None:
    sent = datetime(2026, 10, 10, 12, 5, tzinfo=ALMATY)
    lead = _lead(phone="+7 700 000-45-67", email=None, email_sent=True, email_sent_at=sent)
    landing.write(lead)

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


def test_the_pages_of_the_api_together_are_the_list(
    admin: Client, landing: LandingPages, rows: list[Row]
) -> None:
    write(landing, rows[:500])
    query: dict[str, Any] = {**DAYS, "step": "opened"}
    seen: list[str] = []
    while True:
        body = admin.get(API, query).json()
        seen += [one["id"] for one in body["people"]]
        if body["next"] is None:
            break
        query["after"] = body["next"]

    assert seen == [str(pk) for pk in _expected(rows[:500], Step.OPENED, lost=False)]


def test_the_file_holds_exactly_what_is_filtered(
    admin: Client, landing: LandingPages, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "_BATCH", 100)
    write(landing, rows)
    query = {**DAYS, "step": "emailed", "lost": "1", "q": "ким", "source": "proftest_kenesary"}

    answer = admin.get(FILE, query)
    head, *lines = _file(answer)

    expected = set(_expected(rows, Step.EMAILED, lost=True))
    names = [
        row
        for row in rows
        if row["id"] in expected
        and row["source"] == "proftest_kenesary"
        and row["name"] == "ДАНА КИМ"
    ]
    assert 'filename="people-emailed-lost.csv"' in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    assert head[:4] == ["Имя", "Телефон", "Почта", "Источник"]
    assert len(lines) == len(names) > 5
    assert sorted(line[1].lstrip("'") for line in lines) == sorted(row["phone"] for row in names)


def test_the_file_is_safe_to_open(admin: Client, landing: LandingPages) -> None:
    landing.write(
        _lead(name="=HYPERLINK(1)", email="@cmd", source="proftest;\n=1", phone="+7 700 000-45-67")
    )

    _, line = _file(admin.get(FILE, {**DAYS, "step": "proftest"}))

    assert line[:4] == ["'=HYPERLINK(1)", "'+7 700 000-45-67", "'@cmd", "proftest;\n=1"]
    assert line[4] == "10.10.2026 12:00"


# --- Who may see it, and what is left behind ---------------------------------------------------


@pytest.mark.parametrize("path", [PAGE, FILE, API])
def test_only_admins_see_people(landing: LandingPages, as_person: SignIn, path: str) -> None:
    landing.write(_lead(phone="+7 700 000-45-67", sms_clicked=True))
    for email in ("ayaulym@onai.test", "student@onai.test"):
        answer = as_person(email).get(path, DAYS)
        assert answer.status_code == 403
        assert "000-45-67" not in answer.content.decode()
    stranger = Client().get(path, DAYS)
    assert stranger.status_code == (401 if path == API else 302)
    assert "no-store" in as_person("admin@onai.test").get(path, DAYS)["Cache-Control"]


def _everything_cached() -> bytes:
    return b"".join(
        pickle.loads(value) if isinstance(pickle.loads(value), bytes) else value
        for value in cache._cache.values()  # type: ignore[attr-defined]
    )


def test_nobody_is_left_in_the_cache(admin: Client, landing: LandingPages) -> None:
    landing.write(
        _lead(
            name="Тайна Имени", phone="+7 700 000-45-67", email="dana@onai.test", sms_clicked=True
        )
    )
    for path in (PAGE, FILE, API):
        answer = admin.get(path, {**DAYS, "step": "payment", "q": "тайна"})
        shown = b"".join(answer) if answer.streaming else answer.content
        assert "Тайна Имени" in shown.decode()

    kept = _everything_cached()

    assert b"proftest_a" in kept, "nothing is cached at all"
    for secret in ("Тайна", "тайна", "000-45-67", "77000004567", "dana@onai.test"):
        assert secret.encode() not in kept


def test_what_has_changed_shows_at_once(admin: Client, landing: LandingPages) -> None:
    assert _names(admin) == []
    landing.write(_lead())
    assert _names(admin) == ["Дана Ким"]


def test_every_file_is_written_to_the_log(
    admin: Client, landing: LandingPages, caplog: pytest.LogCaptureFixture
) -> None:
    landing.write(*(_lead(name=f"Тайна {number}", sms_clicked=True) for number in range(3)))
    caplog.set_level(logging.INFO)

    _file(admin.get(FILE, {**DAYS, "step": "payment", "source": "proftest_a", "q": "тайна"}))

    begun, ended = (r for r in caplog.records if r.name == "funnel.people_views")
    told = {
        name: value
        for name, value in ended.__dict__.items()
        if name in vars(begun) or name in ("rows", "complete")
    }
    assert (begun.getMessage(), ended.getMessage()) == (
        "people_export_begun",
        "people_export_ended",
    )
    assert UUID(told["user_id"])
    assert (told["step"], told["lost"], told["sources"]) == ("payment", False, ["proftest_a"])
    assert (told["first_day"], told["last_day"]) == ("2026-10-01", "2026-10-31")
    assert (told["searched"], told["rows"], told["complete"]) == (True, 3, True)
    assert "айна" not in "".join(str(vars(record)) for record in caplog.records)


def test_a_download_that_breaks_off_is_written_to_the_log(
    admin: Client, landing: LandingPages, rows: list[Row], caplog: pytest.LogCaptureFixture
) -> None:
    write(landing, rows)
    caplog.set_level(logging.INFO)

    answer: Any = admin.get(FILE, {**DAYS, "step": "express"})
    chunks = iter(answer.streaming_content)
    for _ in range(3):
        next(chunks)
    answer.close()

    ended = caplog.records[-1]
    assert ended.getMessage() == "people_export_ended"
    assert (ended.rows, ended.complete) == (1, False)  # type: ignore[attr-defined]


def test_a_head_request_is_no_export(admin: Client, landing: LandingPages) -> None:
    assert admin.head(FILE).status_code == 405


def test_an_outage_is_told_and_nobody_is_kept_for_it(
    admin: Client, landing: LandingPages, caplog: pytest.LogCaptureFixture
) -> None:
    landing.write(_lead(name="Тайна Имени", sms_clicked=True))
    query = {**DAYS, "step": "payment", "q": "тайна"}
    for path in (PAGE, API):
        assert admin.get(path, query).status_code == 200
    landing.connection.execute("alter table landing_leads rename column name to mislaid")
    try:
        page, api, file = (admin.get(path, query) for path in (PAGE, API, FILE))
    finally:
        landing.connection.execute("alter table landing_leads rename column mislaid to name")

    assert (page.status_code, api.status_code, file.status_code) == (503, 503, 503)
    assert api.json()["code"] == "figures_unavailable"
    assert "Список сейчас недоступен" in _text(page)
    assert "мы нигде больше не храним" in _text(page)
    assert "Тайна" not in _text(page)
    assert "тайна" not in caplog.text.lower()


def test_without_landing_there_are_no_lists(admin: Client) -> None:
    with landing_outage():
        close_old_connections()
        assert [admin.get(path).status_code for path in (PAGE, API, FILE)] == [503] * 3


def test_a_slow_list_is_not_waited_for(
    admin: Client, landing: LandingPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "STATEMENT_TIMEOUT_MS", 300)
    with landing.connection.transaction():
        landing.connection.execute("set local idle_in_transaction_session_timeout = '5s'")
        landing.connection.execute("lock table landing_leads in access exclusive mode")
        assert admin.get(PAGE).status_code == 503


# --- In a browser ------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 60])
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1440, "light")])
def test_the_lists_fit(
    open_page: Any, landing: LandingPages, rows: list[Row], count: int, width: int, scheme: str
) -> None:
    write(landing, rows[:count])
    if count:
        long = {"name": "Ж" * 120, "email": f"{'long' * 15}@{'a' * 60}.onai.test"}
        landing.write(_lead(**long, source="proftest_" + "x" * 90, email_sent=True))
        landing.write(_lead(**long, phone="+7 700 000-45-67" + "1" * 60, sms_clicked=True))
        landing.write(_lead(**long, sms_clicked=True))
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
def test_an_owner_finds_whom_to_call(
    open_page: Any, landing: LandingPages, javascript: bool
) -> None:
    today = {"created_at": datetime.now(ALMATY), "email_sent": True}
    for number in range(40):
        landing.write(_lead(name=f"Имя {number}", source=f"proftest_{number % 2}", **today))
    landing.write(_lead(name="Дана Ким", phone="8 700 000 45 67", source=None, **today))
    page = open_page(java_script_enabled=javascript)
    sign_in(page)

    page.get_by_role("link", name="кто потерян").first.click()
    page.get_by_role("heading", name="Кого потеряли на шаге Предложение экспресс-курса").wait_for()
    page.get_by_label("Шаг").select_option(label="Оплата экспресс-курса")
    page.get_by_label("Кого показать").select_option(label="кто потерян")
    page.get_by_role("button", name="Показать", exact=True).last.click()
    page.get_by_text("41 человек").wait_for()
    page.get_by_role("link", name="Дальше →").click()
    assert page.locator(".crowd > li").count() == 16
    page.get_by_text("Источники: все").click()
    page.get_by_label("без источника").check()
    page.get_by_label("Имя, телефон или почта").fill("+7 700 000-45")
    page.get_by_role("button", name="Показать выбранные").click()

    page.get_by_text("1 человек").wait_for()
    assert page.get_by_role("link", name="8 700 000 45 67").is_visible()
    assert "lost=1" in page.url

"""One folding for every search: what differs only by keyboard, case or storage is found."""

import re
import unicodedata
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connections
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from onai.contacts import folding
from sales.cabinet.student_list import page_of_students
from sales.cabinet.student_search import StudentFilter
from tests.conftest import LandingPages
from tests.support.desk import GOOD, Desk
from tests.support.lead_rows import DAYS, lead

# How a name is stored, and what is typed to find it.
NAMES = (
    ("Тои\u0306баев", "Тойбаев"),
    ("Тойбаев", "тои\u0306баев"),
    ("ЕЛКИН", "ёлкин"),
    ("Е\u0308лкин", "елкин"),
    ("Ёлкин", "ЕЛКИН"),
    ("Әйгерім Нұрланқызы", "аигерим"),
    ("Әйгерім Нұрланқызы", "НУРЛАНКЫЗЫ"),
    ("Гүлнәр", "гулнар"),
    ("Ғалым Шыңғыс", "галым шынгыс"),
    ("Өмір Һәкім", "омир хаким"),
    ("Омир", "өмір"),
    ("Jose\u0301 Müller", "josé mu\u0308ller"),
    ("Дана\u00a0\u202fКим", "дана ким"),
    ("Дана Ким", "дана\u00a0ким"),
    ("ＡＢ Ким", "ким ａｂ"),
    ("İlyas Kaya", "I\u0307LYAS"),
    ("ilyas Kaya", "İLYAS"),
)
_FOUND = [pair for pair in NAMES if pair[1] != "аигерим"]


@pytest.mark.parametrize(("stored", "typed"), _FOUND)
def test_a_lead_is_found_however_the_name_is_stored(
    admin: Client, landing: LandingPages, stored: str, typed: str
) -> None:
    landing.write(lead(name=stored, email=None), lead(name="Кто-то Другой"))

    for text in (typed, stored, unicodedata.normalize("NFD", stored), stored.upper()):
        body = admin.get("/api/traffic-dashboard/people", {**DAYS, "step": "proftest", "q": text})
        assert [one["name"] for one in body.json()["people"]] == [stored], text


@pytest.mark.parametrize(("stored", "typed"), _FOUND)
@pytest.mark.parametrize("looked_at", [1, 5_000])
def test_a_student_is_found_however_the_name_is_stored(
    create: Callable[..., None],
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    stored: str,
    typed: str,
    looked_at: int,
) -> None:
    create()
    create(email="other@onai.test", full_name="Кто-то Другой")
    # As the predecessor wrote it.
    desk.connection.execute(
        "update tripwire_users set full_name = %s where email = %s", [stored, GOOD["email"]]
    )
    monkeypatch.setattr("sales.cabinet.student_search._LOOKED_AT", looked_at)
    monkeypatch.setattr("sales.cabinet.student_search._LOOKED_AT_FOR_EACH", 0)

    for text in (typed, stored, unicodedata.normalize("NFD", stored), stored.upper()):
        page = page_of_students(StudentFilter(text))
        assert [student.full_name for student in page.students] == [stored], text
        assert page.count == 1


def test_different_letters_stay_different(admin: Client, landing: LandingPages) -> None:
    landing.write(lead(name="Тойбаев", email=None))
    for text in ("тоибаевв", "таибаев", "тойбайев"):
        body = admin.get("/api/traffic-dashboard/people", {**DAYS, "step": "proftest", "q": text})
        assert body.json()["people"] == [], text


# Accents come with the letter that carries them, and there once.
_LETTERS = st.lists(
    st.sampled_from(
        [*"аәАӘкқеёЁйЙиіуұүхҺһнңоөгғ éñ.*+?[(|\\^$1@\u00a0", "е\u0308", "и\u0306", "E\u0301"]
    ),
    max_size=8,
).map("".join)


@given(_LETTERS, _LETTERS, _LETTERS)
def test_the_pattern_matches_every_text_with_the_same_folding(
    before: str, word: str, behind: str
) -> None:
    for text in (word, word.upper(), word.lower()):
        stored = f"{before} {text} {behind}"
        assert folding.fold(word) in folding.fold(stored)
        for spelled in (stored, *(unicodedata.normalize(form, stored) for form in ("NFC", "NFD"))):
            assert re.search(folding.pattern(folding.fold(word)), spelled), spelled
            assert re.search(folding.pattern(word), spelled), spelled


@given(_LETTERS | st.text(max_size=8))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folding.fold(folding.fold(text)) == folding.fold(text)


def test_python_and_the_database_fold_alike(desk: Desk) -> None:
    """The index is asked for what Python folds."""
    words = [*folding.FOLDED, *folding.FOLDED.upper(), *(text for pair in NAMES for text in pair)]
    with connections["tripwire"].cursor() as cursor:
        for word in words:
            cursor.execute(
                "select sales_search_terms(%s, 'a@onai.test', null, null, null)", [f"<{word}>"]
            )
            spaced = f" {folding.fold(f'<{word}>')} a@onai.test"
            expected = [spaced[place : place + 3] for place in range(len(spaced) - 2)]
            assert cursor.fetchone()[0][3:] == expected, word


def test_every_letter_of_a_name_is_found_by_itself(desk: Desk) -> None:
    """Of the Latin, Greek, Cyrillic and Armenian alphabets, in capitals and small letters."""
    letters = [
        letter
        for letter in map(chr, (*range(0x41, 0x590), *range(0x1E00, 0x2000)))
        if unicodedata.category(letter) in ("Lu", "Ll", "Lt")
    ]

    folded = desk.rows(
        "select letter, array_to_string(sales_search_terms(letter || '<>', '', null, null, null),"
        " '|') as terms from unnest(%s::text[]) as letter",
        letters,
    )

    lost = {
        row["letter"] for row in folded if f" {folding.fold(row['letter'])}<" not in row["terms"]
    }
    assert lost == set()


def test_the_index_is_rebuilt_after_an_interrupted_attempt(
    create: Callable[..., None], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(full_name="Тойбаева Ару")
    owner = desk.connection
    owner.execute("create index tripwire_users_search_folded on tripwire_users (full_name)")
    monkeypatch.setattr(
        "onai.db.schema_changes.execute", lambda alias, statement: owner.execute(statement)
    )

    migration = import_module("sales.migrations.0009_folded_search")
    migration._fold(None, SimpleNamespace(connection=connections["tripwire"]))

    indexes = desk.rows(
        "select indexrelid::regclass::text as name, indisvalid from pg_index"
        " where indexrelid::regclass::text like 'tripwire_users_search%%'"
    )
    assert indexes == [{"name": "tripwire_users_search", "indisvalid": True}]
    functions = desk.rows("select proname from pg_proc where proname like 'sales_search_terms%%'")
    assert functions == [{"proname": "sales_search_terms"}]
    monkeypatch.setattr("sales.cabinet.student_search._LOOKED_AT", 0)
    assert page_of_students(StudentFilter("то\u0438\u0306баева")).count == 1

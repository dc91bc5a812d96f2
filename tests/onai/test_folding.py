"""One folding for every search: what differs only by keyboard, case or storage is found."""

import re
import unicodedata
from collections.abc import Callable

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from onai.contacts import folding
from sales.cabinet.availability import availability
from sales.cabinet.student_list import StudentFilter, page_of_students
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
    ("İlyas Kaya", "ilyas"),
    ("i\u0307lyas Kaya", "ilyas"),
    ("Aıgerım Ким", "AIGERIM"),
    ("AIGERIM Ким", "aıgerım"),
    ("\N{KELVIN SIGN}im Aru", "kim"),
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
def test_a_student_is_found_however_the_name_is_stored(
    create: Callable[..., None], desk: Desk, stored: str, typed: str
) -> None:
    create()
    create(email="other@onai.test", full_name="Кто-то Другой")
    # As the predecessor wrote it.
    desk.connection.execute(
        "update tripwire_users set full_name = %s where email = %s", [stored, GOOD["email"]]
    )
    for text in (typed, stored, unicodedata.normalize("NFD", stored), stored.upper()):
        page = page_of_students(StudentFilter(text), availability())
        assert [student.full_name for student in page.rows] == [stored], text
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


def test_every_letter_of_a_name_is_found_by_itself(desk: Desk) -> None:
    """Of the Latin, Greek, Cyrillic and Armenian alphabets, in capitals and small letters."""
    letters = [
        letter
        for letter in map(chr, (*range(0x41, 0x590), *range(0x1E00, 0x2000)))
        if unicodedata.category(letter) in ("Lu", "Ll", "Lt")
    ]
    lost = desk.rows(
        "select text from unnest(%s::text[], %s::text[]) as asked(text, pattern)"
        " where text !~ pattern or normalize(text, NFD) !~ pattern",
        [text for one in letters for text in (one, folding.fold(one))],
        [folding.pattern(one) for one in letters for _ in range(2)],
    )

    assert lost == []

"""Files as a spreadsheet reads them: with other settings, too, nothing in them is a formula."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from onai.web.csv_export import Cell, csv_file
from tests.conftest import LandingPages
from tests.support.lead_rows import DAYS, lead, lines_of

_SIGNS = ("=", "+", "-", "@", "\u2212", "＝", "＋", "－", "＠", "﹢", "﹣", "﹦", "﹫")


def _file(*rows: Sequence[Cell]) -> str:
    answer = csv_file("file.csv", ["Имя"], rows)
    body = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]
    return body.partition("\r\n")[2]


def _cells(text: str, delimiter: str) -> list[str]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [cell for row in rows for cell in row]


def _cell(value: Cell) -> str:
    (cell,) = _cells(_file([value]), ";")
    return cell


@pytest.mark.parametrize(
    "value",
    [
        *("120210123456789012", "998900000011", "00123", "0", "1-2", "12:30", "1e5", "1E-5", "3/4"),
        *("2025-12", "2025-12-01T10:00:00Z", "1.5", "1,5", ".5", "5 %", "1 000", "1\u00a0000"),
        *("5000 ₸", "$5", "5 тг", "(5)", "12 pm", "may25", "DEC1", "Sep-2", "5 мая", "мар.25"),
        *("5 марта 2025 г.", "2025 ж. 5 наурыз", "10-12", "Mar 5", "5%", "1E+10", "1 1/2", "01.02"),
        *("1 желтоқсан", "TRUE", "ложь", "Ақиқат", "#N/A", "#ДЕЛ/0!", "１２３", " 5 ", "١٢"),
    ],
)
def test_text_that_a_spreadsheet_would_change_stays_text(value: str) -> None:
    assert _cell(value) == f"'{value}"


@pytest.mark.parametrize(
    "value",
    [
        *("Дана Ким", "TF4", "8 700 000 45 67", "dana@onai.test", "5 шагов", "Май", "Марина 25"),
        *("proftest_2025_12", "1win", "Ұлан-5", "#promo", "v1.5", "", "'=1", "№ 5", "x, y; z"),
    ],
)
def test_other_text_is_unchanged(value: str) -> None:
    assert _cell(value) == value


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (-5000, "-5000"),
        (0, "0"),
        (120_210_123, "120210123"),
        (Decimal("-12.50"), "-12,5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.00"), "0"),
        (date(2026, 3, 1), "01.03.2026"),
        (datetime(2026, 2, 28, 19, 5, tzinfo=UTC), "01.03.2026 00:05"),
        (None, ""),
    ],
)
def test_numbers_and_moments_are_written_as_such(value: Cell, cell: str) -> None:
    assert _cell(value) == cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("x,=1+1,y", "x,'=1+1,y"),
        ("x;\t=1+1", "x;\t'=1+1"),
        (" =1+1", "' =1+1"),
        ("\ufeff\u200b=1+1", "'\ufeff\u200b=1+1"),
        ("＝1+1", "'＝1+1"),
        ('x,"=1+1,', "x,'\"=1+1,"),
        ("\t=1+1", "'\t'=1+1"),
        ("\rx", "'\rx"),
        ("−5000", "'−5000"),
        ("+82 10-0000-0011", "'+82 10-0000-0011"),
        ("a,-b,@c", "a,'-b,'@c"),
        ("a|=1+1", "a|'=1+1"),
        ("a\x85=1\u2028@b\u2029+c\v-d\x1c=e", "a\x85'=1\u2028'@b\u2029'+c\v'-d\x1c'=e"),
        ("\x01\u3164=1", "'\x01\u3164=1"),
        ("x,\ufe0f\U000e0020=1", "x,'\ufe0f\U000e0020=1"),
    ],
)
def test_no_part_of_a_text_is_a_formula(value: str, cell: str) -> None:
    assert _cell(value) == cell


_TRICKY = st.text(st.sampled_from([*_SIGNS, *",;|\t\r\n\"' 1ax\u00a0\u200b\ufeff"]), max_size=12)


@given(st.lists(st.tuples(_TRICKY | st.text(), _TRICKY, _TRICKY), min_size=1, max_size=3))
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_no_cell_is_a_formula_whatever_the_separator(
    delimiter: str, rows: list[tuple[str, str, str]]
) -> None:
    for cell in _cells(_file(*rows), delimiter):
        assert not cell.strip(' \t\r\n"\u00a0\u200b\ufeff').startswith(_SIGNS), cell


@given(st.lists(_TRICKY | st.text(), min_size=1, max_size=3))
def test_only_apostrophes_are_added(values: list[str]) -> None:
    cells = _cells(_file(values), ";")

    bare = [value.replace("'", "") for value in values]
    assert [cell.replace("'", "") for cell in cells] == bare


def test_a_lead_cannot_put_a_formula_into_the_list_of_people(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(lead(name="x,=1+1,y", source="proftest,@cmd", phone=" ＝1+1", email="12:30"))

    _, line = lines_of(admin.get("/funnel/people.csv", {**DAYS, "step": "proftest"}))

    assert line[:3] == ["x,'=1+1,y", "' ＝1+1", "'12:30"]
    assert line[4:6] == ["proftest,'@cmd", "10.10.2026 12:00"]

"""Tables as CSV files that a spreadsheet opens as they are meant, with Russian settings among them.

Semicolons and a byte order mark, by which Excel knows columns and encoding. A cell is what its type
says: numbers have a comma for decimals, dates are `DD.MM.YYYY`, and text stays text:

- An apostrophe goes before text that a spreadsheet would read as a number, a date, a time or a
  truth value (`00123`, `1-2`, `12:30`, `1e5`, `may25`). Excel and LibreOffice then keep every
  letter. They show the apostrophe; without one they would change the value and not say so, and
  `="00123"` would be a formula for whoever imports the file with something else.
- An apostrophe goes before text that begins like a formula, and before each part of it that would
  if the file were read by commas or tabs instead of semicolons: a reader with other settings does
  so, and then no quotes hold a cell together. OWASP calls this CSV injection.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.functional import Promise

Cell = str | int | Decimal | date | datetime | None

# Full-width and other forms of a sign are the sign itself to some spreadsheets.
_FORMULA_SIGNS = "=+\\-@\u2212" + "".join(
    chr(code)
    for code in range(0x2070, 0xFFE0)
    if unicodedata.normalize("NFKC", chr(code)) in "=+-@"
)
# What one reader or another takes for the end of a cell or of a line, and what none shows.
_SEPARATORS = ",;|\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029"
_BLANK = (
    '\\s"\x00-\x1f\x7f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f'
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_FORMULA = re.compile(
    f"(?:^|(?<=[{_SEPARATORS}]))(?=(?:(?![{_SEPARATORS}])[{_BLANK}])*[{_FORMULA_SIGNS}])"
)
_CONTROLS_AT_START = ("\t", "\r", "\n")
# A phone as `onai.contacts.phones` spells it: no spreadsheet groups digits by two.
_PHONE = re.compile(r"8 \d{3} \d{3} \d{2} \d{2}")
_NUMBER_SIGNS = re.compile(r"[\d\s.,:/()%$€£¥₸₽'’+\-–−]*")
_WORD = re.compile(r"[^\W\d_]+")
# An exponent, halves of a day, the letters of ISO 8601, money, «year»; the months.
_IN_NUMBERS = (
    "e am pm t z р руб тг г ж"
    " january february march april may june july august september october november december"
    " jan feb mar apr jun jul aug sep sept oct nov dec"
    " январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь"
    " января февраля марта апреля мая июня июля августа сентября октября ноября декабря"
    " янв фев февр мар апр июн июл авг сен сент окт ноя нояб дек"
    " қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан"
    " қаң ақп нау сәу мам мау шіл там қыр қаз қар жел"
)
_WORDS_IN_NUMBERS = frozenset(_IN_NUMBERS.split())
_OTHER_VALUES = re.compile(
    r"true|false|истина|ложь|ақиқат|жалған|#(?:[\w/]+[!?]|n/a|н/д)", re.IGNORECASE
)
_ROWS_AT_ONCE = 500


class CsvFile(StreamingHttpResponse):
    """A download. `about` is what the log tells of it.

    `ended` hears at the end, also when it breaks off, how many rows were sent and whether those
    were all.
    """

    def __init__(self, name: str, lines: Iterator[str], about: Mapping[str, Any]) -> None:
        super().__init__(lines, content_type="text/csv; charset=utf-8")
        self["Content-Disposition"] = f'attachment; filename="{name}"'
        self.about = about
        self.ended: Callable[[int, bool], None] = lambda rows, complete: None


def csv_file(
    name: str,
    columns: Sequence[str | Promise],
    rows: Iterable[Sequence[Cell]],
    **about: Any,
) -> CsvFile:
    """A download named `name`, streamed: `rows` are asked for while it is sent.

    A moment is written in business time, None as an empty cell.
    """

    def ended(written: int, complete: bool) -> None:
        file.ended(written, complete)

    file = CsvFile(name, _lines(columns, rows, ended), about)
    return file


def _lines(
    columns: Sequence[str | Promise],
    rows: Iterable[Sequence[Cell]],
    ended: Callable[[int, bool], None],
) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, delimiter=";")
    number, sent, complete = 0, 0, False
    try:
        yield "\ufeff"
        writer.writerow([str(column) for column in columns])
        for number, row in enumerate(rows, 1):
            writer.writerow(map(_written, row))
            if number % _ROWS_AT_ONCE == 1:
                yield _taken(line)
                # Whoever asks for more has sent this.
                sent = number
        yield _taken(line)
        sent, complete = number, True
    finally:
        ended(sent, complete)


def _taken(line: io.StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return _as_text(cell)
        case datetime():
            return timezone.localtime(cell).strftime("%d.%m.%Y %H:%M")
        case date():
            return cell.strftime("%d.%m.%Y")
        case Decimal():
            return f"{cell.normalize():f}".replace(".", ",")
        case _:
            return str(cell)


def _as_text(value: str) -> str:
    harmless = _FORMULA.sub("'", value)
    if harmless.startswith("'"):
        return harmless
    if value.startswith(_CONTROLS_AT_START) or _would_change(value):
        return f"'{harmless}"
    return harmless


def _would_change(value: str) -> bool:
    """Whether a spreadsheet would take this text for something else."""
    text = unicodedata.normalize("NFKC", value).strip()
    if _OTHER_VALUES.fullmatch(text):
        return True
    has_digits = any(letter.isdigit() for letter in text)
    if not has_digits or _PHONE.fullmatch(value):
        return False
    if any(word not in _WORDS_IN_NUMBERS for word in _WORD.findall(text.casefold())):
        return False
    return _NUMBER_SIGNS.fullmatch(_WORD.sub("", text)) is not None

"""Tables as files that a spreadsheet opens correctly, Excel with Russian settings among them.

Semicolons, a byte order mark, and no cell that could be taken for a formula.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.functional import Promise

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_ROWS_AT_ONCE = 500


def csv_file(
    name: str,
    columns: Sequence[str | Promise],
    rows: Iterable[Sequence[str]],
    *,
    ended: Callable[[int, bool], None] = lambda written, complete: None,
) -> StreamingHttpResponse:
    """A download named `name`, streamed: `rows` are asked for while it is sent.

    At its end, also when it breaks off, `ended` is told how many rows were sent and whether those
    were all.
    """
    lines = _lines(columns, rows, ended)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def moment(at: datetime | None) -> str:
    """A moment as a cell, in business time; empty where it is not known."""
    return timezone.localtime(at).strftime("%d.%m.%Y %H:%M") if at else ""


def _lines(
    columns: Sequence[str | Promise],
    rows: Iterable[Sequence[str]],
    ended: Callable[[int, bool], None],
) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, delimiter=";")
    number, sent, complete = 0, 0, False
    try:
        yield "\ufeff"  # by which Excel knows the encoding
        writer.writerow([str(column) for column in columns])
        for number, row in enumerate(rows, 1):
            writer.writerow(_harmless(value) for value in row)
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


def _harmless(value: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value

"""Tables that others own, that the product reads where it can, and does without where it cannot.

A reader asks `OptionalTable.readable()` before its statement, and says in words what it cannot know
where the answer is no. The answer is remembered for `REMEMBERED_SECONDS`, so a page may ask each
time.
"""

import time
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from onai.db import catalog
from onai.db.visibility import Visibility, visibility

REMEMBERED_SECONDS = 300.0


class Access(StrEnum):
    """Whether our role may read a table."""

    READABLE = "readable"
    MISSING = "missing"
    NOT_GRANTED = "not_granted"
    # Row level security is on, and no policy shows our role a row.
    HIDDEN = "hidden"
    # The table is there and lacks a column that the product reads.
    LACKS_COLUMNS = "lacks_columns"


_OF_VISIBILITY = {
    Visibility.SEEN: Access.READABLE,
    Visibility.MISSING: Access.MISSING,
    Visibility.NOT_GRANTED: Access.NOT_GRANTED,
    Visibility.FILTERED: Access.HIDDEN,
}


@dataclass(frozen=True, slots=True)
class OptionalTable:
    """A table of the database `alias`, in its schema `public`.

    `columns` are those that the product reads; `uuids` those of them that must hold uuids, to be
    compared with ours. `tells` is what only this table knows, as the end of
    a sentence: «Без неё неизвестно, …».
    """

    alias: str
    name: str
    columns: tuple[str, ...]
    tells: str | Promise
    uuids: tuple[str, ...] = ()

    def readable(self) -> bool:
        """Whether a statement that reads this table can be run. Raises Django's database errors."""
        return self.access() is Access.READABLE

    def access(self) -> Access:
        """What our role may do with it, as of the last minutes. Raises Django's database errors."""
        key = (self.alias, self.name)
        asked_at, access = _remembered.get(key, (0.0, None))
        now = time.monotonic()
        if access is None or now - asked_at > REMEMBERED_SECONDS:
            access = self.look()
            _remembered[key] = (now, access)
        return access

    def look(self) -> Access:
        """The same as of this moment. Raises Django's database errors."""
        access = _OF_VISIBILITY[visibility(self.alias, f"public.{self.name}")]
        if access is Access.READABLE and self._missing_columns():
            return Access.LACKS_COLUMNS
        return access

    def in_words(self, access: Access) -> str:
        """What is in the way, for whoever runs the site; empty where nothing is."""
        if access is Access.LACKS_COLUMNS:
            return _("в таблице нет столбцов: %(names)s") % {
                "names": ", ".join(self._missing_columns())
            }
        return {
            Access.READABLE: "",
            Access.MISSING: _("таблицы нет"),
            Access.NOT_GRANTED: _("нашей роли не дано право её читать"),
            Access.HIDDEN: _("защита строк (RLS) не показывает нашей роли ни одной строки"),
        }[access]

    def _missing_columns(self) -> list[str]:
        found = catalog.tables(self.alias, [self.name]).get(self.name)
        columns = found.columns if found else {}
        return [
            name
            for name in self.columns
            if name not in columns or (name in self.uuids and columns[name].kind != "uuid")
        ]


_remembered: dict[tuple[str, str], tuple[float, Access]] = {}


def forget() -> None:
    """Ask anew at the next use."""
    _remembered.clear()

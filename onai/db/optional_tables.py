"""Tables that others own, that the product reads where it can, and does without where it cannot.

A reader asks `OptionalTable.readable()` before its statement, and says in words what it cannot know
where the answer is no. The answer is remembered for `REMEMBERED_SECONDS`, so a page may ask each
time.
"""

from dataclasses import dataclass
from time import monotonic

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from onai.db import catalog
from onai.db.visibility import Visibility, visibility

REMEMBERED_SECONDS = 300.0


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
        """Whether a statement that reads this table can be run, as of the last minutes.

        Raises Django's database errors.
        """
        key = (self.alias, self.name)
        asked_at, is_readable = _remembered.get(key, (-REMEMBERED_SECONDS, False))
        if monotonic() - asked_at >= REMEMBERED_SECONDS:
            is_readable = self.look() is Visibility.SEEN
            _remembered[key] = (monotonic(), is_readable)
        return is_readable

    def look(self) -> Visibility:
        """What our role may do with it at this moment. Raises Django's database errors."""
        seen = visibility(self.alias, f"public.{self.name}")
        lacks = seen is Visibility.SEEN and self._missing_columns()
        return Visibility.LACKS_COLUMNS if lacks else seen

    def in_words(self, seen: Visibility) -> str:
        """What is in the way, for whoever runs the site; empty where nothing is."""
        if seen is Visibility.LACKS_COLUMNS:
            return _("в таблице нет столбцов: %(names)s") % {
                "names": ", ".join(self._missing_columns())
            }
        return {
            Visibility.SEEN: "",
            Visibility.MISSING: _("таблицы нет"),
            Visibility.NOT_GRANTED: _("нашей роли не дано право её читать"),
            Visibility.FILTERED: _("защита строк (RLS) не показывает нашей роли ни одной строки"),
        }[seen]

    def _missing_columns(self) -> list[str]:
        found = catalog.tables(self.alias, [self.name]).get(self.name)
        columns = found.columns if found else {}
        return [
            name
            for name in self.columns
            if name not in columns or (name in self.uuids and columns[name].kind != "uuid")
        ]


_remembered: dict[tuple[str, str], tuple[float, bool]] = {}


def forget() -> None:
    """Ask anew at the next use."""
    _remembered.clear()

"""Other software's tables on `/status`: which our role cannot read, and the SQL that lets it."""

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onai.db import postgres
from onai.db.catalog import quoted
from onai.db.optional_tables import OptionalTable
from onai.db.visibility import Visibility
from onai.ops.examination import Down, Probe

_GRANTED = {Visibility.NOT_GRANTED, Visibility.FILTERED}


def optional_tables_probe(
    name: str, title: str | Promise, tables: Sequence[OptionalTable]
) -> Probe:
    """A probe of tables of one database.

    A table that is missing is no fault: it may never have been made. One that is there and that our
    role cannot read is.
    """

    def check() -> str:
        found = {table: table.look() for table in tables}
        missing = [table for table, access in found.items() if access is Visibility.MISSING]
        lacking = {
            table: access
            for table, access in found.items()
            if access not in (Visibility.SEEN, Visibility.MISSING)
        }
        if lacking:
            raise Down(
                _("не читаются: %(names)s") % {"names": ", ".join(one.name for one in lacking)},
                advice=_advice(lacking),
                reason="tables_hidden",
            )
        if missing:
            names = ", ".join(table.name for table in missing)
            return _("нет в базе: %(names)s. Страницы обходятся без них") % {"names": names}
        return _("читаются все")

    return Probe(name, title, check, gettext_lazy("Подробности в docs/operations.md"))


def _advice(lacking: Mapping[OptionalTable, Visibility]) -> str:
    """Why each is not read, what is unknown without it, and the commands to run, a line each."""
    lines = []
    for table, access in lacking.items():
        about = {"name": table.name, "why": table.in_words(access), "tells": table.tells}
        lines.append(_("%(name)s: %(why)s. Без неё неизвестно, %(tells)s.") % about)
        if access in _GRANTED:
            us = quoted(postgres.role(table.alias))
            lines.append(f"grant select on public.{table.name} to {us};")
            lines.append(
                f"create policy onai_reads on public.{table.name} for select to {us} using (true);"
            )
    return "\n".join(lines)

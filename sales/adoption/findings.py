"""A finding about the adopted tables: how bad it is, and the SQL that mends it."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# The adopted tables.
STUDENTS, LOG = "tripwire_users", "sales_activity_log"


class Severity(StrEnum):
    """How much a finding matters, worst first."""

    BLOCKS = "blocks"
    ADAPTS = "adapts"
    DANGER = "danger"
    NOTE = "note"


HEADINGS = {
    Severity.BLOCKS: _("Мешает работать"),
    Severity.ADAPTS: _("Исправит migrate"),
    Severity.DANGER: _("Открытая дверь"),
    Severity.NOTE: _("К сведению"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `sql` holds the statements that mend it.

    `migrate` runs them for severity ADAPTS; `check_database --close` runs them where `closable` is
    true.
    """

    code: str
    severity: Severity
    sentence: str | Promise
    sql: tuple[str, ...] = ()
    closable: bool = False

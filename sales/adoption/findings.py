"""What looking at the adopted tables brings up: how bad it is, and what to do in SQL."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# The adopted tables.
STUDENTS, LOG = "tripwire_users", "sales_activity_log"


class Severity(StrEnum):
    """How much a finding matters; the worst first."""

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
    """One thing that was found. `sql` is what to run about it, statement by statement.

    Of severity ADAPTS `migrate` runs it; where `closable`, so does `check_database --close`.
    """

    code: str
    severity: Severity
    sentence: str | Promise
    sql: tuple[str, ...] = ()
    closable: bool = False

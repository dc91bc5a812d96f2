"""`migrate` checks the adopted tables before it changes anything."""

from typing import Any

import django.db
from django.core.management.base import CommandError

from sales import adoption
from sales.adoption import Severity


def adapt_before_migrating(using: str, **options: Any) -> None:
    """Adapt the adopted tables, or refuse with the reasons. Receives `pre_migrate`.

    Raises `CommandError` before any migration has begun.
    """
    if using != "tripwire":
        return
    findings = adoption.check_before_migrating()
    blocking = [finding for finding in findings if finding.severity is Severity.BLOCKS]
    if blocking:
        raise CommandError("\n".join(["Nothing was migrated.", *map(_told, blocking)]))
    tell = options.get("stdout")
    try:
        for statement in adoption.adapt(findings):
            if tell and options.get("verbosity"):
                tell.write(f"adapted: {' '.join(statement.split())};\n")
    except django.db.Error as error:
        raise CommandError(
            f"Nothing was migrated; adapting the tables can be repeated. {error}"
        ) from error


def _told(finding: adoption.Finding) -> str:
    lines = [f"- {finding.sentence}", *(f"    {statement};" for statement in finding.sql)]
    return "\n".join(lines)

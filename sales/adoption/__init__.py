"""Checks the tables that Tripwire had before this product, and adapts them.

`check` reports everything, `adapt` adds what the code needs, `close` revokes rights that lead past
the site, and `require_fit` stops an act that could not be finished.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic

import django.db
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from onai.db import catalog, schema_changes
from onai.db.catalog import Table
from onai.identity.staff.standing import AccountsHidden
from onai.web.problems import Problem, Sentence
from sales.adoption.access import account_findings, right_findings, tables_of_tripwire
from sales.adoption.contents import content_findings
from sales.adoption.doors import api_roles, door_findings
from sales.adoption.findings import HEADINGS, LOG, STUDENTS, Finding, Severity
from sales.adoption.search import search_findings
from sales.adoption.shape import shape_findings

__all__ = [
    "HEADINGS",
    "DatabaseUnfit",
    "Finding",
    "Severity",
    "adapt",
    "check",
    "check_before_migrating",
    "close",
    "require_fit",
]

_FIT_FOR_SECONDS = 60.0
# There once we have migrated; before that, what the migrations build is not missing.
_OURS = {STUDENTS, "sales_staff"}
_ORDER = list(Severity)
# `migrate` adapts these, and no act fails for them until then.
_LIVABLE = {"default_missing", "key_outlived", "key_forbids_deletion"}


class DatabaseUnfit(Problem):
    """The tables would refuse what an act writes, so the act does not begin."""

    status = 503
    code = "database_unfit"
    message = _("База Tripwire не примет то, что пишет сайт. Ничего не изменилось.")
    advice = _(
        "Скажите администратору сервера: python manage.py check_database покажет, что исправить."
    )


def check() -> list[Finding]:
    """All findings about Tripwire, worst first. Raises Django's database errors."""
    found = _tables(tables_of_tripwire())
    unfit = list(_unfit(found))
    return _sorted([*unfit, *_further(found, unfit)])


def check_before_migrating() -> list[Finding]:
    """The same for the role that migrates, which must own the tables it changes."""
    found = _tables(tables_of_tripwire())
    adopted = _adopted(found)
    unfit = [*_not_owned(adopted), *account_findings(), *shape_findings(adopted)]
    return _sorted([*unfit, *_further(found, unfit)])


def adapt(findings: Iterable[Finding]) -> Iterator[str]:
    """Run the statements that `migrate` may run, and yield each once it is done.

    Each finding is complete by itself, so the next run continues an interrupted one. Raises
    Django's database errors.
    """
    for finding in findings:
        if finding.severity is Severity.ADAPTS:
            yield from _run(finding)


def close(findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    """Run the statements of `closable` findings, and yield each with the database's objection, or
    an empty text.

    A statement that we may not run does not stop the others.
    """
    for finding in findings:
        if not finding.closable:
            continue
        for statement in finding.sql:
            try:
                with schema_changes.warnings("tripwire") as warned:
                    schema_changes.execute("tripwire", statement)
            except django.db.ProgrammingError as error:
                yield statement, str(error).splitlines()[0]
            else:
                yield statement, "; ".join(warned)


def _run(finding: Finding) -> Iterator[str]:
    for statement in finding.sql:
        schema_changes.execute("tripwire", statement)
        yield statement


# --- Before an act -----------------------------------------------------------------------------


@dataclass(slots=True)
class _Memory:
    """Until when (`monotonic()`) the database counts as fit without a check."""

    fit_until: float = 0.0


_memory = _Memory()


def require_fit() -> None:
    """Check that the database can store an act on a student; every act calls this first.

    A good result is remembered for a minute in this process, a bad one is not. Raises
    `AccountsHidden`, `DatabaseUnfit`, or Django's database errors.
    """
    if monotonic() < _memory.fit_until:
        return
    for finding in _unfit(_tables([STUDENTS, LOG])):
        if finding.code == "accounts_hidden":
            raise AccountsHidden(
                _("База Tripwire не показывает сайту учётные записи. Ничего не изменилось.")
            )
        if finding.severity is not Severity.NOTE and finding.code not in _LIVABLE:
            raise DatabaseUnfit(_sentence(finding))
    _memory.fit_until = monotonic() + _FIT_FOR_SECONDS


def forget_fitness() -> None:
    """Check the database again before the next act."""
    _memory.fit_until = 0.0


def _sentence(finding: Finding) -> Sentence:
    return _now("%(sentence)s Ничего не изменилось.") % {"sentence": finding.sentence}


# --- What is looked at -------------------------------------------------------------------------


def _tables(names: Iterable[str]) -> Mapping[str, Table]:
    return catalog.tables("tripwire", [*names, "django_migrations"], roles=api_roles())


def _adopted(found: Mapping[str, Table]) -> Mapping[str, Table]:
    return {name: found[name] for name in (STUDENTS, LOG) if name in found}


def _unfit(found: Mapping[str, Table]) -> Iterator[Finding]:
    yield from account_findings()
    yield from right_findings()
    yield from shape_findings(_adopted(found))


def _further(found: Mapping[str, Table], unfit: Iterable[Finding]) -> Iterator[Finding]:
    yield from door_findings(found, api_roles())
    if all(finding.severity is not Severity.BLOCKS for finding in unfit):
        yield from content_findings(found)
        if found.keys() >= _OURS:
            yield from search_findings()


def _not_owned(adopted: Mapping[str, Table]) -> Iterator[Finding]:
    for table in adopted.values():
        if not table.ours:
            yield Finding(
                "not_owner",
                Severity.BLOCKS,
                _now(
                    "Таблицей %(table)s владеет другая роль: миграции запускает владелец таблиц,"
                    " в Supabase это postgres."
                )
                % {"table": table.name},
            )


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: _ORDER.index(finding.severity))

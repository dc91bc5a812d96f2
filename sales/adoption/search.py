"""The index of the students' search, which needs the extension `pg_trgm`.

Without it a search reads every student: about a second from some hundred thousand students on. So
the index is built where the database allows it, and otherwise reported as missing.
"""

from collections.abc import Iterator

import django.db
from django.utils.translation import gettext as _

from onai.db import postgres, schema_changes
from sales.adoption.findings import Finding, Severity

_INDEX = "public.students_search"
# Where Supabase keeps its extensions.
_EXTENSION = """
do $$ begin
  if to_regnamespace('extensions') is null then create extension if not exists pg_trgm;
  else create extension if not exists pg_trgm with schema extensions;
  end if;
end $$
"""
_STATE = """
select coalesce((select indisvalid from pg_index where indexrelid = to_regclass(%s)), false),
  exists (select from pg_available_extensions where name = 'pg_trgm'),
  quote_ident(nspname), has_schema_privilege(pg_namespace.oid, 'usage')
from (select) as one
left join pg_extension on extname = 'pg_trgm'
left join pg_namespace on pg_namespace.oid = extnamespace
"""


def try_to_index() -> None:
    """Create the index, with its extension, where we may. Raises Django's database errors."""
    try:
        schema_changes.execute("tripwire", _EXTENSION)
    except (django.db.ProgrammingError, django.db.NotSupportedError, django.db.OperationalError):
        return  # Not there, or not ours to create: `search_findings` tells.
    for finding in search_findings():
        for statement in finding.sql if finding.severity is Severity.ADAPTS else ():
            schema_changes.execute("tripwire", statement)


def search_findings() -> Iterator[Finding]:
    """Reports a missing index, with what to do. Raises Django's database errors."""
    ((indexed, available, schema, usable),) = postgres.rows("tripwire", _STATE, [_INDEX])
    if indexed:
        return
    # With the LC_CTYPE C it would know Latin letters only.
    if usable and not postgres.value("tripwire", f"select {schema}.show_trgm('яя') <> '{{}}'"):
        schema = None
    slower = _("Поиск студентов без индекса: он медленнее, когда студентов сотни тысяч.")
    if schema:
        yield Finding("search_not_indexed", Severity.ADAPTS, slower, _create(schema))
    else:
        extension = ("create extension if not exists pg_trgm",) if available else ()
        yield Finding("search_not_indexed", Severity.NOTE, slower, extension)


def _create(schema: str) -> tuple[str, ...]:
    return (
        f"drop index concurrently if exists {_INDEX}",
        "create index concurrently students_search on public.tripwire_users"
        f" using gin ((' ' || full_name || ' ' || email) {schema}.gin_trgm_ops)",
    )

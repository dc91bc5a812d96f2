"""What our role of a database sees of a table.

Row level security hides every row from a role without a policy, and gives no error: a count is zero
and a search finds nobody. So a reader of a protected table asks here first.
"""

from enum import StrEnum

from django.db import connections

from onai.db import postgres


class Visibility(StrEnum):
    """What a role may see of a table."""

    MISSING = "missing"
    NOT_GRANTED = "not_granted"
    # Row level security is on, and no policy shows our role a row.
    FILTERED = "filtered"
    SEEN = "seen"
    # Of an `OptionalTable`: it lacks a column that the product reads.
    LACKS_COLUMNS = "lacks_columns"


# An SQL condition on the oid `{table}`: row level security applies to our role, and no policy shows
# it every row. A policy with the condition `true` does, also while the table is empty.
ROWS_ARE_FILTERED = """
row_security_active({table}) and not exists (
  select from pg_policy
  where polrelid = {table} and polpermissive and polcmd in ('*', 'r')
    and pg_get_expr(polqual, polrelid) = 'true'
    and exists (
      select from unnest(polroles) as role where role = 0 or pg_has_role(role, 'usage')
    )
)
"""
_LOOK = f"""
select
  has_schema_privilege(pg_namespace.oid, 'usage')
    and has_table_privilege(pg_class.oid, 'select'),
  {ROWS_ARE_FILTERED.format(table="pg_class.oid")}
from pg_class join pg_namespace on pg_namespace.oid = relnamespace
where relname = %s and nspname = coalesce(%s, current_schema())
"""  # noqa: S608


def visibility(alias: str, table: str) -> Visibility:
    """What the role of the connection `alias` sees of `table` (`name` or `schema.name`).

    `FILTERED` means that row level security applies to our role, no policy shows it everything, and
    no row is visible. Raises Django's database errors.
    """
    schema, _, name = table.rpartition(".")
    found = postgres.rows(alias, _LOOK, [name, schema or None])
    if not found:
        return Visibility.MISSING
    granted, filtered = found[0]
    if not granted:
        return Visibility.NOT_GRANTED
    if not filtered:
        return Visibility.SEEN
    quote = connections[alias].ops.quote_name
    place = ".".join(quote(part) for part in (schema, name) if part)
    some = postgres.value(alias, f"select exists (select from {place})")  # noqa: S608
    return Visibility.SEEN if some else Visibility.FILTERED

"""Reads PostgreSQL's catalogue about tables that others made: columns, constraints, rights.

It never reads a row, so it is cheap and needs no right on the tables.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from django.db import connections
from pydantic import BeforeValidator, TypeAdapter

from onai.db import postgres

_Item = TypeVar("_Item")
# What PostgreSQL aggregates of no rows.
_NONE_IS_NULL = BeforeValidator(lambda value: value or {})
_Several = Annotated[tuple[_Item, ...], BeforeValidator(lambda value: value or ())]
_Rights = Annotated[frozenset[str], BeforeValidator(lambda value: value or ())]


def _by_name(columns: list[dict[str, Any]] | None) -> dict[str, dict[str, Any]]:
    return {column["name"]: column for column in columns or ()}


@dataclass(frozen=True, slots=True)
class Column:
    """`kind` is the type without its length; `length` is in characters, None without a limit.
    `generated` means that the database computes the value and accepts none.
    """

    name: str
    kind: str
    length: int | None
    nullable: bool
    has_default: bool
    generated: bool


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint over `columns`; `condition` is SQL over their names.

    `validated` means that it holds for the old rows too.
    """

    name: str
    condition: str
    columns: _Several[str]
    validated: bool


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`on_delete` is NO ACTION, RESTRICT, CASCADE, SET NULL or SET DEFAULT."""

    name: str
    columns: _Several[str]
    table: str
    references: str
    on_delete: str


@dataclass(frozen=True, slots=True)
class Unique:
    """A valid unique index over all rows.

    `key` is SQL: `email`, `lower(email)`, `a, b`. `constraint` is whether it belongs to a
    constraint.
    """

    name: str
    key: str
    constraint: bool
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger that is not internal, with the function it runs (`schema.name`).

    `pinned` means that the function's search_path is fixed and names temporary tables last; where
    it does not name them they come first. `may_refuse` means that the function raises an error of
    its own, or can skip a row.
    """

    name: str
    function: str
    definer: bool
    pinned: bool
    may_refuse: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of row level security. `command` is `*`, `r`, `a`, `w` or `d` as in `pg_policy`."""

    name: str
    command: str
    permissive: bool
    roles: _Several[str]
    using: str
    check: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it stands. `ours` is whether our role owns it; `rights` are, by role, the
    privileges on the table or one of its columns; `kind` is `r` for an ordinary table.
    """

    name: str
    kind: str
    ours: bool
    row_security: bool
    columns: Annotated[dict[str, Column], BeforeValidator(_by_name)]
    checks: _Several[Check]
    foreign_keys: _Several[ForeignKey]
    referenced_by: _Several[ForeignKey]
    uniques: _Several[Unique]
    triggers: _Several[Trigger]
    policies: _Several[Policy]
    rights: Annotated[dict[str, _Rights], _NONE_IS_NULL]


_TABLE = TypeAdapter(Table)
_RIGHTS = ("select", "insert", "update", "delete")
_FOREIGN_KEY = """
jsonb_build_object(
  'name', conname, 'table', conrelid::regclass::text, 'references', confrelid::regclass::text,
  'columns', (select jsonb_agg(attname order by attnum) from pg_attribute
              where attrelid = conrelid and attnum = any (conkey)),
  'on_delete', case confdeltype when 'c' then 'CASCADE' when 'n' then 'SET NULL'
    when 'd' then 'SET DEFAULT' when 'r' then 'RESTRICT' else 'NO ACTION' end)
"""
_TABLES = rf"""
select jsonb_build_object(
  'name', relname, 'kind', relkind, 'row_security', relrowsecurity,
  'ours', pg_has_role(relowner, 'usage'),
  'columns', (
    select jsonb_agg(jsonb_build_object(
      'name', attname, 'kind', format_type(atttypid, null), 'nullable', not attnotnull,
      'length', case when atttypid = 'varchar'::regtype and atttypmod > 4 then atttypmod - 4 end,
      'has_default', atthasdef or attidentity <> '', 'generated', attgenerated <> '')
      order by attnum)
    from pg_attribute where attrelid = pg_class.oid and attnum > 0 and not attisdropped),
  'checks', (
    select jsonb_agg(jsonb_build_object(
      'name', conname, 'condition', pg_get_expr(conbin, conrelid), 'validated', convalidated,
      'columns', (select jsonb_agg(attname order by attnum) from pg_attribute
                  where attrelid = conrelid and attnum = any (conkey))) order by conname)
    from pg_constraint where conrelid = pg_class.oid and contype = 'c'),
  'foreign_keys', (
    select jsonb_agg({_FOREIGN_KEY} order by conname) from pg_constraint
    where conrelid = pg_class.oid and contype = 'f' and conparentid = 0),
  'referenced_by', (
    select jsonb_agg({_FOREIGN_KEY} order by conname) from pg_constraint
    where confrelid = pg_class.oid and contype = 'f' and conparentid = 0),
  'uniques', (
    select jsonb_agg(jsonb_build_object('is_primary', indisprimary,
      'name', (select relname from pg_class as index where index.oid = indexrelid),
      'constraint', exists (select from pg_constraint where conindid = indexrelid
        and conrelid = indrelid), 'key', (
      select string_agg(pg_get_indexdef(indexrelid, place, true), ', ' order by place)
      from generate_series(1, indnkeyatts) as place)))
    from pg_index
    where indrelid = pg_class.oid and indisunique and indisvalid and indpred is null),
  'triggers', (
    select jsonb_agg(jsonb_build_object(
      'name', tgname, 'function', pronamespace::regnamespace::text || '.' || quote_ident(proname),
      'definer', prosecdef,
      'may_refuse', tgenabled <> 'D' and (prosrc ~* '\mraise\s+(exception|sqlstate)\M'
        or (tgtype & 3 = 3 and prosrc ~* '\mreturn\s+null\M')),
      'pinned', exists (
        select from unnest(proconfig) as setting
        where setting like 'search_path=%%pg_temp%%'
          or setting in ('search_path=', 'search_path=""')))
      order by tgname)
    from pg_trigger join pg_proc on pg_proc.oid = tgfoid
    where tgrelid = pg_class.oid and not tgisinternal),
  'policies', (
    select jsonb_agg(jsonb_build_object(
      'name', polname, 'command', polcmd, 'permissive', polpermissive,
      'roles', (select jsonb_agg(case when role = 0 then 'public' else role::regrole::text end)
                from unnest(polroles) as role),
      'using', coalesce(pg_get_expr(polqual, polrelid), ''),
      'check', coalesce(pg_get_expr(polwithcheck, polrelid), '')) order by polname)
    from pg_policy where polrelid = pg_class.oid),
  'rights', (
    select jsonb_object_agg(rolname, (
      select jsonb_agg(privilege) from unnest(%(rights)s::text[]) as privilege
      where has_table_privilege(pg_roles.oid, pg_class.oid, privilege)
        or (privilege <> 'delete'
            and has_any_column_privilege(pg_roles.oid, pg_class.oid, privilege))))
    from pg_roles where rolname = any (%(roles)s)))
from pg_class
where relnamespace = %(schema)s::regnamespace and relname = any (%(names)s)
  and relkind in ('r', 'p', 'v', 'm', 'f')
"""  # noqa: S608


def tables(
    alias: str, names: Iterable[str], *, roles: Iterable[str] = (), schema: str = "public"
) -> dict[str, Table]:
    """Those of the named tables that exist, by name, with the rights of `roles` on them.

    Raises Django's database errors.
    """
    wanted: dict[str, Any] = {
        "names": list(names),
        "roles": list(roles),
        "rights": list(_RIGHTS),
        "schema": schema,
    }
    # Django has psycopg return jsonb as text.
    found = [_TABLE.validate_json(row[0]) for row in postgres.rows(alias, _TABLES, wanted)]
    return {table.name: table for table in found}


def satisfies(alias: str, table: Table, check: Check, rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a CHECK of the table accepts every one of these rows, by the types of its columns and
    regardless of their lengths.

    A column that a row does not name is null. Raises Django's database errors.
    """
    quote = connections[alias].ops.quote_name
    columns = ", ".join(
        f"(value ->> '{name}')::{table.columns[name].kind} as {quote(name)}"
        for name in check.columns
    )
    condition = check.condition.replace("%", "%%")
    statement = (
        f"select coalesce(bool_and(({condition}) is not false), true)"  # noqa: S608
        f" from (select {columns} from unnest(%s::jsonb[]) as value) as written"
    )
    return bool(postgres.value(alias, statement, [[json.dumps(row) for row in rows]]))


def quoted(name: str) -> str:
    """A name, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'

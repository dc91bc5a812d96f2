"""Ways past this site to its tables.

Anybody can use Supabase's data API: with the public key as the role `anon`, after signing in as
`authenticated`. The guards of this site are useless while these roles may write the tables, read
them, or run a function that does.
"""

import re
from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from onai.db import postgres
from onai.db.catalog import Policy, Table, quoted
from sales.adoption.findings import LOG, STUDENTS, Finding, Severity

API_ROLES = ("anon", "authenticated")
# The rights of each of these roles on a table.
Rights = Mapping[str, frozenset[str]]
_WRITES = {"insert": "a", "update": "w", "delete": "d"}
# A condition that calls no function about the user holds for everybody.
_WHO_ASKS = re.compile(r"\b(?!role\b)\w+\(")
# Schemas that Supabase guards itself.
_SUPABASES = (
    *("auth", "extensions", "graphql", "graphql_public", "net", "pgbouncer", "pgsodium"),
    *("realtime", "storage", "supabase_functions", "vault", "cron", "information_schema"),
)
_TOUCHES = r"tripwire|sales_|procrastinate_|auth\.users"
_FUNCTIONS = """
select case prokind when 'p' then 'procedure ' else 'function ' end
    || pg_proc.oid::regprocedure::text,
  has_function_privilege('service_role', pg_proc.oid, 'execute')
from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
where prosecdef and prokind in ('f', 'p') and prorettype <> 'trigger'::regtype
  and nspname <> all (%(supabases)s) and nspname not like 'pg\\_%%'
  and not exists (select from pg_depend where objid = pg_proc.oid and classid = 'pg_proc'::regclass
      and deptype = 'e')
  and exists (
    select from unnest(%(roles)s::text[]) as role
    where has_schema_privilege(role, pg_namespace.oid, 'usage')
      and has_function_privilege(role, pg_proc.oid, 'execute'))
  and case when prokind in ('f', 'p')
      then pg_get_functiondef(pg_proc.oid) ~* %(touches)s end
order by 1
"""
_VIEWS = """
select distinct pg_class.oid::regclass::text
from pg_class
join pg_rewrite on ev_class = pg_class.oid
join pg_depend on pg_depend.objid = pg_rewrite.oid and classid = 'pg_rewrite'::regclass
where relkind in ('v', 'm') and refclassid = 'pg_class'::regclass
  and refobjid = any (%(tables)s::regclass[]) and pg_class.oid <> refobjid
  and not coalesce(reloptions @> '{security_invoker=true}'
    or reloptions @> '{security_invoker=on}', false)
  and exists (
    select from unnest(%(roles)s::text[]) as role
    where has_schema_privilege(role, relnamespace, 'usage')
      and has_any_column_privilege(role, pg_class.oid, 'select'))
order by 1
"""


def api_roles() -> list[str]:
    """The roles of the data API that exist in this database."""
    statement = "select rolname from pg_roles where rolname = any (%s)"
    return sorted(name for (name,) in postgres.rows("tripwire", statement, [list(API_ROLES)]))


def door_findings(found: Mapping[str, Table], roles: list[str]) -> Iterator[Finding]:
    """Every way past the site to these tables, worst first. Raises Django's database errors."""
    if not roles:
        return
    for table in found.values():
        yield from _of_table(table, roles)
        yield from _of_triggers(table)
    yield from _of_views(found, roles)
    yield from _of_functions(roles)


def _everybody(roles: list[str]) -> str:
    return ", ".join(["public", *sorted(roles)])


def _of_table(table: Table, roles: list[str]) -> Iterator[Finding]:
    reachable = {role: table.rights.get(role, frozenset()) for role in roles}
    if not table.row_security:
        yield from _of_open_table(table, reachable)
        return
    yield from _of_writers(table, reachable)
    yield from _of_readers(table, reachable)
    for policy in table.policies:
        if "user_metadata" in policy.using + policy.check:
            yield Finding(
                "policy_believes_users",
                Severity.DANGER,
                _(
                    "Политика «%(policy)s» таблицы %(table)s верит user_metadata, а туда"
                    " пользователь пишет сам."
                )
                % {"policy": policy.name, "table": table.name},
                (f"drop policy {quoted(policy.name)} on public.{table.name}",),
            )


def _of_open_table(table: Table, reachable: Rights) -> Iterator[Finding]:
    if not any(reachable.values()):
        return
    where = f"public.{table.name}"
    adopted = table.name in (STUDENTS, LOG)
    yield Finding(
        "open_table",
        Severity.DANGER,
        _("Таблица %(table)s открыта через API данных: %(rights)s.")
        % {"table": table.name, "rights": _told(reachable)},
        (f"revoke all on {where} from {_everybody(list(reachable))}",)
        if adopted
        else (f"alter table {where} enable row level security",),
        closable=True,
    )


def _of_writers(table: Table, reachable: Rights) -> Iterator[Finding]:
    written = {
        role: frozenset(
            right
            for right, command in _WRITES.items()
            if right in rights and any(_lets(one, command, role) for one in table.policies)
        )
        for role, rights in reachable.items()
    }
    if not any(written.values()):
        return
    roles = list(reachable)
    yield Finding(
        "students_write",
        Severity.DANGER,
        _("Строки таблицы %(table)s меняют мимо сайта, свои или чужие: %(rights)s (%(names)s).")
        % {"table": table.name, "rights": _told(written), "names": _names(table, roles)},
        (
            f"revoke insert, update, delete, truncate on public.{table.name}"
            f" from {_everybody(roles)}",
        ),
        closable=True,
    )


def _of_readers(table: Table, reachable: Rights) -> Iterator[Finding]:
    readers = [
        role
        for role, rights in reachable.items()
        if "select" in rights
        and any(_lets(one, "r", role) and _for_everybody(one.using) for one in table.policies)
    ]
    if readers:
        yield Finding(
            "everybody_reads",
            Severity.DANGER,
            _("Таблицу %(table)s читает целиком через API данных: %(roles)s.")
            % {"table": table.name, "roles": ", ".join(readers)},
            (f"revoke select on public.{table.name} from {_everybody(list(reachable))}",),
            closable=True,
        )


def _lets(policy: Policy, command: str, role: str) -> bool:
    return (
        policy.permissive
        and policy.command in ("*", command)
        and bool({"public", role} & set(policy.roles))
    )


def _for_everybody(condition: str) -> bool:
    return not _WHO_ASKS.search(condition) and "request.jwt" not in condition


def _names(table: Table, roles: list[str]) -> str:
    return ", ".join(
        f"«{policy.name}»"
        for policy in table.policies
        if any(_lets(policy, command, role) for command in "awd" for role in roles)
    )


def _told(rights: Rights) -> str:
    return "; ".join(f"{role}: {', '.join(sorted(may))}" for role, may in rights.items() if may)


def _of_triggers(table: Table) -> Iterator[Finding]:
    for trigger in table.triggers:
        if trigger.definer and not trigger.pinned:
            yield Finding(
                "trigger_unpinned",
                Severity.DANGER,
                _(
                    "Триггер %(trigger)s таблицы %(table)s выполняется с правами владельца, а"
                    " search_path в нём не закреплён: временная таблица подменит то, что он читает."
                )
                % {"trigger": trigger.name, "table": table.name},
                (f"alter function {trigger.function}() set search_path = public, pg_temp",),
            )


def _of_views(found: Mapping[str, Table], roles: list[str]) -> Iterator[Finding]:
    tables = [f"public.{name}" for name in found]
    for (view,) in postgres.rows("tripwire", _VIEWS, {"tables": tables, "roles": roles}):
        yield Finding(
            "open_view",
            Severity.DANGER,
            _("Представление %(view)s показывает через API данных строки, которых не видно прямо.")
            % {"view": view},
            (f"revoke all on {view} from {_everybody(roles)}",),
            closable=True,
        )


def _of_functions(roles: list[str]) -> Iterator[Finding]:
    statement, about = _FUNCTIONS, {"supabases": list(_SUPABASES), "touches": _TOUCHES}
    if not postgres.rows("tripwire", "select 1 from pg_roles where rolname = 'service_role'"):
        servers = "has_function_privilege('service_role', pg_proc.oid, 'execute')"
        statement = statement.replace(servers, "false")
    for function, servers_use in postgres.rows("tripwire", statement, {"roles": roles, **about}):
        sql = [f"revoke execute on {function} from {_everybody(roles)}"]
        if servers_use:
            # The service role may have had the right only through `public`.
            sql.append(f"grant execute on {function} to service_role")
        yield Finding(
            "open_function",
            Severity.DANGER,
            _(
                "Функцию %(function)s через API данных вызывает кто угодно, а действует она"
                " с правами владельца."
            )
            % {"function": function.partition(" ")[2]},
            tuple(sql),
            closable=True,
        )

"""What our role of the database Tripwire may see and write.

Row level security is on for Supabase's tables and for ours. A role that it filters sees an empty
table and gets no error.
"""

from collections.abc import Iterator

from django.apps import apps
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onai.db import postgres
from onai.db.catalog import quoted
from onai.db.visibility import Visibility, visibility
from sales.adoption.findings import Finding, Severity
from sales.models import platform

ACCOUNT_TABLES = ("auth.users", "auth.identities", "auth.sessions")
_HIDDEN: dict[Visibility, str | Promise] = {
    Visibility.MISSING: gettext_lazy(
        "Таблицы %(table)s нет: та ли это база, и работает ли в ней Supabase Auth?"
    ),
    Visibility.NOT_GRANTED: gettext_lazy(
        "Роли %(role)s не дано читать %(table)s, поэтому учётных записей она не видит."
    ),
    Visibility.FILTERED: gettext_lazy(
        "Строки %(table)s фильтрует защита (RLS), и роль %(role)s не видит ни одной."
    ),
}
# One right at a time, because a policy may be for one command only.
_LACKING = """
select relname,
  array(select privilege from unnest(array['select', 'insert', 'update', 'delete']) as privilege
        where not has_table_privilege(pg_class.oid, privilege)),
  row_security_active(pg_class.oid) and exists (
    select from unnest(array['r', 'a', 'w', 'd']) as command
    where not exists (
      select from pg_policy
      where polrelid = pg_class.oid and polpermissive and polcmd in ('*', command)
        and (command = 'a' or pg_get_expr(polqual, polrelid) = 'true')
        and (command in ('r', 'd')
          or coalesce(pg_get_expr(polwithcheck, polrelid), pg_get_expr(polqual, polrelid)) = 'true')
        and exists (
          select from unnest(polroles) as role where role = 0 or pg_has_role(role, 'usage')))),
  array(select sequence.oid::regclass::text
        from pg_class sequence join pg_depend on pg_depend.objid = sequence.oid
        where refobjid = pg_class.oid and deptype = 'a' and classid = 'pg_class'::regclass
          and case when sequence.relkind = 'S'
              then not has_sequence_privilege(sequence.oid, 'usage') end)
from pg_class
where relnamespace = 'public'::regnamespace and relkind = 'r' and relname = any (%s)
order by relname
"""


def tables_of_tripwire() -> list[str]:
    """Every table in Tripwire's schema `public` that the installed code reads or writes."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if settings.DATABASE_OF_APP.get(model._meta.app_label) == "tripwire"
        # Those are read only where they can be; procrastinate's are unmanaged, too, and needed.
        and model.__module__ != platform.__name__
    )


def account_findings() -> Iterator[Finding]:
    """Reports that our role does not see Supabase's accounts. Raises Django's database errors."""
    for table in ACCOUNT_TABLES:
        seen = visibility("tripwire", table)
        if seen is Visibility.SEEN:
            continue
        role = postgres.role("tripwire")
        us = quoted(role)
        sql = {
            Visibility.MISSING: (),
            Visibility.NOT_GRANTED: (
                f"grant usage on schema auth to {us}",
                f"grant select on {', '.join(ACCOUNT_TABLES)} to {us}",
            ),
            Visibility.FILTERED: (f"alter role {us} bypassrls",),
        }[seen]
        yield Finding(
            "accounts_hidden",
            Severity.BLOCKS,
            str(_HIDDEN[seen]) % {"role": role, "table": table},
            sql,
        )
        return


def right_findings() -> Iterator[Finding]:
    """Reports the rights that our role lacks on its tables. Raises Django's database errors."""
    rows = postgres.rows("tripwire", _LACKING, [tables_of_tripwire()])
    sql: list[str] = []
    lacking = [(table, rights) for table, rights, _filtered, _sequences in rows if rights]
    filtered = [table for table, _rights, is_filtered, _sequences in rows if is_filtered]
    sequences = [name for *_rest, names in rows for name in names]
    if not (lacking or filtered or sequences):
        return
    role = postgres.role("tripwire")
    us = quoted(role)
    sql += [f"grant {', '.join(rights)} on public.{table} to {us}" for table, rights in lacking]
    sql += [f"grant usage on sequence {name} to {us}" for name in sequences]
    if filtered:
        sql.append(f"alter role {us} bypassrls")
    tables = sorted({table for table, _rights in lacking} | set(filtered))
    yield Finding(
        "rights_lacking",
        Severity.BLOCKS,
        _("Роль %(role)s не может читать или писать: %(tables)s.")
        % {"role": role, "tables": ", ".join(tables) or ", ".join(sequences)},
        tuple(sql),
    )

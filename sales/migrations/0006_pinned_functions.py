from importlib import import_module

from django.db import migrations

_cabinet = import_module("sales.migrations.0003_cabinet")
_at_scale = import_module("sales.migrations.0005_cabinet_at_scale")
_TABLES = ("sales_totals_monthly", "sales_totals")
# A temporary table would otherwise come before ours, in a function that runs with its owner's
# rights: whoever writes a student could then have their own code run as the owner.
_PIN = "alter function public.{function}() set search_path = pg_catalog, public, pg_temp"
# Supabase grants new functions to its roles by name. A trigger needs no such right.
_CLOSE = """
do $$
declare role text;
begin
  revoke execute on function public.{function}() from public;
  for role in
    select rolname from pg_roles where rolname in ('anon', 'authenticated', 'service_role')
  loop
    execute format('revoke execute on function public.{function}() from %I', role);
  end loop;
end $$
"""


def _qualified(function):
    for table in _TABLES:
        for before in ("into ", "from "):
            function = function.replace(f"{before}{table} ", f"{before}public.{table} ")
            function = function.replace(f"{before}{table};", f"{before}public.{table};")
    return function


def _pin(apps, schema_editor):
    for event, (_, sources) in _cabinet._EVENTS.items():
        changes = " union all ".join(
            _cabinet._rows(source, sign) for source, sign in sources.items()
        )
        function = _at_scale._FUNCTION.format(event=event, changes=changes)
        schema_editor.execute(_qualified(function), params=None)
    schema_editor.execute(_qualified(_at_scale._TRUNCATED), params=None)
    for event in (*_cabinet._EVENTS, "truncate"):
        for statement in (_PIN, _CLOSE):
            schema_editor.execute(statement.format(function=f"sales_count_{event}"), params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('sales', '0005_cabinet_at_scale'),
    ]

    operations = [
        migrations.RunPython(_pin, migrations.RunPython.noop),
    ]

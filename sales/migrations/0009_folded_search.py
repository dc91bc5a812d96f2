from django.db import migrations

from onai.db import schema_changes

# As in 0005, but of folded text: composed (NFC), in small letters, Kazakh letters and ё as a Russian
# keyboard has them, one kind of space. `onai.contacts.folding` says the same in Python.
_TERMS = """
create or replace function public.sales_search_terms_folded(
  full_name text, email text, granted_by uuid, status text, welcome_email_sent boolean
) returns text[] language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
declare
  spaced text := ' ' || translate(
    lower(normalize(full_name || ' ' || email, NFC)),
    'әғёіқңөұүһ' || U&'\\00a0\\2007\\202f', 'агеикноуух' || '   '
  );
  terms text[] := array[
    'manager ' || coalesce(granted_by::text, ''), 'status ' || coalesce(status, ''),
    'letter ' || coalesce(welcome_email_sent, false)
  ];
begin
  for place in 1 .. length(spaced) - 2 loop
    terms := terms || substr(spaced, place, 3);
  end loop;
  return terms;
end $$
"""
_ARGUMENTS = "(text, text, uuid, text, boolean)"
_INDEX = """
create index concurrently tripwire_users_search_folded on tripwire_users
using gin (sales_search_terms_folded(full_name, email, granted_by, status, welcome_email_sent))
with (gin_pending_list_limit = 256)
"""
# Under the old names, so that whoever is still running the old code goes on finding students. An
# index knows its function whatever the function is called.
_SWAPPED = f"""
alter index if exists tripwire_users_search rename to tripwire_users_search_plain;
alter index tripwire_users_search_folded rename to tripwire_users_search;
alter function sales_search_terms{_ARGUMENTS} rename to sales_search_terms_plain;
alter function sales_search_terms_folded{_ARGUMENTS} rename to sales_search_terms;
"""
# Also what an attempt that was cut off has left.
_FORGOTTEN = (
    "drop index concurrently if exists tripwire_users_search_plain",
    f"drop function if exists sales_search_terms_plain{_ARGUMENTS}",
)
_UNFINISHED = "drop index concurrently if exists tripwire_users_search_folded"


def _fold(apps, schema_editor):
    for statement in (*_FORGOTTEN, _UNFINISHED, _TERMS, _INDEX, _SWAPPED, *_FORGOTTEN):
        schema_changes.execute(schema_editor.connection.alias, statement)


class Migration(migrations.Migration):

    # An index that is built while others write cannot be part of a transaction.
    atomic = False

    dependencies = [
        ('sales', '0008_auth_errors'),
    ]

    operations = [
        migrations.RunPython(_fold, migrations.RunPython.noop),
    ]

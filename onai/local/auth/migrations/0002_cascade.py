from django.db import migrations

# As in Supabase Auth, rows of an account or a session go with it, whoever deletes it.
_CASCADE = """
do $$
declare tie record;
begin
  for tie in
    select conname, conrelid::regclass as child, pg_get_constraintdef(oid) as definition
    from pg_constraint
    where contype = 'f' and confrelid in ('users'::regclass, 'sessions'::regclass)
      and conrelid in ('sessions'::regclass, 'identities'::regclass, 'refresh_tokens'::regclass)
  loop
    execute format('alter table %s drop constraint %I', tie.child, tie.conname);
    execute format('alter table %s add constraint %I %s', tie.child, tie.conname,
      replace(tie.definition, ' DEFERRABLE', ' ON DELETE CASCADE DEFERRABLE'));
  end loop;
end $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('local_auth', '0001_initial'),
    ]

    operations = [
        migrations.RunSQL(_CASCADE, migrations.RunSQL.noop),
    ]

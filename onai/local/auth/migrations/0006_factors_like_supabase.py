from django.db import migrations

_TABLES = ('mfa_factors', 'mfa_challenges', 'mfa_amr_claims')
# Whoever deletes an account or a session, what belongs to it goes with it.
_CASCADE = """
do $$
declare tie record;
begin
  for tie in
    select conname, conrelid::regclass as child, pg_get_constraintdef(oid) as definition
    from pg_constraint
    where contype = 'f'
      and conrelid in ('mfa_factors'::regclass, 'mfa_challenges'::regclass, 'mfa_amr_claims'::regclass)
  loop
    execute format('alter table %s drop constraint %I', tie.child, tie.conname);
    execute format('alter table %s add constraint %I %s', tie.child, tie.conname,
      replace(tie.definition, ' DEFERRABLE', ' ON DELETE CASCADE DEFERRABLE'));
  end loop;
end $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ('local_auth', '0005_factors'),
    ]

    operations = [
        migrations.RunSQL(_CASCADE, migrations.RunSQL.noop),
        *(
            migrations.RunSQL(
                f'alter table {table} enable row level security',
                f'alter table {table} disable row level security',
            )
            for table in _TABLES
        ),
    ]

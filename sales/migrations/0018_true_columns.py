"""Django learns of Supabase's accounts and the platform's tables, which no migration touches. The
order by `last_active_at`, a column that nothing writes, goes with its index.
"""

from django.db import migrations, models

from onai.db import schema_changes

_ACTIVE = "tripwire_users_active"


def _forget(apps, schema_editor):
    schema_changes.execute(
        schema_editor.connection.alias, f"drop index concurrently if exists {_ACTIVE}"
    )


def _others(name, table, *fields):
    """A model of a table that is not ours."""
    return migrations.CreateModel(
        name=name, fields=fields, options={'db_table': table, 'managed': False}
    )


class Migration(migrations.Migration):

    # An index that goes while others write cannot be part of a transaction.
    atomic = False

    dependencies = [
        ('sales', '0017_letter_language'),
    ]

    operations = [
        _others(
            'Account',
            '"auth"."users"',
            ('id', models.UUIDField(primary_key=True, serialize=False)),
            ('last_sign_in_at', models.DateTimeField(null=True)),
            ('is_anonymous', models.BooleanField()),
        ),
        _others(
            'CourseProfile',
            'tripwire_user_profile',
            ('account_id', models.UUIDField(db_column='user_id', primary_key=True, serialize=False)),
            ('modules_completed', models.IntegerField(null=True)),
            ('total_modules', models.IntegerField(null=True)),
            ('certificate_issued', models.BooleanField(null=True)),
        ),
        _others(
            'Lesson',
            'tripwire_progress',
            (
                'account_id',
                models.UUIDField(db_column='tripwire_user_id', primary_key=True, serialize=False),
            ),
            ('module_id', models.IntegerField()),
            ('is_completed', models.BooleanField(null=True)),
            ('completed_at', models.DateTimeField(null=True)),
            ('updated_at', models.DateTimeField(null=True)),
        ),
        _others(
            'Certificate',
            'certificates',
            ('account_id', models.UUIDField(db_column='user_id', primary_key=True, serialize=False)),
            ('issued_at', models.DateTimeField(null=True)),
        ),
        # No column.
        migrations.AddField(
            model_name='student',
            name='account',
            field=models.ForeignObject(
                from_fields=['user_id'],
                on_delete=models.DO_NOTHING,
                related_name='+',
                to='sales.account',
                to_fields=['id'],
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(_forget, migrations.RunPython.noop)],
            state_operations=[migrations.RemoveIndex(model_name='student', name=_ACTIVE)],
        ),
    ]

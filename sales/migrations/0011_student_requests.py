"""One table of requests instead of `sales_intentions` and `sales_changes`, whose rows go over.

Nothing that others write is locked. Processes of the version before, which look for the former
tables, fail from here on and write nothing. What they had begun is left to them for two minutes,
longer than they take to fail, and then finished by the worker of this version.
"""

import django.db.models.functions.datetime
import uuid
from django.db import migrations, models

_CARRY_OVER = [
    "lock table sales_intentions, sales_changes in access exclusive mode",
    """
    insert into sales_requests (
      id, kind, state, student_id, account_id, email, full_name, account_email, account_name,
      asked_by, fingerprint, new_status, new_email, new_full_name, new_manager_id, new_manager_name,
      sealed_password, refusal, auth_error, auth_errors, leased_until, attempts, created_at, closed_at
    )
    select
      -- Its id is whatever a browser has sent.
      case when exists (select from sales_intentions other where other.id = change.id)
        then gen_random_uuid() else id end,
      kind, state, student_id, account_id, email, full_name, account_email, account_name,
      asked_by, fingerprint, new_status, new_email, new_full_name, new_manager_id, new_manager_name,
      sealed_password,
      case refusal when 'email_taken_by_identity' then 'address_elsewhere' else refusal end,
      auth_error, auth_errors,
      case state when 'open' then greatest(leased_until, now() + interval '2 minutes')
        else leased_until end,
      attempts, created_at, closed_at
    from sales_changes change
    """,
    """
    insert into sales_requests (
      id, kind, state, account_id, email, full_name, asked_by, idempotency_key, fingerprint, adopts,
      new_email, new_manager_id, new_manager_name, sealed_password, answer, refusal, auth_error,
      auth_errors, leased_until, attempts, give_up_at, created_at, closed_at
    )
    select
      id, 'creation', state, account_id, email, full_name, asked_by, idempotency_key, fingerprint,
      adopts,
      -- A correction and a creation might give one address at once; Supabase gives it to one of them.
      case when state = 'open' and exists (
        select from sales_changes change
        where change.state = 'open' and change.new_email = creation.email
      ) then null else email end,
      granted_by, manager_name, sealed_password, answer, refusal, auth_error, auth_errors,
      case state when 'open' then greatest(leased_until, now() + interval '2 minutes')
        else leased_until end,
      attempts, give_up_at, created_at, closed_at
    from sales_intentions creation
    """,
]


class Migration(migrations.Migration):

    dependencies = [
        ('sales', '0010_indexes'),
    ]

    operations = [
        migrations.RunSQL("set local lock_timeout = '3s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='StudentRequest',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('kind', models.TextField(choices=[('creation', 'Создание доступа'), ('status', 'Смена статуса'), ('password', 'Новый пароль'), ('correction', 'Исправление имени или почты'), ('handover', 'Передача другому менеджеру'), ('deletion', 'Удаление')])),
                ('state', models.TextField(choices=[('open', 'Выполняется'), ('done', 'Выполнено'), ('refused', 'Отказано')], default='open')),
                ('student_id', models.UUIDField(null=True)),
                ('account_id', models.UUIDField(default=uuid.uuid4)),
                ('email', models.TextField()),
                ('full_name', models.TextField()),
                ('account_email', models.TextField(db_default='', default='')),
                ('account_name', models.TextField(db_default='', default='')),
                ('asked_by', models.UUIDField()),
                ('idempotency_key', models.TextField(null=True)),
                ('fingerprint', models.TextField()),
                ('adopts', models.BooleanField(db_default=False, default=False)),
                ('new_status', models.TextField(choices=[('active', 'Активен'), ('inactive', 'Неактивен'), ('completed', 'Прошёл курс'), ('blocked', 'Заблокирован')], null=True)),
                ('new_email', models.TextField(null=True)),
                ('new_full_name', models.TextField(null=True)),
                ('new_manager_id', models.UUIDField(null=True)),
                ('new_manager_name', models.TextField(null=True)),
                ('sealed_password', models.TextField(db_default='', default='')),
                ('answer', models.JSONField(null=True)),
                ('refusal', models.TextField(null=True)),
                ('auth_error', models.TextField(db_default='', default='')),
                ('auth_errors', models.IntegerField(db_default=0, default=0)),
                ('leased_until', models.DateTimeField()),
                ('attempts', models.IntegerField(db_default=1, default=1)),
                ('give_up_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('closed_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'sales_requests',
            },
        ),
        migrations.AddIndex(
            model_name='studentrequest',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['leased_until'], name='sales_requests_open'),
        ),
        migrations.AddIndex(
            model_name='studentrequest',
            index=models.Index(fields=['closed_at'], name='sales_requests_closed'),
        ),
        migrations.AddConstraint(
            model_name='studentrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('student_id',), name='sales_requests_one_open_for_a_student'),
        ),
        migrations.AddConstraint(
            model_name='studentrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('new_email',), name='sales_requests_one_open_for_an_email'),
        ),
        migrations.AddConstraint(
            model_name='studentrequest',
            constraint=models.UniqueConstraint(fields=('asked_by', 'idempotency_key'), name='sales_requests_idempotency_key'),
        ),
        # Supabase's data API would show the table to anyone; without a policy only its owner sees it.
        migrations.RunSQL(
            'alter table sales_requests enable row level security', migrations.RunSQL.noop
        ),
        migrations.RunSQL(_CARRY_OVER),
        migrations.DeleteModel(
            name='Change',
        ),
        migrations.DeleteModel(
            name='Intention',
        ),
    ]

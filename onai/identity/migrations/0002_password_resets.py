import django.db.models.functions.datetime
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0001_register'),
    ]

    operations = [
        migrations.CreateModel(
            name='PasswordReset',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('email', models.TextField()),
                ('visitor', models.TextField()),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('state', models.TextField(choices=[('waiting', 'Waiting'), ('sent', 'Sent'), ('no_account', 'No Account'), ('limited', 'Limited'), ('failed', 'Failed')], default='waiting')),
                ('leased_until', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('problem', models.TextField(db_default='', default='')),
                ('idempotency_key', models.UUIDField(default=uuid.uuid4)),
                ('recipient', models.TextField(db_default='', default='')),
                ('sealed_token', models.TextField(db_default='', default='')),
                ('token_digest', models.TextField(db_default='', default='')),
                ('account_id', models.UUIDField(null=True)),
                ('opened_at', models.DateTimeField(null=True)),
                ('sealed_session', models.TextField(db_default='', default='')),
                ('changed_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'sales_password_resets',
                'indexes': [models.Index(fields=['email', 'asked_at'], name='password_resets_email'), models.Index(fields=['visitor', 'asked_at'], name='password_resets_visitor'), models.Index(fields=['token_digest'], name='password_resets_token'), models.Index(fields=['asked_at'], name='password_resets_asked'), models.Index(condition=models.Q(('state', 'waiting')), fields=['leased_until'], name='password_resets_waiting')],
            },
        ),
        migrations.RunSQL(
            'alter table sales_password_resets enable row level security', migrations.RunSQL.noop
        ),
    ]

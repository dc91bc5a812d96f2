"""What becomes of a letter after it was sent: columns with defaults, which rewrite no row, and the
table of events. Processes of the version before go on writing letters.
"""

import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sales', '0014_buyers'),
    ]

    operations = [
        migrations.RunSQL("set local lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='LetterEvent',
            fields=[
                ('svix_id', models.TextField(primary_key=True, serialize=False)),
                ('letter_id', models.UUIDField(null=True)),
                ('resend_id', models.TextField()),
                ('delivery', models.TextField(choices=[('accepted', 'Принято'), ('delayed', 'Задерживается'), ('delivered', 'Доставлено'), ('undelivered', 'Не дошло'), ('suppressed', 'В стоп-листе'), ('complained', 'Жалоба на спам')])),
                ('reason', models.TextField(db_default='', default='')),
                ('occurred_at', models.DateTimeField()),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('applied_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'sales_letter_events',
            },
        ),
        migrations.AddIndex(
            model_name='letterevent',
            index=models.Index(condition=models.Q(('applied_at', None)), fields=['received_at'], name='sales_letter_events_waiting'),
        ),
        migrations.AddIndex(
            model_name='letterevent',
            index=models.Index(fields=['-received_at'], name='sales_letter_events_newest'),
        ),
        migrations.AddField(
            model_name='welcomeletter',
            name='asked_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='welcomeletter',
            name='delivery',
            field=models.TextField(choices=[('accepted', 'Принято'), ('delayed', 'Задерживается'), ('delivered', 'Доставлено'), ('undelivered', 'Не дошло'), ('suppressed', 'В стоп-листе'), ('complained', 'Жалоба на спам')], db_default='accepted', default='accepted'),
        ),
        migrations.AddField(
            model_name='welcomeletter',
            name='delivery_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='welcomeletter',
            name='delivery_reason',
            field=models.TextField(db_default='', default=''),
        ),
        migrations.AddField(
            model_name='welcomeletter',
            name='resend_id',
            field=models.TextField(db_default='', default=''),
        ),
        migrations.AddField(
            model_name='studentrequest',
            name='reissues',
            field=models.BooleanField(db_default=False, default=False),
        ),
        # Supabase's data API would show the table to anyone; without a policy only its owner sees it.
        migrations.RunSQL(
            'alter table sales_letter_events enable row level security', migrations.RunSQL.noop
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sales', '0002_provisioning'),
    ]

    operations = [
        migrations.CreateModel(
            name='StaffMember',
            fields=[
                ('user_id', models.UUIDField(primary_key=True, serialize=False)),
                ('email', models.TextField()),
                ('full_name', models.TextField()),
                ('role', models.TextField()),
            ],
            options={
                'db_table': 'sales_staff',
            },
        ),
        # Supabase's data API would show the table to anyone; without a policy only its owner sees it.
        migrations.RunSQL('alter table sales_staff enable row level security', migrations.RunSQL.noop),
    ]

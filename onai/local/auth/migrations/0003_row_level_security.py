from django.db import migrations

# As in Supabase Auth: without a policy, whoever does not pass it sees no row, and no error.
_TABLES = ("users", "identities", "sessions", "refresh_tokens")


class Migration(migrations.Migration):
    dependencies = [
        ("local_auth", "0002_cascade"),
    ]

    operations = [
        migrations.RunSQL(
            f"alter table {table} enable row level security",
            f"alter table {table} disable row level security",
        )
        for table in _TABLES
    ]

"""The copy of who is staff becomes the register of staff.

Whoever claims to be staff today, and may be, is confirmed, so that whoever works goes on working;
the owner finds them listed on `/status` to look through.
"""

import logging

from django.db import migrations, models

logger = logging.getLogger(__name__)

# Row level security hides every row from a role that no policy lets read, without an error.
_READABLE = """
select to_regclass('auth.users') is not null and to_regclass('tripwire_users') is not null
  and has_schema_privilege('auth', 'usage')
  and has_table_privilege(to_regclass('auth.users'), 'select')
"""
_HIDDEN = "select row_security_active('auth.users') and not exists (select from auth.users)"
_FILL = """
insert into sales_staff
  (user_id, email, full_name, role, confirmed_role, confirmed_beside, decided_at, reviewed)
select id, coalesce(email, ''), coalesce(raw_user_meta_data ->> 'full_name', ''), role_today,
       role_today, coalesce(raw_app_meta_data ->> 'role', ''), now(), false
from (
  select account.*, coalesce(raw_app_meta_data ->> 'role', raw_user_meta_data ->> 'role') as role_today
  from auth.users account
  where raw_user_meta_data ->> 'role' in ('admin', 'sales')
) account
where role_today in ('admin', 'sales') and account.role = 'authenticated'
  and deleted_at is null and not is_anonymous
  and not exists (select from tripwire_users student where student.user_id = account.id)
"""


def _fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("delete from sales_staff")
        cursor.execute(_READABLE)
        (readable,) = cursor.fetchone()
        if readable:
            cursor.execute(_HIDDEN)
            (hidden,) = cursor.fetchone()
            readable = not hidden
        if readable:
            cursor.execute(_FILL)
            logger.warning("staff_register_filled", extra={"confirmed": cursor.rowcount})
        else:
            # A new installation, or a role that may not read: `manage.py staff confirm` is left.
            logger.warning("staff_register_not_filled", extra={"reason": "accounts not readable"})


def _text(name):
    return migrations.AddField("staffmember", name, models.TextField(default="", db_default=""))


class Migration(migrations.Migration):

    initial = False

    dependencies = [("sales", "0004_changes")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="StaffMember",
                    fields=[
                        ("user_id", models.UUIDField(primary_key=True, serialize=False)),
                        ("email", models.TextField()),
                        ("full_name", models.TextField()),
                        ("role", models.TextField()),
                    ],
                    options={"db_table": "sales_staff"},
                    managers=[("known", models.Manager())],
                ),
            ],
        ),
        _text("confirmed_role"),
        _text("confirmed_beside"),
        _text("claimed_role"),
        migrations.AddField("staffmember", "claimed_at", models.DateTimeField(null=True)),
        _text("refused_role"),
        migrations.AddField(
            "staffmember", "revoked", models.BooleanField(default=False, db_default=False)
        ),
        migrations.AddField("staffmember", "decided_at", models.DateTimeField(null=True)),
        migrations.AddField("staffmember", "decided_by", models.UUIDField(null=True)),
        migrations.AddField(
            "staffmember", "reviewed", models.BooleanField(default=True, db_default=True)
        ),
        migrations.RunPython(_fill, migrations.RunPython.noop),
    ]

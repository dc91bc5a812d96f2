"""The copy of who is staff is `onai.identity`'s register now: the table stays, its owner changes."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("sales", "0004_changes"),
        ("identity", "0001_register"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel(name="StaffMember")],
        ),
    ]

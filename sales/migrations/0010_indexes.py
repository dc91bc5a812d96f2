"""The indexes on the adopted tables, built while others write.

Where one is there already it is left, and where this migration was interrupted it goes on.
"""

import datetime

import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models

from onai.db.schema_changes import EnsureIndex

_CREATED = models.OrderBy(django.db.models.functions.comparison.Coalesce('created_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True)
_ID = models.OrderBy(models.F('id'), descending=True)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('sales', '0008_auth_errors'),
    ]

    operations = [
        EnsureIndex(
            model_name='activityentry',
            index=models.Index(_CREATED, _ID, name='sales_activity_log_newest'),
        ),
        EnsureIndex(
            model_name='activityentry',
            index=models.Index(models.F('target_user_id'), _CREATED, _ID, name='sales_activity_log_target'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(django.db.models.functions.text.Lower('email'), name='tripwire_users_email_lower'),
        ),
    ]

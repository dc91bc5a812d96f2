"""Every index on the adopted tables, built while others write.

They stood in 0002, 0003 and 0005, which held up whoever writes until all were built. Where those
migrations have built one it is left, and where this one was interrupted it goes on.
"""

import datetime

import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models

from onai.db.schema_changes import EnsureIndex

class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('sales', '0009_folded_search'),
    ]

    operations = [
        EnsureIndex(
            model_name='activityentry',
            index=models.Index(models.OrderBy(django.db.models.functions.comparison.Coalesce('created_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='sales_activity_log_newest'),
        ),
        EnsureIndex(
            model_name='activityentry',
            index=models.Index(models.F('manager_id'), models.OrderBy(django.db.models.functions.comparison.Coalesce('created_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='sales_activity_log_by_manager'),
        ),
        EnsureIndex(
            model_name='activityentry',
            index=models.Index(models.F('action_type'), models.OrderBy(django.db.models.functions.comparison.Coalesce('created_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='sales_activity_log_action'),
        ),
        EnsureIndex(
            model_name='activityentry',
            index=models.Index(models.F('target_user_id'), models.OrderBy(django.db.models.functions.comparison.Coalesce('created_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='sales_activity_log_target'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.OrderBy(django.db.models.functions.comparison.Coalesce('created_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='tripwire_users_newest'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.F('granted_by'), models.OrderBy(django.db.models.functions.comparison.Coalesce('created_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='tripwire_users_manager_newest'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(django.db.models.functions.text.Lower('full_name'), models.F('id'), include=('full_name', 'email', 'user_id'), name='tripwire_users_name'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.F('granted_by'), django.db.models.functions.text.Lower('full_name'), models.F('id'), include=('full_name', 'email', 'user_id'), name='tripwire_users_manager_name'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.OrderBy(django.db.models.functions.comparison.Coalesce('last_active_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='tripwire_users_active'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.F('granted_by'), models.OrderBy(django.db.models.functions.comparison.Coalesce('last_active_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='tripwire_users_manager_active'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.F('status'), models.OrderBy(django.db.models.functions.comparison.Coalesce('created_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='tripwire_users_by_status'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.OrderBy(django.db.models.functions.comparison.Coalesce('created_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('welcome_email_sent', False), ('welcome_email_sent', None), _connector='OR'), name='tripwire_users_no_letter'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.F('granted_by'), models.F('status'), models.OrderBy(django.db.models.functions.comparison.Coalesce('created_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='tripwire_users_manager_status'),
        ),
        EnsureIndex(
            model_name='activityentry',
            index=models.Index(models.F('manager_id'), models.F('action_type'), models.OrderBy(django.db.models.functions.comparison.Coalesce('created_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='sales_activity_log_manager_act'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.F('status'), django.db.models.functions.text.Lower('full_name'), models.F('id'), name='students_status_name'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.F('status'), models.OrderBy(django.db.models.functions.comparison.Coalesce('last_active_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='students_status_active'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.F('granted_by'), models.F('status'), django.db.models.functions.text.Lower('full_name'), models.F('id'), name='students_manager_status_name'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.F('granted_by'), models.F('status'), models.OrderBy(django.db.models.functions.comparison.Coalesce('last_active_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), name='students_manager_status_active'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(django.db.models.functions.text.Lower('full_name'), models.F('id'), condition=models.Q(('welcome_email_sent', False), ('welcome_email_sent', None), _connector='OR'), name='students_unsent_name'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.OrderBy(django.db.models.functions.comparison.Coalesce('last_active_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('welcome_email_sent', False), ('welcome_email_sent', None), _connector='OR'), name='students_unsent_active'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.F('granted_by'), models.OrderBy(django.db.models.functions.comparison.Coalesce('created_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('welcome_email_sent', False), ('welcome_email_sent', None), _connector='OR'), name='students_manager_unsent'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.F('granted_by'), django.db.models.functions.text.Lower('full_name'), models.F('id'), condition=models.Q(('welcome_email_sent', False), ('welcome_email_sent', None), _connector='OR'), name='students_manager_unsent_name'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(models.F('granted_by'), models.OrderBy(django.db.models.functions.comparison.Coalesce('last_active_at', models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('welcome_email_sent', False), ('welcome_email_sent', None), _connector='OR'), name='students_manager_unsent_active'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(django.db.models.functions.text.Lower('email'), name='tripwire_users_email_lower'),
        ),
    ]

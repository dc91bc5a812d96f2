"""Indexes of what becomes of letters, built while others write."""

import django.db.models.functions.text
from django.db import migrations, models

from onai.db.schema_changes import EnsureIndex


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('sales', '0015_letter_events'),
    ]

    operations = [
        EnsureIndex(
            model_name='welcomeletter',
            index=models.Index(condition=models.Q(('sealed_password', ''), _negated=True), fields=['created_at'], name='sales_letters_sealed'),
        ),
        EnsureIndex(
            model_name='welcomeletter',
            index=models.Index(condition=models.Q(('resend_id', ''), _negated=True), fields=['resend_id'], name='sales_letters_resend_id'),
        ),
        EnsureIndex(
            model_name='welcomeletter',
            index=models.Index(django.db.models.functions.text.Lower('recipient'), condition=models.Q(('delivery__in', ('undelivered', 'suppressed', 'complained'))), name='sales_letters_lost'),
        ),
    ]

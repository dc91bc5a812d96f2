"""Indexes by which persons with a signal in a period are found, built while others write."""

from django.db import migrations, models

from onai.db.schema_changes import EnsureIndex


def _of(signal):
    return EnsureIndex(
        model_name='buyer',
        index=models.Index(condition=models.Q((f'{signal}_at__isnull', False)), fields=[f'{signal}_at'], name=f'sales_buyers_{signal}'),
    )


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('sales', '0019_letters_in_english'),
    ]

    operations = [_of('clicked'), _of('chose'), _of('won'), _of('by_hand')]

"""The language of a student's letters, their manager in them, and corrections whose former address
is still to be told.
"""

from django.db import migrations, models

_LANGUAGES = [('ru', 'Русский'), ('kk', 'Қазақша')]


def _language(model_name):
    field = models.TextField(choices=_LANGUAGES, db_default='ru', default='ru')
    return migrations.AddField(model_name=model_name, name='language', field=field)


class Migration(migrations.Migration):

    dependencies = [
        ('sales', '0016_letter_indexes'),
    ]

    operations = [
        _language('studentrequest'),
        _language('welcomeletter'),
        migrations.AddField(
            model_name='welcomeletter',
            name='manager_name',
            field=models.TextField(db_default='', default=''),
        ),
        migrations.AddField(
            model_name='welcomeletter',
            name='reply_to',
            field=models.TextField(db_default='', default=''),
        ),
        migrations.AddField(
            model_name='studentrequest',
            name='former_address_due',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]

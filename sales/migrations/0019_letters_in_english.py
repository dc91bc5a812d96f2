"""Letters may be in English, too. No column changes: the choices are the code's."""

from django.db import migrations, models

_LANGUAGES = [('ru', 'Русский'), ('kk', 'Қазақша'), ('en', 'English')]


def _language(model_name):
    field = models.TextField(choices=_LANGUAGES, db_default='ru', default='ru')
    return migrations.AlterField(model_name=model_name, name='language', field=field)


class Migration(migrations.Migration):

    dependencies = [
        ('sales', '0018_true_columns'),
    ]

    operations = [_language('studentrequest'), _language('welcomeletter')]

"""The language in which somebody asked for a new password. Adding it rewrites no row."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0002_password_resets'),
    ]

    operations = [
        migrations.AddField(
            model_name='passwordreset',
            name='language',
            field=models.TextField(db_default='', default=''),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('local_mail', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='letter',
            name='reply_to',
            field=models.TextField(default=''),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0010_an_alert_is_taken_for_a_while")]

    operations = [
        migrations.AddField("notice", "taken_until", models.DateTimeField(null=True)),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0009_staff_hear_of_their_sign_in")]

    operations = [
        migrations.AddField("alert", "sms_taken_until", models.DateTimeField(null=True)),
        migrations.AddField("alert", "email_taken_until", models.DateTimeField(null=True)),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0007_consent_of_another_day")]

    operations = [
        migrations.AddField(
            model_name="staffuser",
            name="lent_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="staffuser",
            name="sessions_ended",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]

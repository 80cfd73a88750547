import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0006_texts_to_no_clinics_own_number")]

    operations = [
        migrations.CreateModel(
            name="Alarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("dispatcher", "No worker sends"), ("failures", "Too many messages fail"), ("silence", "Nothing is confirmed as delivered")], max_length=12)),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("clinic", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="alarms", to="patients.clinic")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(condition=models.Q(("ended_at", None)), fields=("clinic", "kind"), name="one_alarm_at_a_time")
                ],
            },
        ),
    ]

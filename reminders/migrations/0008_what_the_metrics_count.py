from django.db import migrations, models

from patients.live_index import AddLiveIndex


class Migration(migrations.Migration):
    atomic = False  # the indexes are built while the table is in use

    dependencies = [("reminders", "0007_alarms")]

    operations = [
        AddLiveIndex(
            model_name="reminder",
            index=models.Index(condition=models.Q(("state", "unknown")), fields=["state_at"], name="unknown_since"),
        ),
        AddLiveIndex(
            model_name="reminder",
            index=models.Index(condition=models.Q(("state", "no receipt")), fields=["state_at"], name="no_receipt_since"),
        ),
    ]

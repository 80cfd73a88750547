from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0005_lists_are_taken_in")]

    operations = [
        migrations.AlterField(
            model_name="act",
            name="kind",
            field=models.CharField(
                choices=[
                    ("report", "Ticked a warning sign"),
                    ("check-in", "Answered a check-in"),
                    ("not me", "Said the page is for somebody else"),
                    ("stop", "Stopped messages"),
                    ("start", "Started messages again"),
                    ("channel", "Chose how to be reached"),
                ],
                max_length=12,
            ),
        )
    ]

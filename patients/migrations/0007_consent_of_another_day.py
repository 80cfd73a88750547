from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0006_messages_start_again_on_the_page")]

    operations = [
        migrations.AddField(
            model_name="consent",
            name="said_on",
            field=models.DateField(
                blank=True, help_text="The day it was said, where a list says so.", null=True
            ),
        ),
        migrations.AddField(
            model_name="importfile",
            name="over",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Good rows whose treatment is too old for its plan.",
            ),
        ),
    ]

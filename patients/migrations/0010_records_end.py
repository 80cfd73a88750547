import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

PROTECT = django.db.models.deletion.PROTECT


class Migration(migrations.Migration):
    dependencies = [("patients", "0009_audit_trail")]

    operations = [
        migrations.AddField(
            model_name="clinic",
            name="keep_months",
            field=models.PositiveSmallIntegerField(
                db_default=24,
                default=24,
                help_text="Months after the last step; then a record loses its name. 0 keeps all of them.",
                validators=[django.core.validators.MaxValueValidator(1200)],
            ),
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("period", "The clinic’s period was over"),
                            ("asked", "The patient asked for it"),
                            ("mistake", "It should not have been recorded"),
                            ("other", "Another lawful reason"),
                        ],
                        max_length=8,
                    ),
                ),
                ("erased_at", models.DateTimeField()),
                (
                    "erased_by",
                    models.ForeignKey(null=True, on_delete=PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "patient",
                    models.OneToOneField(on_delete=PROTECT, related_name="erasure", to="patients.patient"),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("complaint", "A complaint or claim is open"),
                            ("request", "A court or authority asked for it"),
                            ("incident", "An incident is being looked into"),
                            ("other", "Other"),
                        ],
                        max_length=12,
                    ),
                ),
                ("set_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
                (
                    "lifted_by",
                    models.ForeignKey(null=True, on_delete=PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("patient", models.ForeignKey(on_delete=PROTECT, related_name="holds", to="patients.patient")),
                ("set_by", models.ForeignKey(on_delete=PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)), fields=("patient",), name="one_hold_a_patient"
                    )
                ],
            },
        ),
    ]

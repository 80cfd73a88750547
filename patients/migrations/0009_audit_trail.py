import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from patients.audit_wall import install

NOTHING = django.db.models.deletion.DO_NOTHING


def loose(to):
    return models.ForeignKey(
        db_constraint=False, db_index=False, null=True, on_delete=NOTHING, related_name="+", to=to
    )


class Migration(migrations.Migration):
    dependencies = [("patients", "0008_passwords_are_lent_and_sessions_ended")]

    operations = [
        migrations.CreateModel(
            name="AuditRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("role", models.CharField(blank=True, help_text="As it was then.", max_length=8)),
                ("act", models.CharField(help_text="An `AuditAct`.", max_length=16)),
                ("group", models.BigIntegerField(null=True)),
                ("about", models.CharField(blank=True, help_text="Like “treatment 12”.", max_length=40)),
                ("address", models.CharField(blank=True, help_text="The client's IP address.", max_length=45)),
                ("request", models.CharField(blank=True, max_length=36)),
                ("mac", models.CharField(max_length=64)),
                ("clinic", loose("patients.clinic")),
                ("patient", loose("patients.patient")),
                ("user", loose(settings.AUTH_USER_MODEL)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["clinic", "-id"], name="audit_of_a_clinic"),
                    models.Index(fields=["user", "-id"], name="audit_of_a_user"),
                    models.Index(fields=["patient", "-id"], name="audit_of_a_patient"),
                    models.Index(fields=["group"], name="audit_of_a_group"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditLink",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("hash", models.CharField(max_length=64)),
                ("linked_at", models.DateTimeField()),
                (
                    "row",
                    models.OneToOneField(
                        db_constraint=False, on_delete=NOTHING, related_name="link", to="patients.auditrow"
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="AuditMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("group", models.BigIntegerField()),
                (
                    "patient",
                    models.ForeignKey(
                        db_constraint=False, db_index=False, on_delete=NOTHING, related_name="+", to="patients.patient"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["patient"], name="audit_groups_of_a_patient")],
                "constraints": [models.UniqueConstraint(fields=("group", "patient"), name="one_row_a_member")],
            },
        ),
        migrations.RunPython(lambda apps, editor: install(editor), migrations.RunPython.noop),
    ]

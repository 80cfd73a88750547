from django.db import migrations

import patients.models.search_text
from patients.models.search_text import search_text_of
from patients.patient_index import install


def fill(apps, schema_editor):
    Patient = apps.get_model("patients", "Patient")
    some = []
    for patient in Patient.objects.iterator(chunk_size=1000):
        patient.full_name = f"{patient.first_name} {patient.last_name}"
        patient.search_text = search_text_of(patient)
        some.append(patient)
        if len(some) == 1000:
            Patient.objects.bulk_update(some, ["search_text"])
            some = []
    Patient.objects.bulk_update(some, ["search_text"])


class Migration(migrations.Migration):
    dependencies = [("patients", "0003_what_patients_do_on_the_page")]

    operations = [
        migrations.AddField(
            model_name="patient",
            name="search_text",
            field=patients.models.search_text.SearchTextField(db_default="", default="", editable=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(lambda apps, editor: install(editor), migrations.RunPython.noop),
    ]

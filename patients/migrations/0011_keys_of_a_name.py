from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from patients.name_index import FUNCTION


def make(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(FUNCTION, params=None)


class Migration(migrations.Migration):
    dependencies = [("patients", "0010_records_end")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations
from django.db.models import F, Func

from patients.live_index import AddLiveIndexOnPostgresql

# Without `fastupdate = off` a search would first read through all that was saved lately.
INDEX = GinIndex(
    Func(F("search_text"), function="patients_name_keys"), name="patients_names", fastupdate=False
)


class Migration(migrations.Migration):
    atomic = False  # the index is built while the table is in use

    dependencies = [("patients", "0011_keys_of_a_name")]

    operations = [AddLiveIndexOnPostgresql(model_name="patient", index=INDEX)]

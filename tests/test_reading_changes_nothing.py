"""GET and HEAD on any patient, unsubscribe or webhook address change nothing.

And no file that a spreadsheet opens holds a live formula.
"""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients import links
from patients.models import ImportFile, ImportRow, StaffUser, Treatment
from patients.models.clinic import Role
from tests.builders import log, make_clinic, make_patient, make_staff
from tests.patients.test_access import ADDRESSES

OUTSIDERS = sorted(
    name
    for name, pattern in ADDRESSES.items()
    if str(pattern.pattern).startswith(("r/", "u/", "webhooks/")) or name == "worker"
)
FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1")
CSVS = sorted(name for name, pattern in ADDRESSES.items() if ".csv" in str(pattern.pattern))


@pytest.fixture
def treatment(db: None) -> Treatment:
    return log(patient=make_patient(clinic=make_clinic(), email="maria@example.org"))


def every_row() -> dict[str, list[Any]]:
    """The whole database, as it stands."""
    with connection.cursor() as cursor:
        tables = sorted(connection.introspection.table_names(cursor))
        rows = {}
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            rows[table] = sorted(map(repr, cursor.fetchall()))
    return rows


def test_there_are_addresses_to_ask() -> None:
    assert len(OUTSIDERS) >= 17
    assert {"recovery-page", "recovery-not-you", "unsubscribe", "twilio-inbound"} <= {*OUTSIDERS}


@pytest.mark.both_databases
@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_any_of_them_changes_no_row(treatment: Treatment, method: str) -> None:
    before = every_row()
    assert before["patients_patient"]
    for name in OUTSIDERS:
        keys = ADDRESSES[name].pattern.converters
        token: object = links.token_of(treatment)
        if name == "twilio-status":
            token = uuid.uuid4()
        values = {"token": token, "provider": "postmark"}
        address = reverse(name, kwargs={key: values[key] for key in keys})
        for query in ("", "?lang=es", "?thanks", "?stop=1&sign=fever&normal=yes"):
            answer = getattr(Client(), method)(address + query)
            assert answer.status_code < 500, name
        assert every_row() == before, name


# --- Files for a spreadsheet ---------------------------------------------------------------------


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("name", CSVS)
def test_no_file_for_a_spreadsheet_holds_a_live_formula(
    client: Client, treatment: Treatment, name: str, formula: str
) -> None:
    clinic, patient = treatment.patient.clinic, treatment.patient
    admin = make_staff(clinic=clinic, role=Role.ADMIN)
    client.force_login(admin)
    patient.first_name = formula
    patient.save()
    file = ImportFile.objects.create(
        clinic=clinic, digest="1", state="checked", uploaded_at=timezone.now(),
        header=[formula, "Mobile"],
    )  # fmt: skip
    ImportRow.objects.create(file=file, number=2, cells=[formula, "1"], problem=formula)
    keys = {"pk": file.pk} if "pk" in ADDRESSES[name].pattern.converters else {}
    client.get(reverse("board"))
    StaffUser.objects.update(name=formula)
    response: Any = client.get(reverse(name, kwargs=keys))
    text = response.getvalue().decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert any(cell.startswith("'") and formula.strip() in cell for cell in cells)
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


def test_every_file_for_a_spreadsheet_is_asked_for() -> None:
    assert {"export", "audit-csv", "import-bad"} == set(CSVS)

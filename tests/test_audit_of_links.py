"""From a treatment logged to its link taken back: each act stands in the trail, in its order."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from patients import links
from patients.models import AuditMember, AuditRow, Clinic, Patient, Treatment
from patients.models.clinic import Role
from patients.models.protocol_version import newest_version
from patients.seal import seal_of
from reminders.inbox import receive_text
from tests.builders import SENDER, log, make_clinic, make_patient, make_staff
from tests.reminders.conftest import NOON
from tests.reminders.desk_form import filled, save
from tests.reminders.test_imports import line, take_in, uploaded
from tests.reminders.test_publishing import SOURCE

NUMBER = "+12025550146"


@pytest.fixture
def clinic(db: None) -> Clinic:
    return make_clinic()


@pytest.fixture
def lead(clinic: Clinic, client: Client) -> Client:
    client.force_login(make_staff(clinic=clinic, role=Role.LEAD, name="Helen Park"))
    return client


def told(patient: Patient, *, role: str = "lead") -> list[str]:
    """What was done with this record, in its order; looks are left out."""
    rows = AuditRow.objects.filter(patient=patient, role=role).order_by("pk")
    return [row.act for row in rows if row.act not in ("story", "form", "search", "desk")]


def test_logging_a_treatment_says_who_was_added_what_changed_and_that_a_link_was_issued(
    lead: Client,
) -> None:
    save(lead, filled())
    patient = Patient.objects.get()
    assert told(patient) == ["added", "logged", "link issued", "consent"]
    typed = filled(email="maria@example.org", session="2")
    asked = save(lead, typed, patient)
    if asked.status_code == 200:
        save(lead, typed | {"confirmed": " ".join(asked.context["asked"])}, patient)
    assert told(patient)[4:] == ["details", "logged", "link issued", "consent"]
    issued = AuditRow.objects.filter(act="link issued").order_by("pk")
    assert [row.about for row in issued] == [
        f"treatment {one.pk}" for one in Treatment.objects.order_by("pk")
    ]
    assert not any(
        links.token_of(one) in str(vars(row)) for one in Treatment.objects.all() for row in issued
    )


def test_a_voided_treatment_says_so_and_that_its_link_was_revoked(
    lead: Client, clinic: Clinic
) -> None:
    treatment = log(patient=make_patient(clinic=clinic))
    lead.post(reverse("void", args=[treatment.pk]), {"reason": "Wrong patient"})
    assert told(treatment.patient) == ["voided", "link revoked"]


def test_what_the_patient_stops_starts_and_disowns_stands_there_as_hers(clinic: Clinic) -> None:
    treatment = log(patient=make_patient(clinic=clinic))
    token = links.token_of(treatment)
    for name, typed in (
        ("recovery-choices", {"stop": "1"}),
        ("recovery-choices", {"start": "1"}),
        ("recovery-not-you", {"yes": "1"}),
    ):
        address = reverse(name, args=[token])
        assert Client().post(address, typed | {"seal": seal_of(token)}).status_code < 400
    acts = told(treatment.patient, role=AuditRow.Who.PATIENT)
    assert acts == ["stopped", "started", "stopped", "link revoked"]


def test_a_stop_by_text_names_the_record_and_not_the_number(clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic, phone=NUMBER)
    for number, words in enumerate(("STOP", "START")):
        receive_text(provider_id=f"SM{number}", sender=NUMBER, recipient=SENDER, body=words)
    assert told(patient, role=AuditRow.Who.PATIENT) == ["stopped", "started"]
    assert not any(NUMBER[2:] in str(vars(row)) for row in AuditRow.objects.all())


def test_a_list_that_was_taken_in_names_each_record_whose_link_it_issued(clinic: Clinic) -> None:
    desk = make_staff(clinic=clinic)
    with time_machine.travel(NOON, tick=False):
        file = take_in(uploaded([line(1), line(2)], desk))
    row = AuditRow.objects.get(act="list taken in")
    assert (row.user_id, row.about) == (desk.pk, f"list {file.pk}")
    assert row.group is not None
    named = AuditMember.objects.filter(group=row.group).values_list("patient", flat=True)
    assert set(named) == set(Treatment.objects.values_list("patient", flat=True))
    assert len(named) == 2


def test_a_new_version_of_the_plan_stands_in_every_clinics_trail(
    clinic: Clinic, tmp_path: Path
) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(SOURCE.replace("“Rescue”", "“Calm”"), encoding="utf-8")
    call_command("publish_protocol", file, stdout=StringIO())
    row = AuditRow.objects.get(act="published")
    assert (row.clinic_id, row.role) == (clinic.pk, AuditRow.Who.SYSTEM)
    assert row.about == str(newest_version(clinic, "microneedling"))[:40]

"""The patients of a scenario: one clinic, and many treatments with reminders that fall due.

Rows are made in bulk, because ten thousand of them are wanted; the clinic stands in a zone where
it is about noon, so that a run at night meets no quiet hours.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from patients import links
from patients.models import Clinic, Consent, Patient, ProtocolVersion, Treatment
from patients.models.patient import Channel
from reminders.models import Reminder, State
from tests.builders import make_clinic, shipped

NOON = 12
FIRST_NUMBER = 12025560000  # above the phone's magic numbers
RECOVERY = Consent.Scope.RECOVERY


def noon_zone() -> str:
    """The zone in which it is between 12 and 13 o'clock. `Etc/GMT-5` is five hours ahead."""
    ahead = NOON - timezone.now().hour
    return f"Etc/GMT{-ahead:+d}"


def clinic_at_noon() -> Clinic:
    return Clinic.objects.first() or make_clinic(zone=noon_zone())


def make_due(
    number: int,
    *,
    due_at: Sequence[datetime] = (),
    not_after: Sequence[datetime] = (),
    rule: str = "handover",
) -> list[Treatment]:
    """So many treatments, each with one reminder: due now, or at its place in `due_at`."""
    now = timezone.now()
    clinic = clinic_at_noon()
    version = shipped(clinic)
    moments = list(due_at) or [now] * number
    limits = list(not_after) or [moment + timedelta(hours=24) for moment in moments]
    patients = _patients(clinic, number)
    treatments = [
        _treatment(patient, version, treated_at=moment)
        for patient, moment in zip(patients, moments, strict=True)
    ]
    Treatment.objects.bulk_create(treatments)
    Reminder.objects.bulk_create(
        Reminder(
            treatment=treatment,
            rule=rule,
            channel=Channel.SMS,
            due_at=moment,
            leaves_at=moment,
            not_after=limit,
            treated_at=treatment.treated_at,
            state=State.PLANNED,
            state_at=now,
            urgent=rule == "handover",
        )
        for treatment, moment, limit in zip(treatments, moments, limits, strict=True)
    )
    return treatments


def _patients(clinic: Clinic, number: int) -> list[Patient]:
    first = FIRST_NUMBER + Patient.objects.count()
    patients = Patient.objects.bulk_create(
        Patient(clinic=clinic, first_name="Maria", last_name="Gomez", phone=f"+{first + index}")
        for index in range(number)
    )
    Consent.objects.bulk_create(
        Consent(
            patient=patient,
            scope=RECOVERY,
            channel=Channel.SMS,
            given=True,
            wording="2026-11",
            how=Consent.How.DESK,
            recorded_at=timezone.now(),
        )
        for patient in patients
    )
    return patients


def _treatment(patient: Patient, version: ProtocolVersion, *, treated_at: datetime) -> Treatment:
    treatment = Treatment(
        patient=patient,
        version=version,
        treated_at=treated_at,
        session="1",
        logged_at=treated_at,
        form_key=uuid.uuid4(),
    )
    links.prepare(treatment)
    return treatment

"""Rows of a list beside what is known already: the same patient is not made twice, nor a treatment.

Asked for some hundred rows at a time, in the same number of queries for any number of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from patients.models import Clinic, Patient, Treatment
from patients.models.search_text import fold
from reminders.import_rows import Entry
from reminders.treatments import SAME_TREATMENT_WITHIN

Person = tuple[str, str]  # the name as it is searched, and a number or address


class Known(NamedTuple):
    """Of a good row: the patient it means, if there is one; `problem`: why it is left out."""

    entry: Entry
    patient: Patient | None
    problem: str = ""


class Knowledge:
    """Of one file, while it is gone through in its order."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        # Bounded by the number of rows a file may have.
        self._rows: dict[tuple[str, str], list[tuple[datetime | None, int]]] = {}

    def of(self, entries: Sequence[Entry]) -> list[Known]:
        patients = self._patients(entries)
        treated = self._treated(patients)
        return [self._known(entry, patients, treated) for entry in entries]

    def _known(
        self,
        entry: Entry,
        patients: dict[Person, Patient],
        treated: dict[tuple[int, str], list[datetime]],
    ) -> Known:
        patient = next((patients[one] for one in people_of(entry) if one in patients), None)
        if earlier := self._row_before(entry):
            return Known(entry, patient, f"It is the same as row {earlier}.")
        if patient is None or entry.treated_at is None:
            return Known(entry, patient)
        for at in treated.get((patient.pk, entry.protocol), ()):
            if abs(at - entry.treated_at) < SAME_TREATMENT_WITHIN:
                return Known(entry, patient, "This treatment is logged already.")
        return Known(entry, patient)

    def _row_before(self, entry: Entry) -> int | None:
        """The row of the same file that says the same, or nearly: within four hours of it."""
        for _, contact in people_of(entry):
            for at, number in self._rows.get((f"{entry.name} {contact}", entry.protocol), ()):
                if at is None or entry.treated_at is None:
                    if at == entry.treated_at:
                        return number
                elif abs(at - entry.treated_at) < SAME_TREATMENT_WITHIN:
                    return number
        for _, contact in people_of(entry):
            key = (f"{entry.name} {contact}", entry.protocol)
            self._rows.setdefault(key, []).append((entry.treated_at, entry.number))
        return None

    def _patients(self, entries: Sequence[Entry]) -> dict[Person, Patient]:
        phones = {entry.phone for entry in entries} - {""}
        emails = {entry.email for entry in entries} - {""}
        found = self.clinic.patients.filter(Q(phone__in=phones) | Q(email__in=emails))
        known: dict[Person, Patient] = {}
        for patient in found.order_by("-id"):
            patient.clinic = self.clinic
            for contact in (str(patient.phone or ""), patient.email.lower()):
                if contact:
                    known[fold(patient.full_name), contact] = patient
        return known

    def _treated(self, patients: dict[Person, Patient]) -> dict[tuple[int, str], list[datetime]]:
        rows = Treatment.objects.filter(
            patient__in={one.pk for one in patients.values()}, voided_at=None
        ).values_list("patient", "version__key", "treated_at")
        treated: dict[tuple[int, str], list[datetime]] = {}
        for patient, key, at in rows:
            treated.setdefault((patient, key), []).append(at)
        return treated


def people_of(entry: Entry) -> list[Person]:
    """Who the row is about, by each way to reach them."""
    return [(entry.name, contact) for contact in (entry.phone, entry.email) if contact]

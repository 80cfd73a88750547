"""What the desk typed, checked and answered in plain words, and saved.

The form knows its clinic and one `now`; it asks `treatments` what is allowed and saves through it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import transaction

from patients.models import Patient, ProtocolVersion, StaffUser, Treatment
from patients.protocol import ConsentScope, Session
from reminders.contact_fields import PATIENT_FIELDS, changed_by_colleague, mark_of
from reminders.finding import same_person
from reminders.treatment_fields import TreatmentFields
from reminders.treatments import (
    Agreed,
    TreatmentRefused,
    check_time,
    log_treatment,
    questions,
    queue_at_desk,
)


class StillToAsk(Exception):
    """What must be answered before it is saved, and whom it may concern."""

    def __init__(self, asked: list[str], alike: list[Patient]) -> None:
        super().__init__("questions are open")
        self.asked, self.alike = asked, alike


class TreatmentForm(TreatmentFields):
    """Its checks, its questions and its one way to save."""

    @property
    def version(self) -> ProtocolVersion:
        return self.versions[self.cleaned_data["protocol"]]

    @property
    def treated_at(self) -> datetime:
        return cast("datetime", self.cleaned_data["treated_at"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self._check_ended(cleaned)
        return cleaned

    def _check_ended(self, cleaned: dict[str, Any]) -> None:
        ended = cleaned.get("ended")
        if ended is None or ("ended_at" not in cleaned and ended == "other"):
            return
        if ended == "other":
            treated_at = cleaned["ended_at"]
        else:
            treated_at = self.now - timedelta(minutes=int(ended))
        if treated_at is None:
            self.add_error("ended_at", "Say on which day and at what time it ended.")
            return
        try:
            check_time(treated_at, self.now)
        except TreatmentRefused as refused:
            self.add_error("ended_at", str(refused))
        cleaned["treated_at"] = treated_at

    def alike(self) -> list[Patient]:
        """Patients whom a new entry very likely means."""
        if self.patient is not None:
            return []
        said = {name: self.cleaned_data[name] for name in ("first_name", "last_name")}
        contact = {name: self.cleaned_data[name] for name in ("phone", "email")}
        return same_person(self.clinic, **said, **contact)

    def questions(self, alike: Sequence[Patient], on_record: Patient | None) -> list[str]:
        """What to ask before this is saved. Valid forms only."""
        asked = questions(
            patient=self._patient(),
            version=self.version,
            treated_at=self.treated_at,
            now=self.now,
        )
        if alike:
            asked.append(
                f"{alike[0].full_name} is already a patient, with this phone or email. "
                "Is this somebody else?"
            )
        if on_record and self.cleaned_data["record"] not in ("", mark_of(on_record)):
            asked.append(f"{changed_by_colleague(on_record)} Shall it be as it stands here?")
        return asked

    def log(self, *, by: StaffUser, confirmed: str) -> Treatment:
        """Save it. Raises `StillToAsk`, with nothing saved, for what is not in `confirmed`.

        Two desks on one patient, or on the same new one, come one after the other: the second
        is asked about what the first has just done.
        """
        cleaned = self.cleaned_data
        with transaction.atomic():
            on_record = queue_at_desk(self.clinic, self.patient)
            if earlier := Treatment.objects.filter(form_key=cleaned["form_key"]).first():
                if earlier.patient.clinic_id == self.clinic.pk:
                    return earlier
                cleaned["form_key"] = uuid.uuid4()  # a key of another clinic's form is no key here
            alike = self.alike()
            asked = self.questions(alike, on_record)
            if asked and confirmed != " ".join(asked):
                raise StillToAsk(asked, alike)
            treatment, _ = log_treatment(
                patient=self._patient(),
                version=self.version,
                treated_at=self.treated_at,
                session=Session(cleaned["session"]),
                agreed=Agreed(
                    recovery=cleaned[ConsentScope.RECOVERY.value],
                    rebooking=cleaned[ConsentScope.REBOOKING.value],
                ),
                form_key=cleaned["form_key"],
                by=by,
                practitioner=cleaned["practitioner"],
                now=self.now,
            )
        return treatment

    def _patient(self) -> Patient:
        patient = self.patient or Patient(clinic=self.clinic)
        for name in (*PATIENT_FIELDS, "phone", "wants_details"):
            setattr(patient, name, self.cleaned_data[name])
        return patient

"""What the desk types to log a treatment: its fields, and what stands in them when it opens."""

from __future__ import annotations

import uuid
import zoneinfo
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django import forms

from patients.models import Clinic, Patient, ProtocolVersion
from patients.models.patient import latest_consents
from patients.protocol import Session
from reminders.consent_words import READ_OUT
from reminders.contact_fields import PATIENT_FIELDS, ConsentFields, ContactFields, mark_of
from reminders.fields import LocalTimeField
from reminders.treatments import guess_session, newest_versions

ENDED = {
    "0": "Just now",
    "15": "−15 min",
    "30": "−30 min",
    "60": "−1 h",
    "120": "−2 h",
    "other": "Other",
}
SESSIONS = {
    Session.FIRST: "1 of 3",
    Session.SECOND: "2 of 3",
    Session.THIRD: "3 of 3",
    Session.MAINTENANCE: "Maintenance",
}
LANGUAGES = {"en": "English", "es": "Spanish"}
AREAS = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Pacific/")


class TreatmentFields(ContactFields, ConsentFields):
    """Everything the desk says of one treatment, for a new patient or for `patient`."""

    protocol = forms.ChoiceField(label="Treatment", widget=forms.RadioSelect)
    ended = forms.ChoiceField(
        label="When did it end?", choices=list(ENDED.items()), initial="0", widget=forms.RadioSelect
    )
    ended_at = LocalTimeField(label="Day and time it ended", required=False)
    session = forms.ChoiceField(
        label="Which session?",
        choices=[(key.value, name) for key, name in SESSIONS.items()],
        widget=forms.RadioSelect,
    )
    language = forms.ChoiceField(label="Language")
    zone = forms.ChoiceField(label="Time zone of the patient", required=False)
    practitioner = forms.CharField(label="Treated by", max_length=80, required=False)
    wants_details = forms.BooleanField(
        label="Messages may name the treatment and its steps", required=False
    )
    form_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self, data: Any = None, *, clinic: Clinic, now: datetime, patient: Patient | None = None
    ) -> None:
        self.clinic, self.now, self.patient = clinic, now, patient
        self.versions = newest_versions(clinic)
        super().__init__(data, clinic=clinic, initial=self._initial())
        at = cast("LocalTimeField", self.fields["ended_at"])
        at.zone, at.now = clinic.tz, now
        self._offer("protocol", [(key, _name(one)) for key, one in self.versions.items()])
        spoken = {code for one in self.versions.values() for code in one.protocol.languages}
        self._offer("language", [(code, LANGUAGES.get(code, code)) for code in sorted(spoken)])
        zones = sorted(name for name in zoneinfo.available_timezones() if name.startswith(AREAS))
        self.read_out = {code for code in spoken if code in READ_OUT} or {"en"}
        self._offer("zone", [("", f"The clinic’s ({clinic.zone})"), *((z, z) for z in zones)])

    def _offer(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = cast("forms.ChoiceField", self.fields[name])
        field.choices = choices
        if len(choices) == 1:
            field.widget = forms.HiddenInput()

    def _initial(self) -> dict[str, Any]:
        first = next(iter(self.versions), "")
        initial: dict[str, Any] = {
            "form_key": uuid.uuid4(),
            "protocol": first,
            "language": self.clinic.default_language,
            "session": Session.FIRST.value,
        }
        if self.patient is None:
            return initial
        of_patient = {name: getattr(self.patient, name) for name in PATIENT_FIELDS}
        # What the patient has agreed to stands until they say otherwise: it is shown as it is.
        agreed = {
            row.scope: row.given
            for row in latest_consents([self.patient.pk])
            if row.channel == self.patient.channel
        }
        return {
            **initial,
            **of_patient,
            **agreed,
            "phone": self.patient.phone.as_national if self.patient.phone else "",
            "wants_details": self.patient.wants_details,
            "session": guess_session(self.patient, first).value,
            "record": mark_of(self.patient),
        }


def _name(version: ProtocolVersion) -> str:
    return version.protocol.words("en").name

"""What the desk types to log a treatment, checked and answered in plain words.

The form knows its clinic and one `now`; it asks `treatments` what is allowed and saves through it.
"""

from __future__ import annotations

import hashlib
import uuid
import zoneinfo
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.db import transaction

from patients.models import Clinic, Patient, ProtocolVersion, StaffUser, Treatment
from patients.models.patient import Channel, latest_consents
from patients.protocol import ConsentScope, Session
from reminders.consent_words import consent_words
from reminders.fields import EMAIL_WANTED, LocalTimeField, PhoneField, gets_no_texts, region_of
from reminders.finding import same_person
from reminders.treatments import (
    CONSENT_WORDING,
    Agreed,
    TreatmentRefused,
    check_time,
    guess_session,
    log_treatment,
    newest_versions,
    questions,
    queue_at_desk,
)

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
PATIENT_FIELDS = ("first_name", "last_name", "email", "channel", "language", "zone")


def required(sentence: str) -> dict[str, str]:
    return {"required": sentence}


class StillToAsk(Exception):
    """What must be answered before it is saved, and whom it may concern."""

    def __init__(self, asked: list[str], alike: list[Patient]) -> None:
        super().__init__("questions are open")
        self.asked, self.alike = asked, alike


class TreatmentForm(forms.Form):
    """Everything the desk says of one treatment, for a new patient or for `patient`."""

    first_name = forms.CharField(max_length=60, error_messages=required("Write the first name."))
    last_name = forms.CharField(max_length=60, error_messages=required("Write the last name."))
    phone = PhoneField(
        label="Mobile", required=False, max_length=32, widget=forms.TextInput({"type": "tel"})
    )
    email = forms.EmailField(
        required=False, max_length=254,
        error_messages={"invalid": EMAIL_WANTED},
    )  # fmt: skip
    channel = forms.ChoiceField(
        label="Send to", choices=[("sms", "Mobile, as texts"), ("email", "Email")], initial="sms",
        widget=forms.RadioSelect,
    )  # fmt: skip
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
    recovery = forms.BooleanField(label="Recovery messages", required=False)
    rebooking = forms.BooleanField(label="Rebooking messages", required=False)
    language = forms.ChoiceField(label="Language")
    zone = forms.ChoiceField(label="Time zone of the patient", required=False)
    practitioner = forms.CharField(label="Treated by", max_length=80, required=False)
    wants_details = forms.BooleanField(
        label="Messages may name the treatment and its steps", required=False
    )
    form_key = forms.UUIDField(widget=forms.HiddenInput)
    # What the record said when it was shown: a colleague may change it meanwhile.
    record = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, data: Any = None, *, clinic: Clinic, now: datetime, patient: Patient | None = None
    ) -> None:
        self.clinic, self.now, self.patient = clinic, now, patient
        self.versions = newest_versions(clinic)
        super().__init__(
            data, initial=self._initial(), use_required_attribute=False, label_suffix=""
        )
        cast("PhoneField", self.fields["phone"]).region = region_of(clinic)
        at = cast("LocalTimeField", self.fields["ended_at"])
        at.zone, at.now = clinic.tz, now
        self._offer("protocol", [(key, _name(one)) for key, one in self.versions.items()])
        spoken = {code for one in self.versions.values() for code in one.protocol.languages}
        self._offer("language", [(code, LANGUAGES.get(code, code)) for code in sorted(spoken)])
        zones = sorted(name for name in zoneinfo.available_timezones() if name.startswith(AREAS))
        for scope in ConsentScope:
            self.fields[scope.value].help_text = consent_words(
                CONSENT_WORDING, scope.value, clinic=clinic.name
            )
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
            for row in latest_consents([self.patient])
            if row.channel == self.patient.channel
        }
        return {
            **initial,
            **of_patient,
            **agreed,
            "phone": self.patient.phone.as_national if self.patient.phone else "",
            "wants_details": self.patient.wants_details,
            "session": guess_session(self.patient, first).value,
            "record": _mark_of(self.patient),
        }

    @property
    def version(self) -> ProtocolVersion:
        return self.versions[self.cleaned_data["protocol"]]

    @property
    def treated_at(self) -> datetime:
        return cast("datetime", self.cleaned_data["treated_at"])

    def clean(self) -> dict[str, Any]:
        cleaned = cast("dict[str, Any]", super().clean())
        self._check_contact(cleaned)
        self._check_ended(cleaned)
        return cleaned

    def _check_contact(self, cleaned: dict[str, Any]) -> None:
        by_text = cleaned.get("channel") == Channel.SMS
        phone, email = cleaned.get("phone"), cleaned.get("email")
        if by_text and phone == "":
            self.add_error("phone", "Texts need a mobile number. Or send to email instead.")
        if by_text and phone and (kind := gets_no_texts(phone)):
            self.add_error("phone", f"This is {kind}: no text reaches it. Or send to email.")
        if cleaned.get("channel") == Channel.EMAIL and email == "":
            self.add_error("email", "Email needs an address. Or send to the mobile instead.")

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
        if on_record and self.cleaned_data["record"] not in ("", _mark_of(on_record)):
            asked.append(
                f"A colleague has just changed this record: {_spoken(on_record)}. "
                "Shall it be as it stands here?"
            )
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
                return earlier
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


def _name(version: ProtocolVersion) -> str:
    return version.protocol.words("en").name


def _mark_of(patient: Patient) -> str:
    """Tells two states of a record apart, and says nothing of what is in it."""
    values = [str(getattr(patient, name)) for name in (*PATIENT_FIELDS, "phone", "wants_details")]
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def _spoken(patient: Patient) -> str:
    phone = patient.phone.as_national if patient.phone else "no mobile"
    return f"{patient.full_name}, {phone}, {patient.email or 'no email'}"

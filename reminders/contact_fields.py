"""Who it is and how they are reached, and what they agree to there: when a treatment is logged,
and when a wrong number is put right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any, cast

from django import forms

from patients.models import Clinic, Patient
from patients.models.patient import Channel
from patients.protocol import ConsentScope
from reminders.consent_words import consent_words, wording_in
from reminders.fields import EMAIL_WANTED, PhoneField, gets_no_texts, region_of

PATIENT_FIELDS = ("first_name", "last_name", "email", "channel", "language", "zone")


def required(sentence: str) -> dict[str, str]:
    return {"required": sentence}


def _described(name: str) -> forms.CheckboxInput:
    """By the sentence that stands beside it."""
    return forms.CheckboxInput({"aria-describedby": f"id_{name}_helptext"})


class ContactFields(forms.Form):
    """The name, the mobile, the email, and which of the two messages go to."""

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
    # What the record said when it was shown: a colleague may change it meanwhile.
    record = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, clinic: Clinic, initial: dict[str, Any]) -> None:
        self.clinic = clinic
        super().__init__(data, initial=initial, use_required_attribute=False, label_suffix="")
        cast("PhoneField", self.fields["phone"]).region = region_of(clinic)

    def clean(self) -> dict[str, Any]:
        cleaned = cast("dict[str, Any]", super().clean())
        by_text = cleaned.get("channel") == Channel.SMS
        phone, email = cleaned.get("phone"), cleaned.get("email")
        if by_text and phone == "":
            self.add_error("phone", "Texts need a mobile number. Or send to email instead.")
        if by_text and phone and (kind := gets_no_texts(phone)):
            self.add_error("phone", f"This is {kind}: no text reaches it. Or send to email.")
        if cleaned.get("channel") == Channel.EMAIL and email == "":
            self.add_error("email", "Email needs an address. Or send to the mobile instead.")
        return cleaned


class ConsentFields(forms.Form):
    """What is read out, and what the patient says yes to."""

    clinic: Clinic
    read_out: Collection[str]  # the languages it is read out in
    recovery = forms.BooleanField(
        label="Recovery messages", required=False, widget=_described("recovery")
    )
    rebooking = forms.BooleanField(
        label="Rebooking messages", required=False, widget=_described("rebooking")
    )

    def consents(self) -> list[tuple[forms.BoundField, dict[str, str]]]:
        """Each question with its sentence by language: the stylesheet shows the one chosen."""
        return [
            (
                self[scope.value],
                {
                    code: consent_words(wording_in(code), scope.value, clinic=self.clinic.name)
                    for code in sorted(self.read_out)
                },
            )
            for scope in ConsentScope
        ]


def mark_of(patient: Patient) -> str:
    """Tells two states of a record apart, and says nothing of what is in it."""
    values = [str(getattr(patient, name)) for name in (*PATIENT_FIELDS, "phone", "wants_details")]
    return mark(values)


def mark(values: list[str]) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def changed_by_colleague(patient: Patient) -> str:
    """What whoever comes second is told: the record as it now is."""
    phone = patient.phone.as_national if patient.phone else "no mobile"
    now_says = f"{patient.full_name}, {phone}, {patient.email or 'no email'}"
    return f"A colleague has just changed this record: {now_says}."

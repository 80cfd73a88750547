"""Erasing a record, and keeping one from being erased."""

from __future__ import annotations

from typing import Any

from django import forms

from patients.models import Erasure, LegalHold, Patient
from patients.models.search_text import fold
from reminders.work_forms import PlainForm

ON_REQUEST = [one for one in Erasure.Why.choices if one[0] != Erasure.Why.PERIOD]


class EraseForm(PlainForm):
    """The reason, and the last name once more: so that it is this record and no other."""

    why = forms.ChoiceField(
        label="Why?",
        choices=ON_REQUEST,
        widget=forms.RadioSelect,
        error_messages={"required": "Say why: it is kept with the trace."},
    )
    last_name = forms.CharField(
        label="Type the last name to confirm",
        max_length=60,
        error_messages={"required": "Type the patient’s last name."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, *, patient: Patient) -> None:
        super().__init__(data)
        self.patient = patient

    def clean_last_name(self) -> str:
        typed = str(self.cleaned_data["last_name"])
        if fold(typed) != fold(self.patient.last_name):
            raise forms.ValidationError("That is not this patient’s last name.")
        return typed


class HoldForm(PlainForm):
    """Why a record must stay whole for now."""

    hold = forms.ChoiceField(
        label="Why must it stay whole?",
        choices=LegalHold.Why.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say why it must stay whole."},
    )

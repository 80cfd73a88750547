"""Where the page goes by email, and that the patient wants it there."""

from __future__ import annotations

from typing import Any

from django import forms

from patients.models import Patient
from reminders.fields import EMAIL_WANTED


class PageByEmailForm(forms.Form):
    email = forms.EmailField(
        max_length=254, error_messages={"invalid": EMAIL_WANTED, "required": "Write the address."}
    )
    agreed = forms.BooleanField(error_messages={"required": "Ask first: without a yes none goes."})

    def __init__(self, data: Any = None, *, patient: Patient) -> None:
        initial = {"email": patient.email}
        super().__init__(data, initial=initial, use_required_attribute=False, label_suffix="")
        self.fields["agreed"].label = f"{patient.first_name} agrees to recovery messages by email"

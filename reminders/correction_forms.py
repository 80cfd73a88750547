"""A wrong time put right, or a treatment taken back: what is typed for it, checked."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django import forms

from patients.models import Treatment
from reminders.fields import LocalTimeField
from reminders.treatments import TreatmentRefused, check_time


class CorrectionForm(forms.Form):
    """The right time and the reason. `previewed` is the time whose effect was shown."""

    treated_at = LocalTimeField(label="It ended at")
    reason = forms.CharField(label="Why was it wrong?", max_length=200)
    previewed = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, treatment: Treatment, now: datetime) -> None:
        self.treatment, self.now = treatment, now
        super().__init__(
            data,
            initial={"treated_at": treatment.treated_at},
            use_required_attribute=False,
            label_suffix="",
        )
        at = cast("LocalTimeField", self.fields["treated_at"])
        at.zone, at.now = treatment.patient.clinic.tz, now
        at.error_messages["required"] = "Say on which day and at what time it ended."
        self.fields["reason"].error_messages["required"] = "Say why: it is kept with the old time."

    def clean_treated_at(self) -> datetime:
        treated_at = cast("datetime", self.cleaned_data["treated_at"])
        try:
            check_time(treated_at, self.now)
        except TreatmentRefused as refused:
            raise forms.ValidationError(str(refused)) from None
        local = self.treatment.treated_at.replace(second=0, microsecond=0)
        if treated_at == local:
            raise forms.ValidationError("That is the time it has already.")
        return treated_at


class VoidForm(forms.Form):
    reason = forms.CharField(
        label="Why is it voided?",
        max_length=200,
        error_messages={"required": "Say why: it is kept with the treatment."},
    )

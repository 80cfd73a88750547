"""What a nurse types beside a patient: a note, how a call ended, a task, an answer by text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django import forms

from patients.models import Clinic, StaffUser
from patients.models.patient import Channel
from reminders.again import NotSentAgain, answer
from reminders.fields import LocalTimeField
from reminders.models import Note

LONGEST_ANSWER = 300
DUE = {"1h": "In 1 hour", "today": "By 5 pm", "tomorrow": "Tomorrow 9 am", "other": "Other"}


class PlainForm(forms.Form):
    """Ours says in its own words what is missing."""

    def __init__(self, data: Any = None, **more: Any) -> None:
        super().__init__(data, use_required_attribute=False, label_suffix="", **more)


class NoteForm(PlainForm):
    """A note, or how a call ended; one of the two must be there."""

    call = forms.ChoiceField(
        label="Was it a call?",
        choices=[("", "No, a note"), *Note.Call.choices],
        required=False,
        widget=forms.RadioSelect,
        initial="",
    )
    text = forms.CharField(
        label="For your colleagues",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if not typed.get("call") and not typed.get("text"):
            raise forms.ValidationError({"text": "Write the note, or say how the call ended."})
        return typed


class TaskForm(PlainForm):
    """Somebody is to do something by a time."""

    text = forms.CharField(
        label="What is to be done?",
        max_length=200,
        error_messages={"required": "Say what is to be done."},
    )
    owner = forms.ModelChoiceField(StaffUser.objects.none(), label="By whom?", empty_label=None)
    due = forms.ChoiceField(
        label="By when?", choices=list(DUE.items()), widget=forms.RadioSelect, initial="1h"
    )
    due_at = LocalTimeField(label="Which day and time?", required=False)

    def __init__(self, data: Any = None, *, by: StaffUser, clinic: Clinic, now: datetime) -> None:
        super().__init__(data, initial={"owner": by.pk})
        self.now, self.zone = now, clinic.tz
        owners = clinic.staff.filter(is_active=True).order_by("name")
        self.fields["owner"].queryset = owners  # type: ignore[attr-defined]
        at = self.fields["due_at"]
        at.zone, at.now = clinic.tz, now  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        chosen = typed.get("due")
        if chosen == "other" and not typed.get("due_at") and "due_at" not in self.errors:
            self.add_error("due_at", "Say on which day and at what time.")
        elif chosen and chosen != "other":
            typed["due_at"] = self._moment(chosen)
        return typed

    def _moment(self, chosen: str) -> datetime:
        here = self.now.astimezone(self.zone)
        if chosen == "today":
            five = datetime.combine(here.date(), time(17), self.zone)
            return max(five, here + timedelta(minutes=15))
        if chosen == "tomorrow":
            return datetime.combine(here.date() + timedelta(days=1), time(9), self.zone)
        return here + timedelta(hours=1)


REASONS = {
    "spoke": "Spoke with the patient",
    "answered": "Answered by text",
    "seen": "Was seen at the clinic",
    "nothing": "Nothing to do",
    "other": "Other",
}


class CloseForm(PlainForm):
    """Why a concern is closed."""

    why = forms.ChoiceField(
        label="Why is it closed?",
        choices=list(REASONS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Say why: it is kept with the concern."},
    )
    more = forms.CharField(label="In a few words", max_length=150, required=False)

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if typed.get("why") == "other" and not typed.get("more"):
            self.add_error("more", "Say in a few words why.")
        return typed

    def reason(self) -> str:
        why, more = self.cleaned_data["why"], self.cleaned_data["more"]
        said = REASONS[why] if why != "other" else ""
        return ": ".join(one for one in (said, more) if one)


class AnswerForm(PlainForm):
    """A nurse's own words. They go by text or email as they stand, under the clinic's name."""

    words = forms.CharField(
        label="Your words",
        max_length=LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": "Write what it shall say.",
            "max_length": f"At most {LONGEST_ANSWER} letters go by text. Say it shorter, or call.",
        },
    )
    channel = forms.ChoiceField(label="By", widget=forms.RadioSelect)

    def __init__(self, data: Any = None, *, ways: Sequence[Channel]) -> None:
        super().__init__(data, initial={"channel": ways[0] if ways else ""})
        self.fields["channel"].choices = [(way.value, way.label) for way in ways]  # type: ignore[attr-defined]

    def send(self, treatment: Any, *, by: StaffUser, now: datetime) -> bool:
        """Whether it was planned; if not, the form says why."""
        typed, clinic = self.cleaned_data, treatment.patient.clinic
        by_text = typed["channel"] == Channel.SMS.value
        words = f"{clinic.sms_name}: {typed['words']}" if by_text else typed["words"]
        try:
            answer(treatment=treatment, channel=typed["channel"], words=words, by=by, now=now)
        except NotSentAgain as why:
            self.add_error("words", str(why))
            return False
        return True

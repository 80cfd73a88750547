"""What the admin sets for the clinic, its staff, and a test text; every mistake said in words."""

from __future__ import annotations

from datetime import time
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from patients.models import Clinic, StaffUser
from patients.models.clinic import WEEKDAYS, Role
from patients.starting_anew import lend_password
from reminders.fields import EMAIL_WANTED, read_phone, region_of
from reminders.work_forms import PlainForm

DAYS = dict(zip(WEEKDAYS, "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
                strict=True))  # fmt: skip
PHONES = ("office_phone", "after_hours_phone", "sms_sender", "alert_phone", "nurse_phone",
          "second_nurse_phone")  # fmt: skip
LABELS = {
    "name": "Name",
    "sms_name": "Name in texts",
    "zone": "Time zone",
    "office_phone": "Office number",
    "after_hours_phone": "After-hours number",
    "emergency_number": "Emergency number",
    "quiet_starts": "Quiet hours begin",
    "quiet_ends": "Quiet hours end",
    "sms_sender": "Texts come from",
    "sms_per_second": "Texts a second, at most",
    "email_sender": "Emails come from",
    "summary_at": "The day’s summary goes at",
    "text_price": "Price of one text part",
    "keep_months": "Records keep their name for (months)",
}
CONTACTS = {
    "nurse_phone": "Nurse: mobile",
    "nurse_email": "Nurse: email",
    "second_nurse_phone": "Second nurse: mobile",
    "second_nurse_email": "Second nurse: email",
    "alert_phone": "When something breaks: mobile",
    "alert_email": "When something breaks: email",
}
# A rented 10DLC or toll-free number is allowed some of them; the largest short code has 1,000.
MOST_A_SECOND = 1000
# Who hears of a report first: `alerts` falls back from the nurse to whoever looks after the site.
FIRST_PHONES, FIRST_EMAILS = ("nurse_phone", "alert_phone"), ("nurse_email", "alert_email")
NOBODY = "Nobody is set to hear of a patient’s report: only an admin’s own email gets it."
NO_HOURS = (
    "No opening hours are set: a patient’s page cannot say whether anybody answers, and says “Call"
    " the clinic” at night, too."
)
NO_TEXT = "Nobody is set to get a text when a patient reports: at night an email wakes nobody."


class ClinicForm(forms.ModelForm):  # type: ignore[type-arg]
    """The clinic's record; opening hours a line a day, like `9:00-17:00`, empty for closed.

    Whoever takes away the last one that a report reaches is told, and must say that it is meant.
    """

    meant = forms.BooleanField(label="Save it all the same", required=False)

    class Meta:
        model = Clinic
        fields = (*LABELS, *CONTACTS)
        labels: ClassVar = LABELS | CONTACTS

    def __init__(self, data: Any = None, *, instance: Clinic) -> None:
        super().__init__(data, instance=instance, use_required_attribute=False, label_suffix="")
        for name in PHONES:
            phone, model = getattr(instance, name), self.fields[name]
            self.fields[name] = forms.CharField(
                label=self.Meta.labels[name],
                max_length=32,
                required=model.required,
                initial=phone.as_international if phone else "",
                help_text=model.help_text,
            )
            self.initial[name] = self.fields[name].initial
        self.fields["sms_per_second"] = forms.IntegerField(
            label=LABELS["sms_per_second"],
            required=False,
            min_value=1,
            max_value=MOST_A_SECOND,
            help_text="As your sender is registered with Twilio; empty: no limit.",
            error_messages={
                "min_value": "Write 1 or more, or leave it empty: then there is no limit.",
                "max_value": f"No sender has more than {MOST_A_SECOND:,}.",
            },
        )
        for name in ("quiet_starts", "quiet_ends", "summary_at"):
            self.fields[name].widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        for key, day in DAYS.items():
            opens = instance.opening_hours.get(key)
            self.fields[f"hours_{key}"] = forms.CharField(
                label=day, required=False, max_length=20, initial="-".join(opens) if opens else ""
            )

    def hours(self) -> list[forms.BoundField]:
        return [self[f"hours_{key}"] for key in DAYS]

    def no_hours(self) -> str:
        """What it means that no hours are saved; empty where some are."""
        return "" if self.instance.opening_hours else NO_HOURS

    def others(self) -> list[forms.BoundField]:
        return [self[name] for name in LABELS]

    def contacts(self) -> list[forms.BoundField]:
        return [self[name] for name in CONTACTS]

    def silence(self) -> str:
        """What is wrong with who hears of a report, as it is saved now; empty if nothing is."""
        return _silence({name: getattr(self.instance, name) for name in CONTACTS})

    def clean_name(self) -> str:
        """On one line, as it stands in every mail's subject."""
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        region = region_of(self.instance)
        for name in PHONES:
            if typed.get(name):
                try:
                    typed[name] = read_phone(typed[name], region)
                except ValidationError as error:
                    self.add_error(name, error)
        was, left = self.silence(), _silence(typed)
        if left and was not in (left, NOBODY) and not typed.get("meant") and not self.errors:
            self.add_error("meant", left)
        hours = {key: self._read_hours(key) for key in DAYS}
        self.instance.opening_hours = {key: span for key, span in hours.items() if span}
        return typed

    def _read_hours(self, key: str) -> list[str] | None:
        said = self.cleaned_data.get(f"hours_{key}", "").replace(" ", "").replace("–", "-")
        if not said:
            return None
        try:
            opens, closes = (time.fromisoformat(one.zfill(5)) for one in said.split("-"))
        except ValueError:
            self.add_error(f"hours_{key}", "Write it like 9:00-17:00, or leave it empty.")
            return None
        if opens >= closes:
            self.add_error(f"hours_{key}", "It closes before it opens.")
        return [f"{opens:%H:%M}", f"{closes:%H:%M}"]


def _silence(contacts: dict[str, Any]) -> str:
    texted, mailed = (any(contacts.get(one) for one in way) for way in (FIRST_PHONES, FIRST_EMAILS))
    if texted:
        return ""
    return NO_TEXT if mailed else NOBODY


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new member of staff. The first password is made here and shown once."""

    class Meta:
        model = StaffUser
        fields = ("name", "email", "role")
        error_messages: ClassVar = {
            "name": {"required": "Write the name."},
            "email": {
                "required": "Write the email address they sign in with.",
                "invalid": EMAIL_WANTED,
                "unique": "Somebody signs in with this address already.",
            },
            "role": {"required": "Choose what they may do."},
        }

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, use_required_attribute=False, label_suffix="", prefix="new")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def add(self, clinic: Clinic) -> tuple[StaffUser, str]:
        person = self.instance
        person.clinic = clinic
        password = lend_password(person)
        return person, password


class RoleForm(PlainForm):
    """What a member of staff may do, and whether they are mailed the day's summary."""

    role = forms.ChoiceField(choices=Role.choices)
    is_active = forms.BooleanField(required=False)
    wants_summary = forms.BooleanField(required=False)

"""A wrong number or email put right: what is typed, read back, and decided at the read-back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms

from patients.models import Patient, StaffUser, Treatment
from patients.models.patient import Channel, latest_consents, stopped_addresses
from patients.protocol import ConsentScope
from reminders.consent_words import READ_OUT
from reminders.contact_fields import (
    ConsentFields,
    ContactFields,
    changed_by_colleague,
    mark,
    mark_of,
)
from reminders.contacts import (
    CONTACT,
    NAMES,
    Follows,
    correct_contact,
    had_link,
    moved,
    page_to_send,
    to_agree_anew,
    with_contact,
)
from reminders.fields import grouped, region_of
from reminders.finding import same_contact
from reminders.story import Move
from reminders.treatments import Agreed

CLOSE = "The old {what} may belong to somebody else: close the old link and make a new one"


class ContactForm(ContactFields):
    """`previewed` marks what was read back: only that is saved."""

    previewed = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, treatment: Treatment) -> None:
        self.treatment, self.patient = treatment, treatment.patient
        initial = {name: getattr(self.patient, name) for name in CONTACT}
        initial["phone"] = self.patient.phone.as_national if self.patient.phone else ""
        initial["record"] = mark_of(self.patient)
        super().__init__(data, clinic=self.patient.clinic, initial=initial)

    @property
    def after(self) -> Patient:
        """The record as it would be. Valid forms only."""
        return with_contact(self.patient, self.cleaned_data)

    @property
    def is_unchanged(self) -> bool:
        return mark_of(self.after) == mark_of(self.patient)

    @property
    def shown(self) -> str:
        return mark([str(self.cleaned_data[name]) for name in CONTACT])

    @property
    def is_read_back(self) -> bool:
        """What would be saved is what was shown, of the record as it was shown."""
        told = (self.cleaned_data["previewed"], self.cleaned_data["record"])
        return told == (self.shown, mark_of(self.patient))

    def save(self, follows: FollowsForm, *, by: StaffUser, now: datetime) -> str:
        """Within a transaction that holds the patient's row; why the page was not sent, if so."""
        return correct_contact(
            patient=self.patient,
            said=self.cleaned_data,
            treatment=self.treatment,
            follows=follows.decided(),
            by=by,
            now=now,
        )


class FollowsForm(ConsentFields):
    """Whether messages may go there, and what becomes of the old link and of the page."""

    close_link = forms.BooleanField(required=False, initial=True)
    send_page = forms.BooleanField(label="", required=False, initial=True)

    def __init__(self, data: Any = None, *, form: ContactForm, now: datetime) -> None:
        before, after = form.patient, form.after
        self.clinic = form.clinic
        self.read_out = [after.language if after.language in READ_OUT else "en"]
        self.asks = bool(to_agree_anew(before, after))
        super().__init__(
            data,
            initial=_standing(before, after),
            use_required_attribute=False,
            label_suffix="",
        )
        if had_link(before, after):
            what = " and ".join(
                NAMES[one].lower() for one in moved(before, after) if before.address(one)
            )
            self.fields["close_link"].label = CLOSE.format(what=what)
        else:
            del self.fields["close_link"]
        page = page_to_send(form.treatment, after, now=now)
        # With the old link closed, whoever had the page needs it once more.
        if page is None or not (self.asks or "close_link" in self.fields):
            del self.fields["send_page"]
        else:
            self.fields["send_page"].label = f"Send the page to {_to(after, form)} now"

    def decided(self) -> Follows:
        said = self.cleaned_data
        return Follows(
            Agreed(recovery=said["recovery"], rebooking=said["rebooking"]),
            closes_link=said.get("close_link", False),
            sends_page=said.get("send_page", False),
        )


@dataclass(frozen=True, slots=True)
class ReadBack:
    """`stopped`: the channels whose new address has stopped messages; `others`: who else is
    reached there.
    """

    changes: list[Move]
    stopped: list[str]
    others: list[Patient]
    told: str


def read_back(form: ContactForm) -> ReadBack:
    """What stands to be saved, in the words it is read aloud in. Valid forms only."""
    before, after = form.patient, form.after
    ways = [one for one in moved(before, after) if after.address(one)]
    stops = stopped_addresses([after.clinic_id], [after.address(one) for one in ways])
    found = same_contact(
        form.clinic,
        phone=after.address(Channel.SMS) if Channel.SMS in ways else "",
        email=after.email if Channel.EMAIL in ways else "",
    )
    is_stale = form.cleaned_data["record"] not in ("", mark_of(before))
    return ReadBack(
        changes=[
            Move(name, old, new)
            for (name, old), (_, new) in zip(_lines(before, form), _lines(after, form), strict=True)
            if old != new
        ],
        stopped=[
            NAMES[one].lower()
            for one in ways
            if (after.clinic_id, one, after.address(one)) in stops
        ],
        others=[one for one in found if one.pk != before.pk],
        told=changed_by_colleague(before) if is_stale else "",
    )


def _lines(patient: Patient, form: ContactForm) -> list[tuple[str, str]]:
    phone = patient.address(Channel.SMS)
    return [
        ("Name", patient.full_name),
        ("Mobile", grouped(phone, region_of(form.clinic)) if phone else "none"),
        ("Email", patient.email or "none"),
        ("Send to", "Mobile, as texts" if patient.channel == Channel.SMS else "Email"),
    ]


def _to(after: Patient, form: ContactForm) -> str:
    if after.channel == Channel.EMAIL:
        return after.email
    return grouped(after.address(Channel.SMS), region_of(form.clinic))


def _standing(before: Patient, after: Patient) -> dict[str, bool]:
    """At a new address nothing is agreed to yet; at the other one, known before, what was said."""
    ways = to_agree_anew(before, after)
    if any(one in moved(before, after) for one in ways):
        return {}
    said = {(row.scope, row.channel): row.given for row in latest_consents([before.pk])}
    return {
        scope.value: all(said.get((scope.value, one.value), False) for one in ways)
        for scope in ConsentScope
    }

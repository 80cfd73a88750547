"""What the desk must know before it logs anything: no plan yet, or a provider that refuses us."""

from __future__ import annotations

from patients.models import Clinic
from patients.models.patient import Channel
from reminders import circuits
from reminders.channels.codes import Means

NO_PLAN = (
    "This clinic has no plan yet, so nothing can be logged. Whoever runs the site publishes one "
    "with: manage.py publish_protocol."
)
REFUSED = {
    Channel.SMS: "Texts do not leave right now: the provider refuses them.",
    Channel.EMAIL: "Email does not leave right now: the provider refuses it.",
}
MEANWHILE = (
    " Log as usual and let the patient scan the code. What waits leaves once it is put right."
)


def desk_notes(clinic: Clinic, *, has_plan: bool) -> list[str]:
    notes = [] if has_plan else [NO_PLAN]
    open_ = circuits.open_circuits()
    for channel, words in REFUSED.items():
        senders = {clinic.sms_sender.as_e164, clinic.email_sender}
        scopes = {(channel.value, Means.ACCOUNT.value, "")} | {
            (channel.value, Means.SENDER.value, sender) for sender in senders
        }
        if scopes & open_.keys():
            notes.append(words + MEANWHILE)
    return notes

"""What the providers refuse just now, in words: for the board and the clinic, and for the desk."""

from __future__ import annotations

from datetime import datetime

from patients.models import Clinic
from patients.models.patient import Channel
from reminders import circuits
from reminders.channels.codes import Means
from reminders.provider_errors import ProviderError, explain

REFUSED = {
    Channel.SMS: "Texts do not leave right now: the provider refuses them.",
    Channel.EMAIL: "Email does not leave right now: the provider refuses it.",
}
MEANWHILE = (
    " Log as usual and let the patient scan the code. What waits leaves once it is put right."
)


def refused_now(*, now: datetime) -> list[ProviderError]:
    """Each once; messages wait behind it, and leave by themselves when it is put right."""
    rows = circuits.refusing(now=now).values()
    return list(dict.fromkeys(explain(one.code, one.channel) for one in rows))


def refused_at_desk(clinic: Clinic, *, now: datetime) -> list[str]:
    """What does not leave for this clinic's patients, wherever they live."""
    refusing = circuits.refusing(now=now).keys()
    senders = (clinic.sms_sender.as_e164, clinic.email_sender)
    return [
        words + MEANWHILE
        for channel, words in REFUSED.items()
        if any(refusing & _scopes(channel, sender) for sender in senders)
    ]


def _scopes(channel: Channel, sender: str) -> set[circuits.Scope]:
    return {
        circuits.scope_of(means, channel.value, sender, "")
        for means in (Means.ACCOUNT, Means.SENDER)
    }

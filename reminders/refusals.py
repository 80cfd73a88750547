"""Why messages wait just now, in words: a provider refuses them, or nothing runs that sends them.

For the board and the clinic, and for the desk.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from patients import words
from patients.models import Clinic
from patients.models.patient import Channel
from reminders import circuits
from reminders.channels.codes import Means
from reminders.heartbeat import silent_since
from reminders.provider_errors import ProviderError, explain

REFUSED = {
    Channel.SMS: "Texts do not leave right now: the provider refuses them.",
    Channel.EMAIL: "Email does not leave right now: the provider refuses it.",
}
NOT_RUNNING = "the program that sends messages is not running."
TELL = "Tell whoever looks after this site: it has to be started."
MEANWHILE = (
    " Log as usual and let the patient scan the code. What waits leaves once it is put right."
)


def refused_now(clinic: Clinic, *, now: datetime) -> list[ProviderError]:
    """Each once; messages wait behind it, and leave by themselves when it is put right.

    What is refused of another clinic's sender holds nothing here.
    """
    own = [(channel.value, circuits.sender_of(clinic, channel)) for channel in Channel]
    refused = dict.fromkeys(
        explain(one.code, channel)
        for (channel, scope, key), one in circuits.refusing(now=now).items()
        if scope != Means.SENDER or (channel, key) in own
    )
    return [*_nothing_runs(clinic, now), *refused]


def _nothing_runs(clinic: Clinic, now: datetime) -> list[ProviderError]:
    at = silent_since(now=now, for_=timedelta(seconds=settings.ALARM_SECONDS))
    if at is None:
        return []
    since = words.moment(at.astimezone(clinic.tz), now.astimezone(clinic.tz), "en")
    return [ProviderError(f"Nothing has left since {since}: {NOT_RUNNING}", TELL)]


def refused_at_desk(clinic: Clinic, *, now: datetime) -> list[str]:
    """What does not leave for this clinic's patients, wherever they live."""
    refusing = circuits.refusing(now=now).keys()
    refused = [
        said
        for channel, said in REFUSED.items()
        if refusing & _scopes(channel, circuits.sender_of(clinic, channel))
    ]
    still = [f"{one.happened} {one.do}" for one in _nothing_runs(clinic, now)]
    return [said + MEANWHILE for said in still + refused]


def _scopes(channel: Channel, sender: str) -> set[circuits.Scope]:
    return {
        circuits.scope_of(means, channel.value, sender, "")
        for means in (Means.ACCOUNT, Means.SENDER)
    }

"""The provider of the ledger's state machine: what it may answer, and what it then has."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

import hypothesis.strategies as st

from patients.models.patient import Channel
from reminders import dispatch
from reminders import settle as settling
from reminders.channels import Accepted, Listed, Message, NotSent, Outcome, Rejected, Unknown
from reminders.channels.codes import Means
from reminders.models import Attempt

REFUSALS: list[Outcome] = [
    Rejected("21211", Means.NUMBER),
    Rejected("21617", Means.NOT_KNOWN),
    Rejected("30007", Means.NEVER_SAME),
    NotSent("20429"),
    NotSent("no connection"),
    NotSent("20003", Means.ACCOUNT),
]
STATUSES = [("queued", ""), ("sending", ""), ("sent", ""), ("delivered", "")]
FAILURES = [("undelivered", "30003"), ("undelivered", "30005"), ("failed", "30008")]
WORDS = st.sampled_from([*STATUSES, *FAILURES])


@dataclass
class Taken:
    """A message as the provider has it."""

    attempt: Attempt
    message: Message
    sid: str
    created_at: datetime
    last_word: tuple[str, str]
    forgotten: bool = False  # by a database restored since
    other: bool = False  # and what it was meant for has gone with the correction after the backup

    def listed(self) -> Listed:
        return Listed(self.sid, *self.last_word, self.message.text, self.created_at)


class Provider:
    def __init__(self) -> None:
        self.has: list[Taken] = []

    def take(
        self, ready: dispatch.Ready, outcome: Outcome, word: tuple[str, str], *, now: datetime
    ) -> None:
        sid = outcome.provider_id if isinstance(outcome, Accepted) else f"SM{uuid.uuid4().hex}"
        self.has.append(Taken(ready.attempt, ready.message, sid, now, word))

    def found(self, look: settling.Look) -> list[Listed]:
        attempt, known_as, _ = look
        if attempt.reminder.channel != Channel.SMS:
            return []
        if known_as:
            return [one.listed() for one in self.has if one.sid == known_as]
        since = attempt.called_at - settling.CLOCKS_DIFFER
        mine = [one for one in self.has if one.message.to == attempt.to_address]
        return [one.listed() for one in reversed(mine) if one.created_at >= since]


def answers(ready: dispatch.Ready) -> list[tuple[bool, Outcome]]:
    """Whether it takes the message, and what it answers."""
    accepted: Outcome = Accepted(f"SM{uuid.uuid4().hex}", "queued")
    refusals = REFUSALS
    if ready.channel == Channel.EMAIL:
        accepted = Accepted(ready.message.message_id, "sent")
        refusals = [
            Rejected("550", Means.NUMBER),
            NotSent("451"),
            NotSent("sender 550", Means.SENDER),
        ]
    unknowns: list[tuple[bool, Outcome]] = [(took, Unknown("20500")) for took in (True, False)]
    return [(True, accepted), *unknowns] * 2 + [(False, refusal) for refusal in refusals]

"""By which ways words of staff's own may go to a patient: what would be refused is not offered."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from patients.models import Patient
from patients.models.patient import Channel
from reminders.checks import Reach, reach_of, refusal_of
from reminders.models import ANSWER_RULE
from reminders.moments import Skip
from reminders.state_words import CHANNELS

WHY_NOT = {
    Skip.NO_CONSENT: "The patient has not agreed to messages",
    Skip.OPTED_OUT: "The patient has stopped messages",
    Skip.NO_CONTACT: "There is no number and no email address",
}


class Answering(NamedTuple):
    """The ways that are open, the patient's own first; `refused`: why not, by the other ways by
    which the patient could be reached.
    """

    ways: tuple[Channel, ...]
    refused: dict[Channel, Skip]

    @property
    def by(self) -> str:
        """`by text`, or empty if by no way."""
        return CHANNELS[self.ways[0]] if self.ways else ""

    @property
    def why_not(self) -> str:
        """Why by no way, and what to do; empty if there is one."""
        if self.ways:
            return ""
        if not self.refused:
            return f"{WHY_NOT[Skip.NO_CONTACT]}: nothing can be sent."
        return f"{WHY_NOT[next(iter(self.refused.values()))]}: call instead."

    @property
    def closed(self) -> list[str]:
        """A sentence for each way that is not open."""
        return [f"{WHY_NOT[why]} {CHANNELS[way]}." for way, why in self.refused.items()]


def answering(patient: Patient, reach: Reach) -> Answering:
    own_first = sorted(Channel, key=lambda channel: channel != patient.channel)
    verdicts = {
        way: refusal_of(patient, ANSWER_RULE.consent.value, way, reach)
        for way in own_first
        if patient.address(way)
    }
    refused = {way: why for way, why in verdicts.items() if why}
    return Answering(tuple(way for way in verdicts if way not in refused), refused)


def answering_of(patients: Collection[Patient]) -> dict[int, Answering]:
    """By patient; two questions, however many."""
    reach = reach_of(patients) if patients else None
    return {one.pk: answering(one, reach) for one in patients if reach}

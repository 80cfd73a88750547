"""Whether the patient has the page: said while they stand at the desk, and looked up later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from patients.models import Treatment
from patients.models.patient import Channel
from reminders.models import Reminder, State
from reminders.moments import Skip
from reminders.provider_errors import explain
from reminders.state_words import LOOKS, SKIPPED_WHY
from reminders.story import masked, said

CONFIRMS_WITHIN = timedelta(seconds=60)
WATCHED_FOR = timedelta(minutes=30)
EVERY, LATER_EVERY = 2, 10  # seconds between two looks, within that minute and after it


@dataclass(frozen=True, slots=True)
class Handover:
    """`poll`: seconds until it is asked for again, 0 when settled; `key` names what is shown."""

    tone: str
    icon: str
    heading: str
    text: str
    do: str = ""
    poll: int = 0
    key: str = "settled"


def handover_of(treatment: Treatment, reminders: Iterable[Reminder], *, now: datetime) -> Handover:
    """Of several rows for the handover the best one counts."""
    key = next(rule.key for rule in treatment.version.protocol.reminders if rule.is_handover)
    rows = [reminder for reminder in reminders if reminder.rule == key]
    row = max(rows, key=lambda one: LOOKS[State(one.state)].rank)
    patient = treatment.patient
    state, where = State(row.state), masked(row.channel, patient.address(row.channel))
    if state == State.DELIVERED:
        when = said(row.state_at, patient, now)
        heading = f"{patient.first_name} has the page"
        return Handover("good", "check", heading, f"Delivered {when} to {where}.")
    if state in (State.FAILED, State.SKIPPED, State.NO_RECEIPT):
        return _did_not_arrive(row, state, f"Let {patient.first_name} scan the code.")
    if state == State.SENT and row.channel == Channel.EMAIL:
        ask = f"Mail seldom gives a receipt: ask {patient.first_name} whether it has come."
        return Handover("info", "arrow", "Sent by email", f"To {where}.", ask)
    return _on_its_way(state, where, now - treatment.logged_at)


def _did_not_arrive(row: Reminder, state: State, do: str) -> Handover:
    if state == State.SKIPPED:
        why = SKIPPED_WHY[Skip(row.skip_reason)]
        return Handover("warn", "dash", "No message was sent", why, do)
    if state == State.NO_RECEIPT:
        text = "It was sent, but the phone never confirmed it."
        return Handover("warn", "dots", "Not confirmed", text, do)
    codes = [attempt.error_code for attempt in row.attempts.all() if attempt.error_code]
    error = explain(codes[-1] if codes else "", row.channel)
    return Handover("bad", "cross", "The message did not arrive", error.happened, do)


def _on_its_way(state: State, where: str, since: timedelta) -> Handover:
    if since > CONFIRMS_WITHIN:
        poll = LATER_EVERY if since <= WATCHED_FOR else 0
        text = f"{where} has not confirmed it after a minute."
        do = "Use the code here, or open the page and print it."
        return Handover("warn", "dots", "Not confirmed yet", text, do, poll, f"late {poll}")
    text = {
        State.SENT: f"Sent to {where}. Waiting for the phone to confirm.",
        State.UNKNOWN: "The provider has not answered clearly yet.",
    }.get(state, f"It goes to {where} now.")
    return Handover("info", "arrow", "On its way", text, "", EVERY, state.value)

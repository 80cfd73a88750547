"""Whether the patient has the page: said while they stand at the desk, and looked up later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from patients.models import Patient, Reading, StaffUser, Treatment
from patients.models.patient import Channel
from reminders.amending import UNDO_WITHIN
from reminders.fields import masked
from reminders.models import Reminder, State
from reminders.moments import Skip
from reminders.provider_errors import explain
from reminders.state_words import LOOKS, SKIPPED_WHY
from reminders.story import said

CONFIRMS_WITHIN = timedelta(seconds=60)
WATCHED_FOR = timedelta(minutes=30)
EVERY, LATER_EVERY = 1, 5  # seconds between two looks, within that minute and after it


@dataclass(frozen=True, slots=True)
class Handover:
    """`poll`: seconds until it is asked for again, 0 when settled; `key` names what is shown;
    `wrong_address`: the number or email is to be put right.
    """

    tone: str
    icon: str
    heading: str
    text: str
    do: str = ""
    poll: int = 0
    key: str = "settled"
    wrong_address: bool = False


def handover_of(treatment: Treatment, reminders: Iterable[Reminder], *, now: datetime) -> Handover:
    """Of several rows for the handover the best one counts; that it was read counts for more. What
    went to a number or email that was corrected since counts for nothing.
    """
    key = next(rule.key for rule in treatment.version.protocol.reminders if rule.is_handover)
    rows = [reminder for reminder in reminders if reminder.rule == key]
    patient, since = treatment.patient, now - treatment.logged_at
    row = max(rows, key=lambda one: (not _went_astray(one, patient), LOOKS[State(one.state)].rank))
    if _went_astray(row, patient):
        return _astray(row, patient)
    state, where = State(row.state), masked(row.channel, patient.address(row.channel))
    reading: Reading | None = getattr(treatment, "reading", None)
    if reading is not None:
        when = said(reading.read_at, patient, now)
        return Handover(
            "good", "check", _has_it(patient), f"“I have read this” was pressed {when}."
        )
    if state == State.DELIVERED:
        when = said(row.state_at, patient, now)
        return Handover("good", "check", _has_it(patient), f"Delivered {when} to {where}.")
    if state in (State.FAILED, State.SKIPPED, State.NO_RECEIPT):
        return _did_not_arrive(row, state, f"Let {patient.first_name} scan the code.", since)
    if state == State.SENT and row.channel == Channel.EMAIL:
        ask = f"Mail seldom gives a receipt: ask {patient.first_name} whether it has come."
        return Handover(
            "info", "arrow", "Sent by email", f"To {where}.", ask, *_watch(state, since)
        )
    return _on_its_way(state, where, since)


def _sent_to(row: Reminder) -> str:
    return next((one.to_address for one in reversed(row.attempts.all())), "")


def _went_astray(row: Reminder, patient: Patient) -> bool:
    out = row.state not in (State.PLANNED, State.SKIPPED)
    return out and _sent_to(row) not in ("", patient.address(row.channel))


def _astray(row: Reminder, patient: Patient) -> Handover:
    """Whatever became of it there, the patient has not got it by it."""
    where = masked(row.channel, _sent_to(row))
    failed = row.state == State.FAILED
    had = f"It could not be delivered to {where}" if failed else f"It went to {where}"
    text = f"{had}, which has been corrected since."
    do = f"Let {patient.first_name} scan the code. With a yes to messages, send it again below."
    return Handover("warn", "dots", "Not sent to the right one yet", text, do)


def _has_it(patient: Patient) -> str:
    return f"{patient.first_name} has the page"


def _watch(state: State, since: timedelta) -> tuple[int, str]:
    """Nothing more comes of the message, but "I have read this" may be pressed any moment."""
    return (LATER_EVERY if since <= WATCHED_FOR else 0), state.value


def _did_not_arrive(row: Reminder, state: State, do: str, since: timedelta) -> Handover:
    if state == State.SKIPPED:
        why = SKIPPED_WHY[Skip(row.skip_reason)]
        return Handover("warn", "dash", "No message was sent", why, do, *_watch(state, since))
    if state == State.NO_RECEIPT:
        text = "It was sent, but the phone never confirmed it."
        return Handover("warn", "dots", "Not confirmed", text, do, *_watch(state, since))
    codes = [attempt.error_code for attempt in row.attempts.all() if attempt.error_code]
    error = explain(codes[-1] if codes else "", row.channel)
    heading = "The message did not arrive"
    watch, wrong = _watch(state, since), error.is_wrong_address
    return Handover("bad", "cross", heading, error.happened, do, *watch, wrong_address=wrong)


def _on_its_way(state: State, where: str, since: timedelta) -> Handover:
    if since > CONFIRMS_WITHIN:
        poll = LATER_EVERY if since <= WATCHED_FOR else 0
        text = f"{where} has not confirmed it after a minute."
        do = "Use the code here, send it by email, or open the page and print it."
        return Handover("warn", "dots", "Not confirmed yet", text, do, poll, f"late {poll}")
    text = {
        State.SENT: f"Sent to {where}. Waiting for the phone to confirm.",
        State.UNKNOWN: "The provider has not answered clearly yet.",
    }.get(state, f"It goes to {where} now.")
    return Handover("info", "arrow", "On its way", text, "", EVERY, state.value)


def undo_seconds(treatment: Treatment, *, by: StaffUser, now: datetime) -> int:
    """For how long `by` may still undo it; 0 when it is too late or somebody else's."""
    left = treatment.logged_at + UNDO_WITHIN - now
    mine = treatment.logged_by_id == by.pk and treatment.voided_at is None
    return max(0, round(left.total_seconds())) if mine else 0

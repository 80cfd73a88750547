"""One cell of the board: of all rows for a rule the one that got furthest, in three words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from patients import words
from patients.models import Reading, Treatment
from reminders.models import Reminder, State
from reminders.moments import Skip
from reminders.state_words import CHANNELS, LOOKS, SEEN, SKIPPED_SHORT, Look

OUT = frozenset(State) - {State.PLANNED, State.SKIPPED}


@dataclass(frozen=True, slots=True)
class Cell:
    """`when`: a local clock time, or why it was skipped; `earlier`: sent for an earlier time."""

    column: str
    look: Look
    when: str
    channel: str
    channel_word: str
    earlier: bool


def best_of(reminders: Iterable[Reminder]) -> dict[str, Reminder]:
    """By rule the row that got furthest; of equals the latest."""
    best: dict[str, Reminder] = {}
    for reminder in reminders:
        kept = best.get(reminder.rule)
        if kept is None or _rank(reminder) >= _rank(kept):
            best[reminder.rule] = reminder
    return best


def _rank(reminder: Reminder) -> int:
    return LOOKS[State(reminder.state)].rank


def cell_of(reminder: Reminder, column: str, treatment: Treatment, here: datetime) -> Cell:
    """How far one reminder has got; `here`: now, on the patient's clock."""
    state = State(reminder.state)
    look, channel = LOOKS[state], reminder.channel
    reading: Reading | None = getattr(treatment, "reading", None)
    if reading and treatment.version.protocol.rule(reminder.rule).is_handover:
        look, when = SEEN, compact(reading.read_at.astimezone(here.tzinfo), here)
    elif state == State.SKIPPED:
        when, channel = SKIPPED_SHORT[Skip(reminder.skip_reason)], ""
    else:
        at = reminder.leaves_at if state == State.PLANNED else reminder.state_at
        when = compact(at.astimezone(here.tzinfo), here)
    return Cell(
        column=column,
        look=look,
        when=when,
        channel=channel,
        channel_word=CHANNELS.get(channel, ""),
        earlier=state in OUT and reminder.treated_at != treatment.treated_at,
    )


def compact(at: datetime, here: datetime) -> str:
    """`3:05 pm` today, `Mon 3:05 pm` within six days, else `Dec 22 3:05 pm`, `Dec 22 2024`."""
    clock = words.clock(at, "en")
    days = (at.date() - here.date()).days
    if days == 0:
        return clock
    if abs(days) <= 6:
        return f"{at:%a} {clock}"
    if abs(days) <= 300:
        return f"{at:%b} {at.day} {clock}"
    return f"{at:%b} {at.day} {at:%Y}"

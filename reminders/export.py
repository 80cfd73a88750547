"""The board as a file: a line for every reminder of the treatments shown, times on the patient's
clock. No phone number or address is in it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from patients.models import Clinic, Treatment
from reminders.grid import fetch
from reminders.models import Reminder, State
from reminders.moments import Skip
from reminders.state_words import LOOKS, SKIPPED_WHY
from reminders.story import name_of

HEADS = (
    "Patient", "Treated", "Session", "Reminder", "By", "State", "Planned for", "State since",
    "Why not",
)  # fmt: skip
# A spreadsheet would run what begins with one of these, wide ones too, whatever it drops in front;
# and one that splits at another sign than ours sees a cell begin in the middle of ours.
RUN = re.compile(
    r"(?:^|(?<=[;|\t\r\n]))(?=[\s\x00-\x1f\u200b\ufeff\"]*[=+\-@＝＋－＠])|^(?=[\t\r\n\x00])"
)
CHUNK = 200


class Echo:
    """A file that gives each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def lines(clinic: Clinic, listed: list[int]) -> Iterator[str]:
    """The file, line by line; constant memory whatever its length."""
    writer = csv.writer(Echo())
    yield "\ufeff"  # so that a spreadsheet reads the letters right
    yield writer.writerow(HEADS)
    for start in range(0, len(listed), CHUNK):
        for treatment in fetch(clinic, listed[start : start + CHUNK]):
            for row in _rows(treatment):
                yield writer.writerow(defuse(row))


def defuse(cells: Iterable[str]) -> list[str]:
    return [RUN.sub("'", cell) for cell in cells]


def _rows(treatment: Treatment) -> Iterator[tuple[str, ...]]:
    patient = treatment.patient

    def here(at: datetime) -> str:
        return f"{at.astimezone(patient.tz):%Y-%m-%d %H:%M}"

    for reminder in treatment.reminders.all():
        reminder.treatment = treatment
        yield (
            patient.full_name,
            here(treatment.treated_at),
            treatment.get_session_display(),
            name_of(reminder),
            reminder.get_channel_display(),
            LOOKS[State(reminder.state)].word,
            here(reminder.due_at),
            here(reminder.state_at),
            _why(reminder),
        )


def _why(reminder: Reminder) -> str:
    return SKIPPED_WHY[Skip(reminder.skip_reason)] if reminder.skip_reason else ""

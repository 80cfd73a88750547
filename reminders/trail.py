"""What staff have written down about a patient: notes, calls, tasks, times put right; open tasks
first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import BooleanField, Case, DateTimeField, F, Value, When

from patients.models import Correction, Patient
from reminders.models import Note, Task
from reminders.story import said

MANY = 200
CORRECTED = "corrected"
OWES_NOTHING = Value(False, output_field=BooleanField())
NEVER = Value(None, output_field=DateTimeField(null=True))


class Written(NamedTuple):
    """A task, a note or a correction as it is read. A note owes nobody anything; of a correction
    `due_at` is the old time and `done_at` the new one.
    """

    kind: str
    pk: int
    at: datetime
    text: str
    writer: str | None
    owner: str
    due_at: datetime | None
    done_at: datetime | None
    done_by: str | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """`task`: the task's number while it is open; `late`: it is past its time."""

    head: str
    text: str
    task: int | None = None
    late: bool = False


OLDER = Entry(head=f"What is older than these {MANY} is kept, and not shown here.", text="")


def trail(patient: Patient, *, now: datetime) -> list[Entry]:
    """One question, whatever there is; the latest first, after what is still to be done."""
    is_open = Case(When(done_at=None, then=True), default=False, output_field=BooleanField())
    tasks = Task.objects.filter(patient=patient).annotate(is_open=is_open).values_list(
        Value("task"), "pk", "made_at", "text", "made_by__name", "owner__name", "due_at",
        "done_at", F("done_by__name"), "is_open",
    )  # fmt: skip
    notes = Note.objects.filter(patient=patient).annotate(is_open=OWES_NOTHING).values_list(
        F("call"), "pk", "written_at", "text", "by__name", Value(""), NEVER, NEVER, Value(""),
        "is_open",
    )  # fmt: skip
    corrections = Correction.objects.filter(treatment__patient=patient)
    corrected = corrections.annotate(is_open=OWES_NOTHING).values_list(
        Value(CORRECTED), "pk", "corrected_at", "reason", "corrected_by__name", Value(""),
        "old_treated_at", "new_treated_at", Value(""), "is_open",
    )  # fmt: skip
    all_ = tasks.union(notes, corrected, all=True).order_by("-is_open", "-made_at")
    rows = [Written(*row) for row in all_[: MANY + 1]]
    entries = [_entry(row, patient, now) for row in rows[:MANY]]
    return [*entries, OLDER] if len(rows) > MANY else entries


def _entry(row: Written, patient: Patient, now: datetime) -> Entry:
    if row.kind == CORRECTED and row.due_at and row.done_at:
        by = f" by {row.writer}" if row.writer else ""
        right, wrong = (said(at, patient, now) for at in (row.done_at, row.due_at))
        head = f"Time corrected{by}, {said(row.at, patient, now)}"
        return Entry(head, f"It ended {right}, not {wrong}. “{row.text}”")
    if row.due_at is None:
        call = dict(Note.Call.choices).get(row.kind)
        head = f"Call: {call.lower()}" if call else "Note"
        return Entry(f"{head} · {row.writer}, {said(row.at, patient, now)}", row.text)
    if row.done_at is not None:
        by = row.done_by or "the site itself"
        return Entry(f"Task done by {by}, {said(row.done_at, patient, now)}", row.text)
    head = f"Task for {row.owner}, due {said(row.due_at, patient, now)} · from {row.writer}"
    return Entry(head, row.text, task=row.pk, late=row.due_at < now)

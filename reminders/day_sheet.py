"""Today on one sheet of paper: what asks for somebody, and what the day still brings.

A day ends at 4 in the morning: a clinic that works past midnight prints one sheet of its evening.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from patients import words
from patients.models import Clinic, Treatment
from reminders.asking import unmended
from reminders.concern_words import most_urgent, show
from reminders.models import Concern, Reminder, ReminderQuerySet, State, Task
from reminders.state_words import CHANNELS, LOOKS
from reminders.story import name_of, said

MANY = 200
ENDS = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Item:
    """`when`, on the patient's clock; `who`; `what`."""

    when: str
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Part:
    """`more`: where the rest is, if that was not all."""

    title: str
    items: tuple[Item, ...]
    nothing: str
    more: str


@dataclass(frozen=True, slots=True)
class Sheet:
    day: str
    printed: str
    parts: tuple[Part, ...]


def sheet(clinic: Clinic, *, now: datetime) -> Sheet:
    here = now.astimezone(clinic.tz)
    today = (here.replace(tzinfo=None) - ENDS).date()
    yesterday, begins, ends = (_begin(clinic, today + timedelta(days)) for days in (-1, 0, 1))
    board = "on the board"
    parts = (
        _part("Open concerns", _concerns(clinic, now), "None.", "under Concerns"),
        _part("Tasks due by tonight", _tasks(clinic, ends, now), "None.", "under Tasks"),
        _part(
            "Failed or in doubt since yesterday", _failed(clinic, yesterday, now), "Nothing.", board
        ),
        _part("Treated today", _treated(clinic, begins, now), "Nobody so far.", board),
        _part("Still leaves today", _due(clinic, ends, now), "Nothing.", board),
    )
    return Sheet(words.on_date(today, "en"), words.clock(here, "en"), parts)


def _begin(clinic: Clinic, day: date) -> datetime:
    return datetime.combine(day, time(), clinic.tz) + ENDS


def _part(title: str, items: Sequence[Item], nothing: str, rest: str) -> Part:
    """Needs one item more than are shown, to know that there is more."""
    more = f"These are the first {MANY}. The others stand {rest}." if len(items) > MANY else ""
    return Part(title, tuple(items[:MANY]), nothing, more)


def _concerns(clinic: Clinic, now: datetime) -> list[Item]:
    open_ = most_urgent(Concern.objects.filter(clinic=clinic, closed_at=None), MANY + 1)
    shown = (show(one, clinic, now=now) for one in open_)
    return [
        Item(one.when, one.who, f"{one.title}{': on it, ' + one.on_it if one.on_it else ''}")
        for one in shown
    ]


def _tasks(clinic: Clinic, ends: datetime, now: datetime) -> list[Item]:
    rows = clinic.tasks.filter(done_at=None, due_at__lt=ends).order_by("due_at")
    return [_task(row, clinic, now) for row in rows.select_related("patient", "owner")[: MANY + 1]]


def _task(row: Task, clinic: Clinic, now: datetime) -> Item:
    due = words.moment(row.due_at.astimezone(clinic.tz), now.astimezone(clinic.tz), "en")
    return Item(due, row.patient.full_name, f"{row.text} ({row.owner.name})")


def _failed(clinic: Clinic, begins: datetime, now: datetime) -> list[Item]:
    """What went another way in the end is not among them."""
    lost = unmended(_of(clinic, state__in=[State.FAILED, State.UNKNOWN], state_at__gte=begins))
    return [
        _item(
            row,
            clinic,
            row.state_at,
            now,
            f": {LOOKS[State(row.state)].word.lower()} {CHANNELS[row.channel]}",
        )
        for row in _first(lost, "state_at")
    ]


def _due(clinic: Clinic, ends: datetime, now: datetime) -> list[Item]:
    due = _of(clinic, state=State.PLANNED, leaves_at__lt=ends)
    return [_item(row, clinic, row.leaves_at, now) for row in _first(due, "leaves_at")]


def _of(clinic: Clinic, **which: object) -> ReminderQuerySet:
    return Reminder.objects.filter(
        treatment__patient__clinic=clinic, treatment__voided_at=None, **which
    )


def _first(rows: ReminderQuerySet, moment: str) -> Iterable[Reminder]:
    return (
        rows.select_related("treatment__patient", "treatment__version")
        .defer("treatment__version__source")
        .order_by(moment, "id")[: MANY + 1]
    )


def _item(row: Reminder, clinic: Clinic, at: datetime, now: datetime, more: str = "") -> Item:
    patient = row.treatment.patient
    patient.clinic = clinic
    return Item(said(at, patient, now), patient.full_name, name_of(row) + more)


def _treated(clinic: Clinic, begins: datetime, now: datetime) -> list[Item]:
    rows = Treatment.objects.filter(
        patient__clinic=clinic, voided_at=None, treated_at__gte=begins
    ).select_related("patient")
    items = []
    for row in rows.order_by("treated_at")[: MANY + 1]:
        row.patient.clinic = clinic
        ended = said(row.treated_at, row.patient, now)
        items.append(Item(ended, row.patient.full_name, row.get_session_display()))
    return items

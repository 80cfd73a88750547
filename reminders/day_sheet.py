"""Today on one sheet of paper: what asks for somebody, and what the day still brings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from patients import words
from patients.models import Clinic, Treatment
from reminders.concern_words import most_urgent, show
from reminders.models import Concern, Reminder, State, Task
from reminders.story import name_of, said

MANY = 200


@dataclass(frozen=True, slots=True)
class Item:
    """`when`, on the patient's clock; `who`; `what`."""

    when: str
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    items: tuple[Item, ...]
    nothing: str


@dataclass(frozen=True, slots=True)
class Sheet:
    day: str
    printed: str
    parts: tuple[Part, ...]


def sheet(clinic: Clinic, *, now: datetime) -> Sheet:
    here = now.astimezone(clinic.tz)
    begins = datetime.combine(here.date(), time(), clinic.tz)
    ends = datetime.combine(here.date() + timedelta(days=1), time(), clinic.tz)
    parts = (
        Part("Open concerns", _concerns(clinic, now), "None."),
        Part("Tasks due by tonight", _tasks(clinic, ends, now), "None."),
        Part("Failed or in doubt today", _failed(clinic, begins, now), "Nothing."),
        Part("Treated today", _treated(clinic, begins, now), "Nobody so far."),
        Part("Still leaves today", _due(clinic, ends, now), "Nothing."),
    )
    return Sheet(words.on_date(here.date(), "en"), words.clock(here, "en"), parts)


def _concerns(clinic: Clinic, now: datetime) -> tuple[Item, ...]:
    open_ = most_urgent(Concern.objects.filter(clinic=clinic, closed_at=None), MANY)
    shown = (show(one, clinic, now=now) for one in open_)
    return tuple(
        Item(one.when, one.who, f"{one.title}{': on it, ' + one.on_it if one.on_it else ''}")
        for one in shown
    )


def _tasks(clinic: Clinic, ends: datetime, now: datetime) -> tuple[Item, ...]:
    rows = clinic.tasks.filter(done_at=None, due_at__lt=ends).order_by("due_at")
    return tuple(_task(row, clinic, now) for row in rows.select_related("patient", "owner")[:MANY])


def _task(row: Task, clinic: Clinic, now: datetime) -> Item:
    due = words.moment(row.due_at.astimezone(clinic.tz), now.astimezone(clinic.tz), "en")
    return Item(due, row.patient.full_name, f"{row.text} ({row.owner.name})")


def _failed(clinic: Clinic, begins: datetime, now: datetime) -> tuple[Item, ...]:
    return _reminders(
        clinic, now, "state_at", state__in=[State.FAILED, State.UNKNOWN], state_at__gte=begins
    )


def _due(clinic: Clinic, ends: datetime, now: datetime) -> tuple[Item, ...]:
    return _reminders(clinic, now, "leaves_at", state=State.PLANNED, leaves_at__lt=ends)


def _reminders(clinic: Clinic, now: datetime, moment: str, **which: object) -> tuple[Item, ...]:
    rows = (
        Reminder.objects.filter(
            treatment__patient__clinic=clinic, treatment__voided_at=None, **which
        )
        .select_related("treatment__patient", "treatment__version")
        .defer("treatment__version__source")
        .order_by(moment, "id")[:MANY]
    )
    return tuple(_item(row, clinic, getattr(row, moment), now) for row in rows)


def _item(row: Reminder, clinic: Clinic, at: datetime, now: datetime) -> Item:
    patient = row.treatment.patient
    patient.clinic = clinic
    return Item(said(at, patient, now), patient.full_name, name_of(row))


def _treated(clinic: Clinic, begins: datetime, now: datetime) -> tuple[Item, ...]:
    rows = Treatment.objects.filter(
        patient__clinic=clinic, voided_at=None, treated_at__gte=begins
    ).select_related("patient")
    items = []
    for row in rows.order_by("treated_at")[:MANY]:
        row.patient.clinic = clinic
        ended = said(row.treated_at, row.patient, now)
        items.append(Item(ended, row.patient.full_name, row.get_session_display()))
    return tuple(items)

"""Rows of a list beside what is known already: the same patient is not made twice, nor a treatment.

What the database knows of some hundred rows is asked for in the same number of queries for any
number of them. Asked again later, it is equal unless something has changed in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q

from patients.models import Clinic, Patient, Treatment
from patients.models.patient import latest_consents, stopped_addresses
from patients.models.search_text import fold
from patients.protocol import Session
from reminders.import_rows import Entry
from reminders.treatments import SAME_TREATMENT_WITHIN

Person = tuple[str, str]  # the name as it is searched, and a number or address
COLUMNS = [field.attname for field in Patient._meta.concrete_fields]


class Asked(NamedTuple):
    """Of some rows what the database is asked about."""

    phones: frozenset[str]
    emails: frozenset[str]
    keys: frozenset[UUID]


class Visit(NamedTuple):
    patient: int
    protocol: str
    treated_at: datetime
    session: str


class Word(NamedTuple):
    """The latest "yes" or "no" of a patient, and the day of it on the clinic's calendar."""

    given: bool
    on: date


class Facts(NamedTuple):
    """What the database answered. `patients`: the columns' values, the latest first."""

    patients: list[tuple[Any, ...]]
    visits: list[Visit]
    words: dict[tuple[int, str, str], Word]  # patient, scope, channel
    stopped: set[tuple[int, str, str]]  # clinic, channel, address
    taken: set[UUID]  # keys of treatments that are there, voided ones too


class Known(NamedTuple):
    """Of a good row: the patient it means, if there is one; `problem`: why it is left out."""

    entry: Entry
    patient: Patient | None
    problem: str = ""


def asked_by(entries: Iterable[Entry]) -> Asked:
    entries = list(entries)
    return Asked(
        frozenset(entry.phone for entry in entries) - {""},
        frozenset(entry.email for entry in entries) - {""},
        frozenset(entry.key for entry in entries if entry.treated_at),
    )


def facts_of(clinic: Clinic, asked: Asked, *, lock: bool = False) -> Facts:
    """`lock`: within a transaction, so that these patients stay as they are until it ends."""
    people = clinic.patients.select_for_update(no_key=True) if lock else clinic.patients.all()
    reached = Q(phone__among=asked.phones) | Q(email__among=asked.emails)
    patients = list(people.filter(reached).order_by("-id").values_list(*COLUMNS))
    ids = [values[COLUMNS.index("id")] for values in patients]
    visits = Treatment.objects.filter(patient__among=ids, voided_at=None).order_by(
        "treated_at", "id"
    )
    words = {
        (row.patient_id, row.scope, row.channel): Word(
            row.given, row.said_on or row.recorded_at.astimezone(clinic.tz).date()
        )
        for row in latest_consents(ids)
    }
    taken = Treatment.objects.filter(form_key__in=asked.keys)
    return Facts(
        patients,
        [
            Visit(*row)
            for row in visits.order_by("treated_at", "id").values_list(
                "patient", "version__key", "treated_at", "session"
            )
        ],
        words,
        stopped_addresses([clinic.pk], asked.phones | asked.emails),
        set(taken.values_list("form_key", flat=True)),
    )


def judge(entries: Sequence[Entry], facts: Facts, clinic: Clinic) -> list[Known]:
    """Each row beside the facts and those above it; all rows of one person are among these."""
    patients = _by_person(facts, clinic)
    treated: dict[tuple[int, str], list[datetime]] = {}
    for visit in facts.visits:
        treated.setdefault((visit.patient, visit.protocol), []).append(visit.treated_at)
    above: dict[tuple[Person, str], list[Entry]] = {}
    known = []
    for entry in entries:
        patient = next((patients[one] for one in people_of(entry) if one in patients), None)
        same = treated.get((patient.pk, entry.protocol), []) if patient else []
        known.append(Known(entry, patient, _problem(entry, same, above, facts)))
    return known


def _by_person(facts: Facts, clinic: Clinic) -> dict[Person, Patient]:
    """Of several patients of one name and number, the first one made."""
    found: dict[Person, Patient] = {}
    for values in facts.patients:
        patient = Patient.from_db(connection.alias, COLUMNS, values)
        patient.clinic = clinic
        for contact in (patient.address("sms"), patient.address("email")):
            if contact:
                found[fold(patient.full_name), contact] = patient
    return found


def _problem(
    entry: Entry,
    same: list[datetime],
    above: dict[tuple[Person, str], list[Entry]],
    facts: Facts,
) -> str:
    places = [(person, entry.protocol) for person in people_of(entry)]
    for other in (one for place in places for one in above.get(place, ())):
        if _is_same(entry.visited_at, other.visited_at):
            return f"It is the same as row {other.number}."
    for place in places:
        above.setdefault(place, []).append(entry)
    if entry.treated_at is None:
        return ""
    if any(_is_same(entry.treated_at, at) for at in same):
        return "This treatment is logged already."
    if entry.key in facts.taken:
        return "This treatment is logged already, and was corrected or voided since."
    return ""


def _is_same(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) < SAME_TREATMENT_WITHIN


def people_of(entry: Entry) -> list[Person]:
    """Who the row is about, by each way to reach them."""
    return [(entry.name, contact) for contact in (entry.phone, entry.email) if contact]


def latest_sessions(facts: Facts) -> dict[tuple[int, str], Session]:
    """By patient and protocol the session logged last."""
    return {(one.patient, one.protocol): Session(one.session) for one in facts.visits}

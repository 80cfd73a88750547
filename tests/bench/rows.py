"""Rows in bulk: one patient is logged as a clinic would, and PostgreSQL multiplies the rows.

Whatever columns the tables have or get, a copied row is a row the site itself wrote; only what
must differ is computed from `i`, the number of the copy.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from patients.models import Clinic, Consent, Patient, Treatment
from reminders.models import Reminder, State
from tests.builders import log, make_clinic, make_patient

NOON = 12
NAMES = (400, 20_000)  # first and last names
CONSONANTS = "b c d f g h j k l m n p r s t v w z ch st tr br".split()
VOWELS = "a e i o u a e i ia ea".split()
ENDS = ["", *"n r s z l t nd rt ck ng son man ez ov ski".split()]
FIRST_NUMBER = 2025560000  # above the phone's magic numbers
RULE = "day-2"
EMPTIED = (
    "patients_patient, reminders_heartbeat, reminders_circuit, reminders_pace, "
    "patients_optout, procrastinate_jobs, procrastinate_workers"
)


def clinic_at_noon() -> Clinic:
    """The run's clinic, in a zone where it is about noon: at night nothing waits for morning."""
    ahead = NOON - timezone.now().hour
    # `Etc/GMT-5` is five hours ahead of Greenwich.
    return Clinic.objects.first() or make_clinic(zone=f"Etc/GMT{-ahead:+d}")


def empty() -> None:
    """No patients, and nothing that came of them."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {EMPTIED} RESTART IDENTITY CASCADE")


def make_due(number: int, *, at: datetime) -> None:
    """So many patients, each with one treatment and one reminder that is due at `at`."""
    template = _template()
    _people(template, number)
    row = template.reminders.get(rule=RULE)
    _multiply(row, number, **_of_treatment(template), **_planned(at))
    _settle()


def make_history(number: int) -> None:
    """So many reminders that are over, with the treatments and patients they belong to."""
    template = _template()
    rows = list(template.reminders.all())
    treatments = number // len(rows)
    with connection.cursor() as cursor:
        # The copies point at rows that are there: no need to look each one up.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
    past = "now() - interval '60 days' - interval '1 second' * (i % 10000000)"
    with _indexes_made_afterwards():
        _people(template, treatments)
        for row in rows:
            _multiply(row, treatments, **_of_treatment(template), **_over(past))
    with connection.cursor() as cursor:
        cursor.execute("RESET session_replication_role")
        cursor.execute("RESET synchronous_commit")
    _settle()


@contextlib.contextmanager
def _indexes_made_afterwards() -> Iterator[None]:
    """As a restored backup gets them: row by row they take three times as long."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
            "WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique",
            [["patients_patient", "patients_consent", "patients_treatment", "reminders_reminder"]],
        )
        indexes = cursor.fetchall()
        cursor.execute(f"DROP INDEX {', '.join(name for name, _ in indexes)}")
        yield
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute("RESET maintenance_work_mem")


def make_board(number: int, *, recent: int) -> None:
    """So many reminders of treatments that are over, behind `recent` patients of today."""
    make_history(number)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE patients_treatment SET treated_at = treated_at - interval '60 days', "
            "logged_at = logged_at - interval '60 days'"
        )
    template = _template()
    plan = list(template.reminders.all())
    _people(template, recent)
    for row in plan:
        _multiply(row, recent, **_of_treatment(template))
    _settle()


def make_patients(number: int) -> None:
    """So many patients with a visit each; some names are shared by hundreds, most are rare.

    The same ones in every run.
    """
    template = _template()
    first, last = (f"(%s::text[])[1 + floor({size} * power(random(), 2.5))]" for size in NAMES)
    with _indexes_made_afterwards(), connection.cursor() as cursor:
        _people(template, number)
        cursor.execute("SELECT setseed(0)")
        cursor.execute(
            f"UPDATE patients_patient SET first_name = {first}, last_name = {last}",
            [_names(size) for size in NAMES],
        )
        cursor.execute(
            "UPDATE patients_patient SET search_text = "
            "format(E' %s %s\\n%s\\n\\n', first_name, last_name, substr(phone, 2))"
        )
    _settle()


def _names(number: int) -> list[str]:
    """Made up of syllables, so that begins and middles are shared as in real names."""
    chance = random.Random(number)

    def syllable() -> str:
        return chance.choice(CONSONANTS) + chance.choice(VOWELS)

    return [
        syllable() + syllable() + chance.choice(["", syllable()]) + chance.choice(ENDS)
        for _ in range(number)
    ]


def _template() -> Treatment:
    """One treatment, logged; nothing of it waits any more."""
    now = timezone.now()
    patient = make_patient(clinic=clinic_at_noon(), phone=f"+1{FIRST_NUMBER}")
    treatment = log(patient=patient, treated_at=now - timedelta(hours=6), logged_at=now)
    treatment.reminders.update(state=State.DELIVERED, skip_reason="")
    return treatment


def _people(template: Treatment, number: int) -> None:
    """Copies of the template's patient, with consents and a treatment each."""
    patient = template.patient
    _multiply(patient, number, phone=f"'+1' || ({FIRST_NUMBER} + i)")
    for consent in Consent.objects.filter(patient=patient):
        _multiply(consent, number, patient_id=f"{patient.pk} + i")
    _multiply(
        template,
        number,
        patient_id=f"{patient.pk} + i",
        ref="gen_random_uuid()",
        form_key="gen_random_uuid()",
        link_hash=f"sha256(('{template.pk}/' || i)::bytea)",
    )


def _of_treatment(template: Treatment) -> dict[str, str]:
    return {"treatment_id": f"{template.pk} + i"}


def _planned(at: datetime) -> dict[str, str]:
    return {
        "state": f"'{State.PLANNED.value}'",
        "due_at": f"'{at.isoformat()}'::timestamptz",
        "leaves_at": f"'{at.isoformat()}'::timestamptz",
        "not_after": f"'{(at + timedelta(hours=12)).isoformat()}'::timestamptz",
    }


def _over(moment: str) -> dict[str, str]:
    changed = dict.fromkeys(("due_at", "leaves_at", "not_after", "state_at"), moment)
    return {**changed, "state": f"'{State.DELIVERED.value}'"}


def _multiply(row: Patient | Consent | Treatment | Reminder, number: int, **changed: str) -> None:
    """`number` copies of `row`, with ids from one above it on; `changed`: SQL by column."""
    model: type[Model] = type(row)
    table = model._meta.db_table
    first = _last_id(table) if isinstance(row, Consent | Reminder) else row.pk
    values: Mapping[str, str] = {"id": f"{first} + i", **changed}
    columns = [str(field.column) for field in model._meta.concrete_fields]
    chosen = ", ".join(values.get(column, f"t.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} "
            f"FROM {table} t, generate_series(1, {number}) i WHERE t.id = {row.pk}"
        )
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {first} + {number})"
        )


def _last_id(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(id) FROM {table}")
        last: int = cursor.fetchone()[0]
    return last


def _settle() -> None:
    """Statistics as an old table has them, and no checkpoint in the middle of a measurement."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def count_due() -> int:
    due: int = Reminder.objects.due(timezone.now()).count()
    return due


def count_unsent() -> int:
    """Reminders whose time has come, and which are planned or being sent."""
    waiting = Reminder.objects.filter(leaves_at__lte=timezone.now())
    unsent: int = waiting.filter(state__in=[State.PLANNED, State.SENDING]).count()
    return unsent

"""What planning costs: queries a treatment, and ten thousand plans against one bare insert.

The raw insert is one statement, without Django's models, of the very rows that planning made, sent
as a program sends them. For comparison: PostgreSQL's own copy of them inside the database (`INSERT
… SELECT`, nothing sent), and Django's `bulk_create`.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from patients.inserting import insert_all
from patients.models import Treatment
from reminders.models import Reminder
from reminders.planning import plan, plan_new, said_by
from tests.builders import log, make_patient

from . import rows
from .sizes import Sizes
from .stage import Stage
from .table import Row, Target, Tell

TABLE = Reminder._meta.db_table
MOST = Target(at_most=3)
BATCH = 1_000  # rows of one INSERT of bulk_create


def run(stage: Stage, sizes: Sizes, tell: Tell) -> None:
    _tell_queries(stage, tell)
    stage.fresh()
    rows.make_due(sizes.planned, at=timezone.now() + timedelta(days=1))
    Reminder.objects.all().delete()
    treatments = list(
        Treatment.objects.select_related("patient__clinic", "version")
        .defer("version__source")
        .order_by("-id")[: sizes.planned]
    )
    planned = _plan_all(treatments)
    made = Reminder.objects.count()
    what = f"planning, {len(treatments):,} treatments, {made:,} rows"
    raw, bare, bulk = _send_again(), _insert_again(), _create_again()
    tell(Row(what, planned, "s", f"one raw INSERT {raw:.2f} s", planned / raw, MOST))
    tell(Row(f"{what}, by INSERT … SELECT", planned, "s", f"{bare:.2f} s", planned / bare))
    tell(Row(f"{what}, by bulk_create", planned, "s", f"bulk_create {bulk:.2f} s", planned / bulk))
    tell(Row("planning, a treatment", 1000 * planned / len(treatments), "ms"))


def _tell_queries(stage: Stage, tell: Tell) -> None:
    """The first treatment of the process reads the protocol once; the others are alike."""
    stage.fresh()
    clinic = rows.clinic_at_noon()
    counts = []
    for number in range(3):
        treatment = log(patient=make_patient(clinic=clinic, phone=f"+1302555{1000 + number}"))
        treatment.reminders.all().delete()
        with CaptureQueriesContext(connection) as asked:
            plan(treatment, now=timezone.now())
        counts.append(len(asked))
    constant = Target(at_most=1)
    peer = f"the third {counts[2]}"
    tell(Row("planning, queries", counts[1], "a treatment", peer, counts[1] / counts[2], constant))
    with CaptureQueriesContext(connection) as asked:
        log(patient=make_patient(clinic=clinic, phone="+13025551099"))
    tell(Row("logging a treatment with its plan, queries", len(asked), "a treatment"))


def _plan_all(treatments: list[Treatment]) -> float:
    began = time.perf_counter()
    said = said_by(treatment.patient for treatment in treatments)
    insert_all(plan_new(treatments, said, now=timezone.now(), handover=True))
    return time.perf_counter() - began


def _send_again() -> float:
    """The rows as columns of values, sent and inserted by one statement."""
    fields = Reminder._meta.concrete_fields
    columns = ", ".join(str(field.column) for field in fields)
    arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field in fields)
    insert = f"INSERT INTO {TABLE} ({columns}) SELECT * FROM unnest({arrays})"
    values = [list(column) for column in zip(*Reminder.objects.values_list(*_names()), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE kept AS SELECT * FROM {TABLE}")
        _clear(cursor)
        began = time.perf_counter()
        cursor.execute(insert, values)
        return time.perf_counter() - began


def _names() -> list[str]:
    return [str(field.attname) for field in Reminder._meta.concrete_fields]


def _clear(cursor: CursorWrapper) -> None:
    cursor.execute(f"TRUNCATE {TABLE} CASCADE")
    cursor.execute("CHECKPOINT")


def _insert_again() -> float:
    with connection.cursor() as cursor:
        _clear(cursor)
        began = time.perf_counter()
        cursor.execute(f"INSERT INTO {TABLE} SELECT * FROM kept")
        return time.perf_counter() - began


def _create_again() -> float:
    kept = list(Reminder.objects.all())
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE kept")
        _clear(cursor)
    began = time.perf_counter()
    with transaction.atomic():
        Reminder.objects.bulk_create(kept, batch_size=BATCH)
    return time.perf_counter() - began

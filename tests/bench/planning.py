"""What planning costs: queries a treatment, and ten thousand plans against one bare insert.

The bare insert is one `INSERT … SELECT` of the very rows that planning made, from a copy of them;
`bulk_create` of the same rows stands between the two.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from patients.models import Treatment
from reminders.models import Reminder
from reminders.planning import plan
from tests.builders import log, make_patient

from . import rows
from .sizes import Sizes
from .stage import Stage
from .table import Row, Target, Tell

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
    bare, bulk = _insert_again(), _create_again()
    tell(Row(what, planned, "s", f"one INSERT {bare:.2f} s", planned / bare, MOST))
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
    """One after the other in one transaction, as an import would."""
    now = timezone.now()
    began = time.perf_counter()
    with transaction.atomic():
        for treatment in treatments:
            plan(treatment, now=now)
    return time.perf_counter() - began


def _insert_again() -> float:
    table = Reminder._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE kept AS SELECT * FROM {table}")  # noqa: S608
        cursor.execute(f"TRUNCATE {table} CASCADE")
        cursor.execute("CHECKPOINT")
        began = time.perf_counter()
        cursor.execute(f"INSERT INTO {table} SELECT * FROM kept")  # noqa: S608
        return time.perf_counter() - began


def _create_again() -> float:
    kept = list(Reminder.objects.all())
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {Reminder._meta.db_table} CASCADE")
        cursor.execute("DROP TABLE kept")
        cursor.execute("CHECKPOINT")
    began = time.perf_counter()
    with transaction.atomic():
        Reminder.objects.bulk_create(kept, batch_size=BATCH)
    return time.perf_counter() - began

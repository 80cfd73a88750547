"""An accepted list is taken in: all that takes time beforehand, then one short transaction.

While that runs nobody else saves on SQLite, and nobody logs a patient on PostgreSQL. A worker that
is killed at any moment leaves nothing of the list, and the next one begins anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from patients import audit
from patients.inserting import insert
from patients.models import AuditAct, Clinic, ImportFile, ImportRow
from reminders.import_known import facts_of
from reminders.import_progress import tell
from reminders.import_reading import ranges_of
from reminders.import_ready import Ready, make_ready
from reminders.import_rows import Reader
from reminders.planning import settle_series

PIECE = 500  # rows in memory at a time


def take_in(pk: int, *, claimed_at: datetime) -> None:
    """Does nothing if the list is no longer this worker's."""
    file = ImportFile.objects.select_related("clinic", "uploaded_by").get(pk=pk)
    reader = reader_of(file, timezone.now())
    done = 0
    # However long the list is, a piece of it is in memory. The file has no name: it ends with us.
    with TemporaryFile() as pile:
        for rows in in_pieces(_wanted(file), reader):
            make_ready(file, rows, reader).put_on(pile)
            done += len(rows)
            tell(pk, done)
        with transaction.atomic():
            mine = ImportFile.objects.select_for_update(no_key=True).filter(
                pk=pk, state=ImportFile.State.ACCEPTED, claimed_at=claimed_at
            )
            if mine.first():
                _save(file, reader, pile)


def reader_of(file: ImportFile, now: datetime) -> Reader:
    return Reader(file.clinic, file.columns, day_first=file.day_first, now=now)


def in_pieces(rows: QuerySet[ImportRow], reader: Reader) -> Iterator[list[ImportRow]]:
    """Some hundred at a time, all rows of one name in one piece: no piece need know another."""
    cells = rows.values_list("number", "cells").iterator(chunk_size=PIECE)
    names = sorted((reader.name_in(one), number) for number, one in cells)
    piece: list[int] = []
    for at, (name, number) in enumerate(names):
        piece.append(number)
        is_last = at + 1 == len(names)
        if is_last or (len(piece) >= PIECE and names[at + 1][0] != name):
            yield list(rows.filter(number__in=piece).order_by("number"))
            piece = []


def _wanted(file: ImportFile) -> QuerySet[ImportRow]:
    within = Q()
    for first, last in ranges_of(file.only):
        within |= Q(number__gte=first, number__lte=last)
    return file.rows.filter(within, problem="")


def _save(file: ImportFile, reader: Reader, pile: IO[bytes]) -> None:
    # Whoever logs somebody new waits here, as at the desk.
    Clinic.objects.select_for_update(no_key=True).get(pk=file.clinic_id)
    done = 0
    touched: set[int] = set()
    for made in Ready.taken_from(pile):
        ready = _still_right(file, reader, made)
        for rows in ready.inserts:
            insert(rows)
        settle_series(ready.several, now=reader.now)
        _name_the_late(ready)
        touched |= ready.touched
        file.patients_added += ready.patients
        file.treatments_added += ready.treatments
        file.bad += len(ready.bad)
        done += len(ready.rows)
        tell(file.pk, done)  # once more: it is still heard of
    file.state, file.done_at = ImportFile.State.DONE, timezone.now()
    file.save(update_fields=["state", "done_at", "bad", "patients_added", "treatments_added"])
    audit.record(
        AuditAct.LIST_TAKEN_IN,
        clinic=file.clinic_id,
        by=file.uploaded_by,
        patients=touched,
        about=f"list {file.pk}",
    )


def _still_right(file: ImportFile, reader: Reader, ready: Ready) -> Ready:
    """As it is, unless somebody has changed what it rests on: then it is made once more."""
    if facts_of(file.clinic, ready.asked, lock=True) == ready.facts:
        return ready
    rows = ImportRow.objects.filter(pk__in=ready.rows).order_by("number")
    return make_ready(file, list(rows), reader)


def _name_the_late(ready: Ready) -> None:
    """What has become bad since it was shown is named like the rest; the others are done."""
    name_bad(ready.bad)
    ImportRow.objects.filter(pk__in=[pk for pk in ready.rows if pk not in ready.bad]).delete()


def name_bad(reasons: Mapping[int, str]) -> None:
    """Why rows are left out, by their ids."""
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {ImportRow._meta.db_table} SET problem = %s WHERE id = %s",  # noqa: S608
            [(reason[:300], pk) for pk, reason in reasons.items()],
        )

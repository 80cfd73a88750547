"""A list is uploaded, its columns are named, every row is checked, and the good ones are taken in.

Rows wait in the database, some hundred at a time in memory; of all the others only what sorts them
by name, some 300 bytes a row. What is taken in of one file is taken in by one transaction
(`import_saving`), or not at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import IO

from celery import current_app
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from patients import audit
from patients.inserting import insert_all
from patients.models import AuditAct, Clinic, ImportFile, ImportRow, StaffUser
from reminders.import_columns import guess_columns
from reminders.import_progress import stands_still, tell
from reminders.import_reading import ImportRefused, look_at, ranges_of, read_rows
from reminders.import_ready import judge_rows
from reminders.import_saving import PIECE, in_pieces, name_bad, reader_of, take_in

LEASE = timedelta(minutes=10)
TASK = "reminders.tasks.take_in"
UPLOADED, CHECKED, ACCEPTED, DONE = ImportFile.State


def upload(*, clinic: Clinic, file: IO[bytes], name: str, by: StaffUser) -> ImportFile:
    """Keep the file's rows; the same file again is the row it was before. Raises ImportRefused."""
    sheet = look_at(file)
    rows = read_rows(file, sheet)
    header = next(rows, (0, []))[1]
    kept = ImportFile(
        clinic=clinic,
        name=name[:120],
        digest=sheet.digest,
        header=header,
        columns=guess_columns(header),
        day_first=not str(clinic.office_phone).startswith("+1"),
        uploaded_at=timezone.now(),
        uploaded_by=by,
    )
    with transaction.atomic():
        # Another desk with the same file waits here, and then finds it.
        Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
        if same := clinic.import_files.filter(digest=sheet.digest).first():
            return same
        kept.save()
        some: list[ImportRow] = []
        for number, cells in rows:
            some.append(ImportRow(file=kept, number=number, cells=cells))
            kept.total += 1
            if len(some) == PIECE:
                insert_all(some)
                some = []
        insert_all(some)
        if not kept.total:
            raise ImportRefused("There is no row below the header.")
        kept.save(update_fields=["total"])
        _record(AuditAct.LIST_UPLOADED, kept, by)
    return kept


def check(
    file: ImportFile, *, columns: Mapping[str, int], day_first: bool, by: StaffUser | None = None
) -> bool:
    """Judge every row by these columns: the bad ones keep their reason.

    Whether it was still to be judged: a colleague may have accepted it meanwhile.
    """
    file.columns, file.day_first, file.over = dict(columns), day_first, 0
    reader = reader_of(file, timezone.now())
    bad: dict[int, str] = {}
    for rows in in_pieces(file.rows.all(), reader):
        judged = judge_rows(file, rows, reader)
        bad |= judged.bad
        file.over += sum(one.entry.is_over for one in judged.good)
    file.state, file.bad = CHECKED, len(bad)
    with transaction.atomic():
        waiting = ImportFile.objects.select_for_update(no_key=True).filter(
            pk=file.pk, state__in=[UPLOADED, CHECKED]
        )
        if not waiting.first():
            return False
        file.rows.exclude(problem="").update(problem="")
        name_bad(bad)
        file.save(update_fields=["columns", "day_first", "state", "bad", "over"])
        _record(AuditAct.LIST_CHECKED, file, by)
    return True


@transaction.atomic
def accept(file: ImportFile, *, handover: bool, only: str, by: StaffUser) -> bool:
    """Have a worker take it in; whether nobody else had done so. `only`: rows like "2-40, 57"."""
    ranges_of(only)
    changed = ImportFile.objects.filter(pk=file.pk, state=CHECKED).update(
        state=ACCEPTED,
        handover=handover,
        only=only,
        accepted_at=timezone.now(),
        uploaded_by=by,
    )
    if changed:
        _record(AuditAct.LIST_ACCEPTED, file, by)
        tell(file.pk, 0)
        transaction.on_commit(_ring)
    return bool(changed)


def try_again(file: ImportFile) -> bool:
    """Let another worker have it at once, if the one who had it is not heard of any more.

    Should that one live after all, its transaction ends with nothing: the file is no longer its.
    """
    if not stands_still(file, now=timezone.now()):
        return False
    freed = ImportFile.objects.filter(
        pk=file.pk, state=ACCEPTED, claimed_at=file.claimed_at
    ).update(claimed_at=None)
    if freed:
        tell(file.pk, 0)
        transaction.on_commit(_ring)
    return bool(freed)


def take_back(file: ImportFile) -> bool:
    """Not now after all: it can be looked at again, unless a worker has begun with it."""
    return bool(
        ImportFile.objects.filter(pk=file.pk, state=ACCEPTED, claimed_at=None).update(state=CHECKED)
    )


def take_in_accepted() -> bool:
    """Take in whatever is accepted and not in another worker's hands; whether there was any."""
    taken, long_ago = False, timezone.now() - LEASE
    waiting = ImportFile.objects.filter(state=ACCEPTED).filter(
        Q(claimed_at=None) | Q(claimed_at__lt=long_ago)
    )
    for pk in list(waiting.values_list("pk", flat=True)):
        # The conditional update is the lock: it is committed before anything long begins.
        if waiting.filter(pk=pk).update(claimed_at=(now := timezone.now())):
            take_in(pk, claimed_at=now)
            taken = True
    return taken


def _record(act: AuditAct, file: ImportFile, by: StaffUser | None) -> None:
    audit.record(act, clinic=file.clinic_id, by=by, about=f"list {file.pk}")


def _ring() -> None:
    # A ring that is lost costs one beat: the row says that it waits.
    with contextlib.suppress(OperationalError, OSError):
        current_app.send_task(TASK, ignore_result=True)

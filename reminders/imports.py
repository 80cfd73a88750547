"""A list is uploaded, its columns are named, every row is checked, and the good ones are taken in.

Rows wait in the database, some hundred at a time in memory. What is taken in of one file is taken
in by one transaction: a worker that is killed leaves nothing, and the next one begins anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import IO, NamedTuple

from celery import current_app
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from patients.models import Clinic, ImportFile, ImportRow, StaffUser
from reminders.import_columns import guess_columns
from reminders.import_known import Knowledge, Known
from reminders.import_progress import stands_still, tell
from reminders.import_reading import ImportRefused, look_at, read_rows
from reminders.import_rows import Reader, RowRefused
from reminders.import_saving import Saved, save_rows

PIECE = 500  # rows in memory at a time
LEASE = timedelta(minutes=10)
TASK = "reminders.tasks.take_in"


class Outcome(NamedTuple):
    """Of some rows: what is known of the good ones, and why the others are left out."""

    good: list[Known]
    bad: dict[int, str]  # by the row's id


def upload(*, clinic: Clinic, file: IO[bytes], name: str, by: StaffUser) -> ImportFile:
    """Keep the file's rows; the same file again is the row it was before. Raises ImportRefused."""
    sheet = look_at(file)
    with transaction.atomic():
        # Another desk with the same file waits here, and then finds it.
        Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
        if same := clinic.import_files.filter(digest=sheet.digest).first():
            return same
        rows = read_rows(file, sheet)
        header = next(rows, (0, []))[1]
        kept = ImportFile.objects.create(
            clinic=clinic,
            name=name[:120],
            digest=sheet.digest,
            header=header,
            columns=guess_columns(header),
            day_first=not str(clinic.office_phone).startswith("+1"),
            uploaded_at=timezone.now(),
            uploaded_by=by,
        )
        some: list[ImportRow] = []
        for number, cells in rows:
            some.append(ImportRow(file=kept, number=number, cells=cells))
            kept.total += 1
            if len(some) == PIECE:
                ImportRow.objects.bulk_create(some)
                some = []
        ImportRow.objects.bulk_create(some)
        if not kept.total:
            raise ImportRefused("There is no row below the header.")
        kept.save()
    return kept


@transaction.atomic
def check(file: ImportFile, *, columns: Mapping[str, int], day_first: bool) -> None:
    """Judge every row by these columns: the bad ones keep their reason."""
    file.columns, file.day_first, file.bad = dict(columns), day_first, 0
    file.rows.exclude(problem="").update(problem="")
    for rows, outcome in _go_through(file, file.rows.all(), timezone.now()):
        wrong = [row for row in rows if row.pk in outcome.bad]
        for row in wrong:
            row.problem = outcome.bad[row.pk][:300]
        ImportRow.objects.bulk_update(wrong, ["problem"])
        file.bad += len(wrong)
    file.state = ImportFile.State.CHECKED
    file.save()


def accept(file: ImportFile, *, handover: bool, only: str, by: StaffUser) -> bool:
    """Have a worker take it in; whether nobody else had done so. `only`: rows like "2-40, 57"."""
    ranges_of(only)
    changed = ImportFile.objects.filter(pk=file.pk, state=ImportFile.State.CHECKED).update(
        state=ImportFile.State.ACCEPTED,
        handover=handover,
        only=only,
        accepted_at=timezone.now(),
        uploaded_by=by,
    )
    if changed:
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
        pk=file.pk, state=ImportFile.State.ACCEPTED, claimed_at=file.claimed_at
    ).update(claimed_at=None)
    if freed:
        tell(file.pk, 0)
        transaction.on_commit(_ring)
    return bool(freed)


def take_in_accepted() -> bool:
    """Take in whatever is accepted and not in another worker's hands; whether there was any."""
    taken, now = False, timezone.now()
    waiting = ImportFile.objects.filter(state=ImportFile.State.ACCEPTED).filter(
        Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    )
    for pk in list(waiting.values_list("pk", flat=True)):
        # The conditional update is the lock: it is committed before the long transaction begins.
        if waiting.filter(pk=pk).update(claimed_at=now):
            take_in(pk, claimed_at=now)
            taken = True
    return taken


@transaction.atomic
def take_in(pk: int, *, claimed_at: datetime) -> None:
    file = ImportFile.objects.select_related("clinic", "uploaded_by").get(pk=pk)
    rows = file.rows.filter(problem="")
    if wanted := ranges_of(file.only):
        within = Q()
        for first, last in wanted:
            within |= Q(number__gte=first, number__lte=last)
        rows = rows.filter(within)
    now, done, saved = timezone.now(), 0, Saved(0, 0)
    for some, outcome in _go_through(file, rows, now):
        saved = saved.plus(save_rows(file, outcome.good, now=now))
        # What has become bad since it was shown is named like the rest.
        for row in some:
            row.problem = outcome.bad.get(row.pk, "")
        late = [row for row in some if row.problem]
        ImportRow.objects.bulk_update(late, ["problem"])
        ImportRow.objects.filter(pk__in=[row.pk for row in some if not row.problem]).delete()
        file.bad += len(late)
        done += len(some)
        tell(pk, done)
    finished = ImportFile.objects.filter(
        pk=pk, state=ImportFile.State.ACCEPTED, claimed_at=claimed_at
    ).update(
        state=ImportFile.State.DONE,
        done_at=timezone.now(),
        bad=file.bad,
        patients_added=saved.patients,
        treatments_added=saved.treatments,
    )
    if not finished:
        transaction.set_rollback(True)  # another worker has taken it over


def ranges_of(only: str) -> list[tuple[int, int]]:
    """`2-40, 57` → [(2, 40), (57, 57)]. Raises `ImportRefused` for what is no list of rows."""
    ranges = []
    for part in filter(None, only.replace(" ", "").split(",")):
        first, dash, last = part.replace("–", "-").partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ImportRefused("Write row numbers like 2-40, 57.")
        ranges.append((int(first), int(last or first)))
    return ranges


def _go_through(
    file: ImportFile, rows: QuerySet[ImportRow], now: datetime
) -> Iterator[tuple[list[ImportRow], Outcome]]:
    reader = Reader(file.clinic, file.columns, day_first=file.day_first, now=now)
    knowledge, last = Knowledge(file.clinic), 0
    while some := list(rows.filter(number__gt=last).order_by("number")[:PIECE]):
        yield some, _judge(some, reader, knowledge)
        last = some[-1].number


def _judge(rows: list[ImportRow], reader: Reader, knowledge: Knowledge) -> Outcome:
    entries, bad, ids = [], {}, {}
    for row in rows:
        try:
            entries.append(reader.read(row.number, row.cells))
            ids[row.number] = row.pk
        except RowRefused as refused:
            bad[row.pk] = str(refused)
    known = knowledge.of(entries)
    bad |= {ids[one.entry.number]: one.problem for one in known if one.problem}
    return Outcome([one for one in known if not one.problem], bad)


def _ring() -> None:
    # A ring that is lost costs one beat: the row says that it waits.
    with contextlib.suppress(OperationalError, OSError):
        current_app.send_task(TASK, ignore_result=True)

"""Due rows are claimed in the database and checked once more before anything is sent.

One batch, one transaction. The lock is the claim: `FOR UPDATE SKIP LOCKED` on PostgreSQL, an
immediate transaction on SQLite, the same code. The patient's row is locked with the reminder's,
so that a STOP and a claim cannot cross: whichever commits first is seen by the other.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from patients.models import Clinic, ProtocolVersion, Treatment
from reminders import circuits, pace
from reminders.checks import Hold, Standing, standing_of, verdict_on
from reminders.concerns import raise_concern
from reminders.failures import give_up
from reminders.models import ANSWER, Attempt, Circuit, Concern, Reminder, State
from reminders.models.in_bulk import insert
from reminders.moments import Skip
from reminders.planning import plan

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
BATCH = 500
TOO_LATE = (Skip.QUIET_HOURS, Skip.NOT_USEFUL, Skip.CORRECTED)


class Broken(NamedTuple):
    """Its record is such that nobody can say whether it may leave: a nurse must see it."""


Verdict = Skip | Hold | Broken | None


class Claim(NamedTuple):
    """What one worker took: these reminders are its own until the lease runs out."""

    key: uuid.UUID
    reminders: list[Reminder]
    lease_until: datetime
    more: bool  # whether more may be due
    again_at: datetime | None  # when the next of those that wait for their sender's pace may go
    circuits: dict[circuits.Scope, Circuit]  # what is refused at the moment


@transaction.atomic
def claim_due(*, now: datetime, limit: int = BATCH, only_urgent: bool = False) -> Claim:
    """Take up to `limit` due reminders; what fails a check becomes a visible skip or waits."""
    due = _lock(now, limit, only_urgent=only_urgent)
    if not due:
        return Claim(uuid.uuid4(), [], now, more=False, again_at=None, circuits={})
    _read_times_anew(due)
    _attach_clinics_and_versions(due)
    due_now = _plan_again_what_was_corrected(due, now)
    standing = standing_of(due_now)
    verdicts = [(row, _judge(row, standing, now)) for row in due_now]
    _write_skips([(row, v) for row, v in verdicts if isinstance(v, Skip)], now)
    _write_holds([(row, v) for row, v in verdicts if isinstance(v, Hold)])
    _write_broken([row for row, v in verdicts if isinstance(v, Broken)], now)
    passed = [row for row, verdict in verdicts if verdict is None]
    paced = [(row, Hold(until)) for row, until in pace.admit(passed, now=now)]
    _write_holds(paced)
    waiting = {row.pk for row, _ in paced}
    claimed = [row for row in passed if row.pk not in waiting]
    key = uuid.uuid4()
    Reminder.objects.filter(pk__among=[row.pk for row in claimed]).update(
        state=State.SENDING, state_at=now, claim=key
    )
    again_at = min((hold.until for _, hold in paced), default=None)
    return Claim(key, claimed, now + LEASE, len(due) == limit, again_at, standing.circuits)


def _judge(row: Reminder, standing: Standing, now: datetime) -> Verdict:
    try:
        return verdict_on(row, standing, now)
    except Exception:  # one row that cannot be judged must not stop the others
        logger.exception("Reminder %d could not be checked.", row.pk)
        return Broken()


def _lock(now: datetime, limit: int, *, only_urgent: bool) -> list[Reminder]:
    """Due rows and their patients, locked; those somebody waits for first."""
    due = Reminder.objects.due(now).select_for_update(
        skip_locked=True, no_key=True, of=("self", "treatment__patient")
    )
    due = due.select_related("treatment__patient")
    urgent = list(due.filter(urgent=True)[:limit])
    if only_urgent:
        return urgent
    return urgent + list(due.filter(urgent=False)[: limit - len(urgent)])


def _plan_again_what_was_corrected(due: list[Reminder], now: datetime) -> list[Reminder]:
    """What was under way during a correction is still meant for the old time: plan it anew."""
    stale = [row for row in due if _is_stale(row)]
    if not stale:
        return due
    repeats = [row for row in stale if row.again_of_id is not None]
    _write_skips([(row, Skip.CORRECTED) for row in repeats], now)
    of_the_plan = [row for row in stale if row.again_of_id is None]
    for treatment in {row.treatment for row in of_the_plan}:
        rules = frozenset(row.rule for row in of_the_plan if row.treatment == treatment)
        plan(treatment, now=now, only=rules)
    return [row for row in due if row not in stale]


def _is_stale(row: Reminder) -> bool:
    """Another ask after "not normal yet" is counted from the answer, not from the treatment."""
    of_the_plan = row.rule != ANSWER and (row.occurrence == 1 or row.again_of_id is not None)
    return of_the_plan and row.treated_at != row.treatment.treated_at


def _read_times_anew(due: list[Reminder]) -> None:
    """The treatments themselves are not locked: what came with the lock may be from just before a
    correction. From here on one waits for the claim.
    """
    treatments = Treatment.objects.filter(pk__among={row.treatment_id for row in due})
    times = dict(treatments.values_list("pk", "treated_at"))
    for row in due:
        row.treatment.treated_at = times[row.treatment_id]


def _attach_clinics_and_versions(due: list[Reminder]) -> None:
    """A batch shares a few clinics and versions: fetched once, not joined to every row."""
    clinics = Clinic.objects.in_bulk({row.treatment.patient.clinic_id for row in due})
    versions = ProtocolVersion.objects.defer("source").in_bulk(
        {row.treatment.version_id for row in due}
    )
    for row in due:
        row.treatment.patient.clinic = clinics[row.treatment.patient.clinic_id]
        row.treatment.version = versions[row.treatment.version_id]


def _write_skips(skips: list[tuple[Reminder, Skip]], now: datetime) -> None:
    by_reason: dict[Skip, list[int]] = {}
    for row, reason in skips:
        by_reason.setdefault(reason, []).append(row.pk)
    for reason, ids in by_reason.items():
        Reminder.objects.filter(pk__among=ids).update(
            state=State.SKIPPED, skip_reason=reason.value, state_at=now
        )
    for row, reason in skips:
        if row.again_of_id is not None and reason in TOO_LATE:
            give_up(row, now)


def _write_broken(rows: list[Reminder], now: datetime) -> None:
    Reminder.objects.filter(pk__among=[row.pk for row in rows]).update(
        state=State.FAILED, state_at=now
    )
    for row in rows:
        raise_concern(Concern.Kind.FAILED, reminder=row, now=now, detail="unchecked")


def _write_holds(holds: list[tuple[Reminder, Hold]]) -> None:
    by_end: dict[datetime, list[int]] = {}
    for row, hold in holds:
        by_end.setdefault(hold.until, []).append(row.pk)
    for until, ids in by_end.items():
        Reminder.objects.filter(pk__among=ids).update(leaves_at=until)


@transaction.atomic
def open_attempts(claim: Claim, attempts: list[Attempt]) -> list[Attempt]:
    """Commit that these calls begin, all at one moment; returns those this claim still holds."""
    held = Reminder.objects.select_for_update(no_key=True).filter(
        pk__among=[one.reminder_id for one in attempts], state=State.SENDING, claim=claim.key
    )
    rows = insert(
        Attempt,
        ("token", "reminder", "to_address", "subject", "body"),
        [(a.token.hex, a.reminder_id, a.to_address, a.subject, a.body) for a in attempts],
        same={
            "called_at": attempts[0].called_at,
            "lease_until": claim.lease_until,
            "outcome": Attempt.Outcome.OPEN,
            "error_code": "",
            "looks": 0,
        },
        of=("reminder", held),
        returning="reminder_id",
    )
    ids = {reminder: pk for pk, reminder in rows}
    begun = [one for one in attempts if one.reminder_id in ids]
    for attempt in begun:
        attempt.pk = ids[attempt.reminder_id]
    return begun

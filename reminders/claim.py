"""Due rows are claimed in the database and checked once more before anything is sent.

One batch, one transaction. The lock is the claim: `FOR UPDATE SKIP LOCKED` on PostgreSQL, an
immediate transaction on SQLite, the same code. The patient's row is locked with the reminder's,
so that a STOP and a claim cannot cross: whichever commits first is seen by the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from patients.models import Clinic, ProtocolVersion, Treatment
from patients.models.patient import latest_consents, stopped_addresses
from reminders.models import LAST_MINUTE, Attempt, Reminder, State
from reminders.moments import Skip

LEASE = timedelta(seconds=90)
BATCH = 500


class Hold(NamedTuple):
    """Not now: look again at `until`."""

    until: datetime


class Claim(NamedTuple):
    """What one worker took: these reminders are its own until the lease runs out."""

    key: uuid.UUID
    reminders: list[Reminder]
    lease_until: datetime
    more: bool  # whether more may be due


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known, at this claim, of the people a batch is for."""

    consents: frozenset[tuple[int, str, str]]  # patient, scope, channel: said yes
    stopped: frozenset[tuple[int, str, str]]  # clinic, channel, address: said stop
    superseded: frozenset[int]  # treatments that a later one replaced


@transaction.atomic
def claim_due(*, now: datetime, limit: int = BATCH) -> Claim:
    """Take up to `limit` due reminders; what fails a check becomes a visible skip or waits."""
    due = _lock(now, limit)
    key = uuid.uuid4()
    claimed: list[Reminder] = []
    if due:
        _attach_clinics_and_versions(due)
        standing = _standing(due)
        verdicts = [(row, _verdict(row, standing, now)) for row in due]
        _write_skips([(row, v) for row, v in verdicts if isinstance(v, Skip)], now)
        _write_holds([(row, v) for row, v in verdicts if isinstance(v, Hold)])
        claimed = [row for row, verdict in verdicts if verdict is None]
        Reminder.objects.filter(pk__in=[row.pk for row in claimed]).update(
            state=State.SENDING, state_at=now, claim=key
        )
    return Claim(key, claimed, now + LEASE, more=len(due) == limit)


def _lock(now: datetime, limit: int) -> list[Reminder]:
    """Due rows and their patients, locked; those somebody waits for first."""
    due = Reminder.objects.due(now).select_for_update(
        skip_locked=True, no_key=True, of=("self", "treatment__patient")
    )
    due = due.select_related("treatment__patient")
    urgent = list(due.filter(urgent=True)[:limit])
    return urgent + list(due.filter(urgent=False)[: limit - len(urgent)])


def _attach_clinics_and_versions(due: list[Reminder]) -> None:
    """A batch shares a few clinics and versions: fetched once, not joined to every row."""
    clinics = Clinic.objects.in_bulk({row.treatment.patient.clinic_id for row in due})
    versions = ProtocolVersion.objects.defer("source").in_bulk(
        {row.treatment.version_id for row in due}
    )
    for row in due:
        row.treatment.patient.clinic = clinics[row.treatment.patient.clinic_id]
        row.treatment.version = versions[row.treatment.version_id]


def _standing(due: list[Reminder]) -> Standing:
    patients = {row.treatment.patient_id: row.treatment.patient for row in due}
    consents = latest_consents(patients.keys())
    addresses = {row.treatment.patient.address(row.channel) for row in due}
    clinics = {patient.clinic_id for patient in patients.values()}
    return Standing(
        frozenset((row.patient_id, row.scope, row.channel) for row in consents if row.given),
        frozenset(stopped_addresses(clinics, addresses)),
        frozenset(_superseded(patients.keys())),
    )


def _superseded(patients: Iterable[int]) -> set[int]:
    newest: dict[tuple[int, str], int] = {}
    replaced = set()
    rows = (
        Treatment.objects.filter(patient__in=patients, voided_at=None)
        .order_by("-treated_at", "-id")
        .values_list("id", "patient_id", "version__key")
    )
    for pk, patient, key in rows:
        if newest.setdefault((patient, key), pk) != pk:
            replaced.add(pk)
    return replaced


def _verdict(row: Reminder, standing: Standing, now: datetime) -> Skip | Hold | None:
    """Why this row is not sent now; None when it is."""
    treatment = row.treatment
    patient = treatment.patient
    rule = treatment.version.protocol.rule(row.rule)
    address = patient.address(row.channel)
    if treatment.voided_at is not None:
        return Skip.VOIDED
    if treatment.pk in standing.superseded:
        return Skip.LATER_TREATMENT
    if (patient.pk, rule.consent.value, row.channel) not in standing.consents:
        return Skip.NO_CONSENT
    if not address:
        return Skip.NO_CONTACT
    if (patient.clinic_id, row.channel, address) in standing.stopped:
        return Skip.OPTED_OUT
    if now >= row.not_after + LAST_MINUTE:
        return Skip.NOT_USEFUL
    return None if rule.is_handover else _quiet(row, now)


def _quiet(row: Reminder, now: datetime) -> Skip | Hold | None:
    """What is late and comes up in quiet hours waits for their end, if it is still useful then."""
    patient = row.treatment.patient
    quiet = patient.clinic.quiet_hours
    if not quiet.covers(now, patient.tz):
        return None
    until = quiet.end_after(now, patient.tz)
    return Skip.QUIET_HOURS if until > row.not_after else Hold(until)


def _write_skips(skips: list[tuple[Reminder, Skip]], now: datetime) -> None:
    by_reason: dict[Skip, list[int]] = {}
    for row, reason in skips:
        by_reason.setdefault(reason, []).append(row.pk)
    for reason, ids in by_reason.items():
        Reminder.objects.filter(pk__in=ids).update(
            state=State.SKIPPED, skip_reason=reason.value, state_at=now
        )


def _write_holds(holds: list[tuple[Reminder, Hold]]) -> None:
    by_end: dict[datetime, list[int]] = {}
    for row, hold in holds:
        by_end.setdefault(hold.until, []).append(row.pk)
    for until, ids in by_end.items():
        Reminder.objects.filter(pk__in=ids).update(leaves_at=until)


@transaction.atomic
def open_attempts(claim: Claim, attempts: list[Attempt]) -> list[Attempt]:
    """Commit that these calls begin; returns those whose reminder this claim still holds."""
    held = set(
        Reminder.objects.select_for_update(no_key=True)
        .filter(
            pk__in=[attempt.reminder_id for attempt in attempts],
            state=State.SENDING,
            claim=claim.key,
        )
        .values_list("pk", flat=True)
    )
    return Attempt.objects.bulk_create([one for one in attempts if one.reminder_id in held])


@transaction.atomic
def release_expired(*, now: datetime) -> None:
    """Free what a vanished worker held: call begun, only the provider knows; not begun, again."""
    expired = list(
        Reminder.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(state=State.SENDING, state_at__lt=now - LEASE)
        .values_list("pk", flat=True)[:BATCH]
    )
    if not expired:
        return
    open_ = Attempt.objects.filter(reminder__in=expired, outcome=Attempt.Outcome.OPEN)
    begun = set(open_.values_list("reminder", flat=True))
    open_.update(outcome=Attempt.Outcome.UNKNOWN, ended_at=now, error_code="lease")
    Reminder.objects.filter(pk__in=begun).update(state=State.UNKNOWN, state_at=now, claim=None)
    Reminder.objects.filter(pk__in=set(expired) - begun).update(
        state=State.PLANNED, state_at=now, claim=None
    )

"""Due rows are claimed in the database and checked once more before anything is sent.

One batch, one transaction. The lock is the claim: `FOR UPDATE SKIP LOCKED` on PostgreSQL, an
immediate transaction on SQLite, the same code. The patient's row is locked with the reminder's,
so that a STOP and a claim cannot cross: whichever commits first is seen by the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from patients.models import Treatment
from patients.models.patient import latest_consents, stopped_addresses
from reminders.models import LAST_MINUTE, Attempt, Reminder, State
from reminders.moments import Skip

LEASE = timedelta(seconds=90)
BATCH = 200


class Hold(NamedTuple):
    """Not now: look again at `until`."""

    until: datetime


class Claimed(NamedTuple):
    attempt: Attempt
    reminder: Reminder


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known, at this claim, of the people a batch is for."""

    consents: frozenset[tuple[int, str, str]]  # patient, scope, channel: said yes
    stopped: frozenset[tuple[int, str, str]]  # clinic, channel, address: said stop
    superseded: frozenset[int]  # treatments that a later one replaced


def claim_due(*, now: datetime, limit: int = BATCH) -> tuple[list[Claimed], bool]:
    """Take up to `limit` due reminders; what fails a check becomes a visible skip or waits.

    Returns what was claimed and whether more may be due.
    """
    with transaction.atomic():
        due = list(
            Reminder.objects.due(now)
            .select_for_update(skip_locked=True, no_key=True, of=("self", "treatment__patient"))
            .select_related("treatment__patient__clinic", "treatment__version")
            .defer("treatment__version__source")[:limit]
        )
        if not due:
            return [], False
        standing = _standing(due)
        verdicts = [(row, _verdict(row, standing, now)) for row in due]
        _write_skips([(row, v) for row, v in verdicts if isinstance(v, Skip)], now)
        _write_holds([(row, v) for row, v in verdicts if isinstance(v, Hold)])
        claimed = _open_attempts([row for row, v in verdicts if v is None], now)
        return claimed, len(due) == limit


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
    for row, hold in holds:
        row.leaves_at = hold.until
    Reminder.objects.bulk_update([row for row, _ in holds], ["leaves_at"])


def _open_attempts(rows: list[Reminder], now: datetime) -> list[Claimed]:
    if not rows:
        return []
    Reminder.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=State.SENDING, state_at=now
    )
    attempts = Attempt.objects.bulk_create(
        Attempt(
            reminder=row,
            claimed_at=now,
            lease_until=now + LEASE,
            to_address=row.treatment.patient.address(row.channel),
        )
        for row in rows
    )
    return [Claimed(*pair) for pair in zip(attempts, rows, strict=True)]


def release_expired(*, now: datetime) -> None:
    """Close attempts whose worker is gone: not begun, try again; begun, only the provider knows."""
    with transaction.atomic():
        expired = list(
            Attempt.objects.select_for_update(skip_locked=True, of=("self",)).filter(
                outcome=Attempt.Outcome.OPEN, lease_until__lt=now
            )[:BATCH]
        )
        begun = [one for one in expired if one.called_at is not None]
        idle = [one for one in expired if one.called_at is None]
        for attempts, outcome, state in (
            (begun, Attempt.Outcome.UNKNOWN, State.UNKNOWN),
            (idle, Attempt.Outcome.NOT_SENT, State.PLANNED),
        ):
            if not attempts:
                continue
            Attempt.objects.filter(pk__in=[one.pk for one in attempts]).update(
                outcome=outcome, ended_at=now, error_code="lease"
            )
            Reminder.objects.filter(
                pk__in=[one.reminder_id for one in attempts], state=State.SENDING
            ).update(state=state, state_at=now)

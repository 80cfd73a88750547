"""No more messages to one address: recorded and in force in one transaction.

A stop belongs to the address: everybody whom it reaches is stopped.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from patients import audit
from patients.models import AuditAct, AuditRow, Clinic, OptOut, Patient
from patients.models.patient import Channel
from reminders.models import Reminder, State
from reminders.moments import Skip


def lock_patients(clinic: Clinic, channel: str, address: str) -> list[Patient]:
    """Everybody this address reaches, if it is one. The claim locks these rows too, so that a stop
    and a send cannot cross, nor two texts from one number.
    """
    if not address:
        return []
    reached = {"phone": address} if channel == Channel.SMS else {"email__iexact": address}
    rows = Patient.objects.select_for_update(no_key=True).filter(clinic=clinic, **reached)
    return list(rows.order_by("pk"))


@transaction.atomic
def stop(clinic: Clinic, address: str, *, channel: str = Channel.SMS, how: str = "text") -> None:
    """Nothing more by this channel to this address, from this transaction on."""
    patients = lock_patients(clinic, channel, address)
    record(clinic, channel, address, stopped=True, how=how, patients=patients)
    _skip(patients, channel)


@transaction.atomic
def skip_waiting(clinic: Clinic, address: str, *, channel: str) -> None:
    """What waits for an address that was stopped on the page: skipped, and the board says so."""
    _skip(lock_patients(clinic, channel, address), channel)


def _skip(patients: list[Patient], channel: str) -> None:
    Reminder.objects.filter(
        treatment__patient__in=patients, channel=channel, state=State.PLANNED
    ).update(state=State.SKIPPED, skip_reason=Skip.OPTED_OUT.value, state_at=timezone.now())


def record(
    clinic: Clinic,
    channel: str,
    address: str,
    *,
    stopped: bool,
    how: str,
    patients: Iterable[Patient],
) -> None:
    """Within a transaction. `patients`: whom the address reaches."""
    OptOut.objects.create(
        clinic=clinic,
        channel=channel,
        address=address,
        stopped=stopped,
        how=how,
        recorded_at=timezone.now(),
    )
    act = AuditAct.STOPPED if stopped else AuditAct.STARTED
    audit.record(act, clinic=clinic, role=AuditRow.Who.PATIENT, patients=patients, about=how)

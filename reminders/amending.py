"""Put a logged treatment right: correct its time, void it, or undo it within some seconds.

Each is one transaction; what was sent stays as it was.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from patients import audit, links
from patients.models import AuditAct, Correction, StaffUser, Treatment
from reminders.bell import ring
from reminders.corrections import offer_corrections
from reminders.models import Reminder, State
from reminders.moments import Skip
from reminders.planning import plan, settle_series, withdraw
from reminders.treatments import TreatmentRefused, check_time

UNDO_WITHIN = timedelta(seconds=10)
ON_THE_WAY = timedelta(seconds=5)  # what the page took to come, and the press to arrive


def correct_time(
    *, treatment: Treatment, treated_at: datetime, reason: str, by: StaffUser
) -> list[Reminder]:
    """Put a wrong time right: what is unsent moves with it, what was sent stays as it was.

    Raises `TreatmentRefused` for a time that could not have been logged, or if it was voided.
    """
    now = timezone.now()
    check_time(treated_at, now)
    with transaction.atomic():
        locked = _lock(treatment)
        if locked.treated_at != treatment.treated_at:
            raise TreatmentRefused("A colleague has just corrected this time. Look at it again.")
        Correction.objects.create(
            treatment=locked,
            old_treated_at=locked.treated_at,
            new_treated_at=treated_at,
            reason=reason,
            corrected_by=by,
            corrected_at=now,
        )
        treatment.treated_at = treated_at
        treatment.link_expires_at = links.expiry_of(treatment)
        treatment.save(update_fields=["treated_at", "link_expires_at"])
        plan(treatment, now=now)
        offer_corrections(treatment, now=now)
        _record(treatment, AuditAct.CORRECTED, by=by)
        _settle(treatment, now)
        transaction.on_commit(ring)
    return list(treatment.reminders.order_by("due_at", "id"))


def void_treatment(*, treatment: Treatment, reason: str, by: StaffUser) -> None:
    """Take back a treatment that should not have been logged; its earlier one counts again.

    Raises `TreatmentRefused` if it was voided before.
    """
    now = timezone.now()
    with transaction.atomic():
        _lock(treatment)
        treatment.voided_at = now
        treatment.void_reason = reason
        treatment.voided_by = by
        treatment.save(update_fields=["voided_at", "void_reason", "voided_by"])
        withdraw([treatment], reason=Skip.VOIDED, now=now)
        # Of a voided treatment no link opens anything.
        _record(treatment, AuditAct.VOIDED, AuditAct.LINK_REVOKED, by=by)
        _settle(treatment, now)


def undo_treatment(*, treatment: Treatment, by: StaffUser) -> bool:
    """Take back what one has just logged oneself; whether its message had not left yet.

    Raises `TreatmentRefused` when the seconds for it are over, or for a colleague's treatment.
    """
    if treatment.logged_by_id != by.pk:
        raise TreatmentRefused("Only who logged it can undo it. Void it with a reason instead.")
    if timezone.now() > treatment.logged_at + UNDO_WITHIN + ON_THE_WAY:
        raise TreatmentRefused("The 10 seconds to undo it are over. Void it with a reason instead.")
    void_treatment(treatment=treatment, reason="Undone at the desk", by=by)
    return not treatment.reminders.exclude(state__in=[State.PLANNED, State.SKIPPED]).exists()


def _record(treatment: Treatment, *acts: AuditAct, by: StaffUser) -> None:
    clinic, about = treatment.patient.clinic_id, f"treatment {treatment.pk}"
    audit.record(*acts, clinic=clinic, by=by, patients=[treatment.patient_id], about=about)


def _lock(treatment: Treatment) -> Treatment:
    """The row as it now is; refused if a colleague has just voided it."""
    locked = Treatment.objects.select_for_update(no_key=True).get(pk=treatment.pk)
    if locked.voided_at is not None:
        raise TreatmentRefused("This treatment has been voided.")
    return locked


def _settle(treatment: Treatment, now: datetime) -> None:
    """Another one may have become the newest of its series just now: then its plan runs again."""
    newest = settle_series([treatment.patient_id], now=now)
    for one in newest.filter(version__key=treatment.version.key).exclude(pk=treatment.pk):
        plan(one, now=now)

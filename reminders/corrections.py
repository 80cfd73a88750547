"""When a corrected time makes a permission come later that was already announced.

Staff are offered a correction text; nothing is sent by itself, because only they know what the
patient has done meanwhile.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from patients import audit
from patients.models import AuditAct, StaffUser, Treatment
from patients.protocol import ReminderRule
from reminders.concerns import raise_concern
from reminders.models import ANSWER, Concern, Reminder, State


def offer_corrections(treatment: Treatment, *, now: datetime) -> None:
    """Put each announced permission that now comes later before staff."""
    told = treatment.reminders.exclude(state__in=[State.PLANNED, State.SKIPPED])
    told = told.exclude(rule=ANSWER)
    for reminder in told.select_related("treatment__patient"):
        gate_at = _gate_now(treatment, reminder.rule)
        announced = reminder.gate_at
        if gate_at and announced and announced < gate_at and gate_at > now:
            raise_concern(Concern.Kind.MOVED, reminder=reminder, now=now)


@transaction.atomic
def send_correction(concern: Concern, *, by: StaffUser, now: datetime) -> Reminder | None:
    """Plan one text that states the new hour, and close the concern.

    None if a colleague was quicker or the hour has passed. Quiet hours hold: then staff call.
    """
    locked = Concern.objects.select_for_update(no_key=True).get(pk=concern.pk)
    reminder = locked.reminder
    if locked.closed_at is not None or reminder is None:
        return None
    locked.closed_at, locked.closed_by = now, by
    locked.save(update_fields=["closed_at", "closed_by"])
    audit.record(
        AuditAct.CLOSED,
        clinic=concern.clinic_id,
        by=by,
        patients=[reminder.treatment.patient_id],
        about=f"concern {concern.pk}",
    )
    rule = _permitting(reminder)
    gate_at = _gate_now(reminder.treatment, rule.key)
    if gate_at is None or gate_at <= now:
        return None
    said = reminder.treatment.reminders.filter(rule=rule.key, channel=reminder.channel)
    patient, about = reminder.treatment.patient_id, f"concern {concern.pk}"
    audit.record(AuditAct.SENT, clinic=concern.clinic_id, by=by, patients=[patient], about=about)
    return Reminder.objects.create(
        treatment=reminder.treatment,
        rule=rule.key,
        channel=reminder.channel,
        occurrence=max(said.values_list("occurrence", flat=True), default=0) + 1,
        due_at=now,
        leaves_at=now,
        not_after=gate_at,
        gate_at=gate_at,
        treated_at=reminder.treatment.treated_at,
        urgent=True,
        state=State.PLANNED,
        state_at=now,
        again_of=reminder,
    )


def _gate_now(treatment: Treatment, key: str) -> datetime | None:
    """The gate a rule speaks of, by the time as it now is; None if it permits nothing."""
    rule = treatment.version.protocol.rule(key)
    if rule.gate is None or not (rule.permits or rule.is_handover):
        return None
    return rule.gate.resolve(treatment.treated_at, treatment.patient.tz)


def _permitting(reminder: Reminder) -> ReminderRule:
    """The rule whose words announce the gate: the handover only passes it on."""
    protocol = reminder.treatment.version.protocol
    rule = protocol.rule(reminder.rule)
    if rule.permits:
        return rule
    return next(one for one in protocol.reminders if one.permits and one.gate == rule.gate)

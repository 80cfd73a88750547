"""The page by email while the patient stands there: another way for a text that does not come."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from patients import audit
from patients.models import AuditAct, Consent, Erasure, Patient, StaffUser, Treatment
from patients.models.patient import Channel, stopped_addresses
from patients.protocol import ConsentScope
from reminders.bell import ring
from reminders.consent_words import wording_in
from reminders.models import Reminder, State
from reminders.treatments import TreatmentRefused

UNDER_WAY = (State.PLANNED, State.SENDING, State.UNKNOWN)


@transaction.atomic
def send_page_by_email(
    *, treatment: Treatment, email: str, by: StaffUser, now: datetime
) -> Reminder:
    """Plan the handover by email, to an address the patient has just agreed to.

    Raises `TreatmentRefused` if one is under way, the address has stopped messages, or the
    treatment is voided or over a day old.
    """
    # The patient first, as everywhere: a text that answers a check-in holds it, then the treatment.
    Patient.objects.select_for_update(no_key=True).get(pk=treatment.patient_id)
    locked = Treatment.objects.select_for_update(no_key=True).get(pk=treatment.pk)
    rule = next(one for one in treatment.version.protocol.reminders if one.is_handover)
    rows = list(treatment.reminders.filter(rule=rule.key).order_by("pk"))
    mails = [row for row in rows if row.channel == Channel.EMAIL]
    patient = treatment.patient
    if locked.voided_at is not None or now > rows[0].not_after:
        raise TreatmentRefused("It is too late to send this page. Show the code instead.")
    if Erasure.objects.filter(patient=patient).exists():
        raise TreatmentRefused("This record has been erased.")
    if any(row.state in UNDER_WAY for row in mails):
        raise TreatmentRefused("An email with the page is on its way already.")
    if stopped_addresses([patient.clinic_id], [email.lower()]):
        raise TreatmentRefused("This address has stopped our messages. Show the code instead.")
    _agreed(patient, email, by=by, now=now)
    reminder: Reminder = Reminder.objects.create(
        treatment=treatment,
        rule=rule.key,
        channel=Channel.EMAIL,
        occurrence=max((row.occurrence for row in mails), default=0) + 1,
        due_at=now,
        leaves_at=now,
        not_after=rows[0].not_after,
        gate_at=rows[0].gate_at,
        treated_at=treatment.treated_at,
        urgent=True,
        state=State.PLANNED,
        state_at=now,
        again_of=rows[0],
    )
    audit.record(
        AuditAct.DETAILS,
        AuditAct.CONSENT,
        AuditAct.SENT,
        clinic=patient.clinic_id,
        by=by,
        patients=[patient],
        about=f"reminder {reminder.pk}, by email",
    )
    transaction.on_commit(ring)
    return reminder


def _agreed(patient: Patient, email: str, *, by: StaffUser, now: datetime) -> None:
    patient.email = email
    patient.save()
    Consent.objects.create(
        patient=patient,
        scope=ConsentScope.RECOVERY.value,
        channel=Channel.EMAIL,
        given=True,
        wording=wording_in(patient.language),
        how=Consent.How.DESK,
        recorded_by=by,
        recorded_at=now,
    )

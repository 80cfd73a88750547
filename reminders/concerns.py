"""What a nurse must see, and what staff must be told at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from patients.models import Clinic, Patient, Report
from reminders.models import Alert, Concern, InboundText, Reminder

TOLD_FOR = timedelta(days=1)


def raise_concern(
    kind: Concern.Kind, *, reminder: Reminder, now: datetime, detail: str = ""
) -> None:
    """Put a reminder before a nurse; while it is open there, once more changes nothing."""
    patient = reminder.treatment.patient
    Concern.objects.bulk_create(
        [
            Concern(
                clinic_id=patient.clinic_id,
                patient=patient,
                reminder=reminder,
                kind=kind,
                detail=detail,
                opened_at=now,
            )
        ],
        ignore_conflicts=True,
    )


def raise_text(
    kind: Concern.Kind,
    *,
    text: InboundText,
    clinics: Iterable[Clinic],
    patients: Iterable[Patient],
    now: datetime,
) -> None:
    """Put a text before a nurse, on each of the patients who have its number; of a number nobody
    has, before each of these clinics.
    """
    at: list[tuple[int, Patient | None]] = [(one.clinic_id, one) for one in patients]
    Concern.objects.bulk_create(
        Concern(clinic_id=clinic, patient=patient, text=text, kind=kind, opened_at=now)
        for clinic, patient in at or [(each.pk, None) for each in clinics]
    )


def raise_report(*, report: Report, patient: Patient, now: datetime) -> Concern:
    """Put the signs a patient ticked before a nurse, once."""
    concern, _ = Concern.objects.get_or_create(
        report=report,
        defaults={
            "clinic": patient.clinic,
            "patient": patient,
            "kind": Concern.Kind.REPORT,
            "opened_at": now,
        },
    )
    return concern


def raise_about(kind: Concern.Kind, *, patient: Patient, now: datetime, detail: str = "") -> None:
    """Put what a patient did on the page before a nurse; once more, while open, is the same."""
    open_ = Concern.objects.filter(patient=patient, kind=kind, detail=detail, closed_at=None)
    if not open_.exists():
        Concern.objects.create(
            clinic=patient.clinic, patient=patient, kind=kind, detail=detail, opened_at=now
        )


def alert_staff(clinic: Clinic, words: str, *, now: datetime) -> None:
    """Tell the clinic's staff, by two channels; `alerts.send_waiting` does it.

    The same words twice in a day are told once.
    """
    if clinic.alerts.filter(words=words, made_at__gt=now - TOLD_FOR).exists():
        return
    Alert.objects.create(clinic=clinic, words=words, made_at=now)

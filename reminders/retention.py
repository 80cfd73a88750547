"""Every hour: records whose clinic's period is over, and list rows that nobody took in, go."""

from __future__ import annotations

import logging
from calendar import monthrange
from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Q

from patients.links import EXPIRES_AFTER_LAST_STEP
from patients.models import Clinic, Erasure, ImportFile, ImportRow, LegalHold, Patient
from patients.patient_index import sweep
from reminders.redaction import NotErased, redact

AT_ONCE = 500  # records of one clinic in one run
# Rows that were left out wait this long to be put right.
LIST_ROWS_FOR = timedelta(days=30)

logger = logging.getLogger(__name__)


def redact_due(*, now: datetime) -> int:
    """Redact what is due, each record by itself; how many. One that fails holds back no other."""
    redacted = 0
    for clinic in Clinic.objects.exclude(keep_months=0):
        for patient in _due(clinic, now):
            redacted += _redact(patient, now)
    forgotten, _ = ImportRow.objects.filter(
        Q(file__done_at__lt=now - LIST_ROWS_FOR)
        | Q(
            file__state__in=[ImportFile.State.UPLOADED, ImportFile.State.CHECKED],
            file__uploaded_at__lt=now - LIST_ROWS_FOR,
        )
    ).delete()
    if redacted or forgotten:
        sweep()
        logger.info("Redacted %d records and forgot %d rows of lists.", redacted, forgotten)
    return redacted


def _redact(patient: int, now: datetime) -> int:
    try:
        redact(patient, why=Erasure.Why.PERIOD, now=now)
    except NotErased as why:
        logger.info("Patient %d is not redacted yet. %s", patient, why)
        return 0
    except Exception:
        logger.exception("Patient %d could not be redacted; the next run tries again.", patient)
        return 0
    return 1


def _due(clinic: Clinic, now: datetime) -> list[int]:
    """Whose newest treatment had its last step before the clinic's period began."""
    before = months_before(now, clinic.keep_months)
    # A link opens for a fixed time after the last step, so it says when that was.
    last = Q(last__lte=before + EXPIRES_AFTER_LAST_STEP) | Q(last=None, created_at__lte=before)
    held = LegalHold.objects.filter(patient=OuterRef("pk"), lifted_at=None)
    due = (
        Patient.objects.filter(~Exists(held), clinic=clinic, erasure=None)
        .annotate(last=Max("treatments__link_expires_at"))
        .filter(last)
    )
    return list(due.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])


def months_before(moment: datetime, months: int) -> datetime:
    """The same day so many months earlier, or the last one of a shorter month."""
    month = moment.year * 12 + moment.month - 1 - months
    year, number = month // 12, month % 12 + 1
    day = min(moment.day, monthrange(year, number)[1])
    return moment.replace(year=year, month=number, day=day)

"""What a patient tells us from the page: a warning sign, or how the skin feels. Each is a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models
from django.db.models import Q, QuerySet

from patients.models.clinic import StaffUser
from patients.models.patient import AppendOnly
from patients.models.treatment import Treatment
from patients.protocol import TierAction

# While one of these is open, everything but a handover is held back.
HOLDING_TIERS = (TierAction.EMERGENCY.value, TierAction.PAGE_NURSE.value)


class Report(models.Model):
    """Warning signs that a patient ticked, under the highest tier of them."""

    class Tier(models.TextChoices):
        EMERGENCY = TierAction.EMERGENCY.value, "Emergency"
        PAGE_NURSE = TierAction.PAGE_NURSE.value, "Page the nurse"
        CALL_CLINIC = TierAction.CALL_CLINIC.value, "Call the clinic"
        BEFORE_NEXT = TierAction.BEFORE_NEXT.value, "Before the next session"

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="reports")
    tier = models.CharField(max_length=12, choices=Tier.choices)
    signs = models.JSONField(default=list)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["treatment"], condition=Q(closed_at=None), name="open_reports")
        ]


class CheckIn(AppendOnly):
    """The answer to "does your skin feel normal?"; the latest one of a treatment holds."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="check_ins")
    rule = models.CharField(max_length=32)
    feels_normal = models.BooleanField()
    answered_at = models.DateTimeField()


def open_reports(patients: Iterable[int]) -> QuerySet[Report]:
    """The reports that hold everything back for these patients."""
    return Report.objects.filter(
        treatment__patient__in=patients, closed_at=None, tier__in=HOLDING_TIERS
    )


def feels_normal(treatment: Treatment) -> bool:
    """Whether the patient's latest word is that the skin feels normal."""
    last = treatment.check_ins.order_by("-id").first()
    return last is not None and last.feels_normal

"""What a patient tells us from the page: a warning sign, how the skin feels, "I have read this".

Each is a row. An `Act` beside it is what reminders takes up with its next tick: nothing here sends.
"""

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

    class Trend(models.TextChoices):
        BETTER = "better", "Better each day"
        SAME = "same", "About the same"
        WORSE = "worse", "Worse"

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="check_ins")
    rule = models.CharField(max_length=32)
    feels_normal = models.BooleanField()
    trend = models.CharField(
        max_length=8, choices=Trend.choices, blank=True, default="", db_default=""
    )
    wants_call = models.BooleanField(default=False, db_default=False)
    answered_at = models.DateTimeField()


class Reading(AppendOnly):
    """ "I have read this", pressed: the only proof that somebody has. The first press counts."""

    treatment = models.OneToOneField(Treatment, models.PROTECT, related_name="reading")
    read_at = models.DateTimeField()


class Act(models.Model):
    """Something done on the page from which more follows: `taken_up_at` says that it has."""

    class Kind(models.TextChoices):
        REPORT = "report", "Ticked a warning sign"
        CHECK_IN = "check-in", "Answered a check-in"
        NOT_ME = "not me", "Said the page is for somebody else"
        STOP = "stop", "Stopped messages"
        START = "start", "Started messages again"
        CHANNEL = "channel", "Chose how to be reached"

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="acts")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    report = models.OneToOneField(Report, models.PROTECT, null=True, related_name="act")
    check_in = models.OneToOneField(CheckIn, models.PROTECT, null=True, related_name="act")
    done_at = models.DateTimeField()
    taken_up_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # A tick with nothing to take up costs one look into this.
            models.Index(fields=["id"], condition=Q(taken_up_at=None), name="acts_to_take_up")
        ]


def open_reports(patients: Iterable[int]) -> QuerySet[Report]:
    """The reports that hold everything back for these patients."""
    return Report.objects.filter(
        treatment__patient__among=patients, closed_at=None, tier__in=HOLDING_TIERS
    )

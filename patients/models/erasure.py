"""When a record may not be redacted yet, and that it was."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from patients.models.clinic import StaffUser
from patients.models.patient import AppendOnly, Patient


class LegalHold(models.Model):
    """While one is not lifted, its patient's record stays whole, whatever the clinic's period."""

    class Why(models.TextChoices):
        COMPLAINT = "complaint", "A complaint or claim is open"
        REQUEST = "request", "A court or authority asked for it"
        INCIDENT = "incident", "An incident is being looked into"
        OTHER = "other", "Other"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="holds")
    why = models.CharField(max_length=12, choices=Why.choices)
    set_by = models.ForeignKey(StaffUser, models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    lifted_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(lifted_at=None), name="one_hold_a_patient"
            )
        ]


class Erasure(AppendOnly):
    """A record has lost whatever tells who it was; nothing in this row does."""

    class Why(models.TextChoices):
        PERIOD = "period", "The clinic’s period was over"
        ASKED = "asked", "The patient asked for it"
        MISTAKE = "mistake", "It should not have been recorded"
        OTHER = "other", "Another lawful reason"

    patient = models.OneToOneField(Patient, models.PROTECT, related_name="erasure")
    why = models.CharField(max_length=8, choices=Why.choices)
    erased_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, related_name="+")
    erased_at = models.DateTimeField()

"""One treatment: when it ended, under which plan, and its personal link."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from patients.models.clinic import StaffUser
from patients.models.import_file import ImportFile
from patients.models.patient import AppendOnly, Patient
from patients.models.protocol_version import ProtocolVersion
from patients.protocol import Session


class Treatment(models.Model):
    """`treated_at` is the moment the treatment ended; everything is counted from it."""

    class SessionChoice(models.TextChoices):
        FIRST = Session.FIRST.value, "Session 1 of 3"
        SECOND = Session.SECOND.value, "Session 2 of 3"
        THIRD = Session.THIRD.value, "Session 3 of 3"
        MAINTENANCE = Session.MAINTENANCE.value, "Maintenance"

    # Random, so that the link's hash is known before the row is, and says nothing of the order.
    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="treatments")
    version = models.ForeignKey(ProtocolVersion, models.PROTECT, related_name="treatments")
    treated_at = models.DateTimeField()
    session = models.CharField(max_length=12, choices=SessionChoice.choices)
    practitioner = models.CharField(max_length=80, blank=True)
    logged_at = models.DateTimeField()
    logged_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, related_name="+")
    # One per form shown: a double submit finds the row that the first one made.
    form_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Came with a list: nobody stands at the desk and waits for its handover.
    import_file = models.ForeignKey(
        ImportFile, models.PROTECT, null=True, blank=True, related_name="treatments"
    )
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, related_name="+")
    void_reason = models.CharField(max_length=200, blank=True)
    link_hash = models.BinaryField(max_length=32, unique=True)
    link_generation = models.PositiveIntegerField(default=1)
    link_expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["patient", "-treated_at"]),
            # The board and its figures look at the latest weeks.
            models.Index(fields=["treated_at"], name="treatments_by_time"),
        ]

    def __str__(self) -> str:
        return f"treatment {self.pk}"


class Correction(AppendOnly):
    """A wrong time put right: the old value, the new one, who and why."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="corrections")
    old_treated_at = models.DateTimeField()
    new_treated_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    corrected_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, related_name="+")
    corrected_at = models.DateTimeField()

"""What staff write down and promise each other about a patient: notes, calls, tasks."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from patients.models import Clinic, Patient, StaffUser
from patients.models.patient import AppendOnly


class Note(AppendOnly):
    """A sentence about a patient for the colleagues; with `call`, how a phone call ended."""

    class Call(models.TextChoices):
        REACHED = "reached", "Spoke with the patient"
        MESSAGE = "message", "Left a message"
        NO_ANSWER = "no answer", "Nobody answered"
        WRONG_NUMBER = "wrong number", "Wrong number"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="notes")
    call = models.CharField(max_length=16, choices=Call.choices, blank=True)
    text = models.TextField(max_length=1000, blank=True)
    by = models.ForeignKey(StaffUser, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["patient", "-id"], name="notes_of_a_patient")]


class Task(models.Model):
    """Something `owner` is to do about a patient by `due_at`."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="tasks")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="tasks")
    text = models.CharField(max_length=200)
    owner = models.ForeignKey(StaffUser, models.PROTECT, related_name="tasks")
    due_at = models.DateTimeField()
    made_by = models.ForeignKey(StaffUser, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["clinic", "due_at"], condition=Q(done_at=None), name="open_tasks"),
            models.Index(fields=["patient", "-id"], name="tasks_of_a_patient"),
        ]

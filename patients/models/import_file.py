"""A list of patients and treatments that was uploaded, row by row, until it is taken in."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from patients.models.clinic import Clinic, StaffUser


class ImportFile(models.Model):
    """One file is one row, whoever uploads it how often: its hash says that it is the same.

    `claimed_at`: since when a worker takes it in; it does so in one transaction, or not at all.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        CHECKED = "checked", "Checked"
        ACCEPTED = "accepted", "Being taken in"
        DONE = "done", "Taken in"

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="import_files")
    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State.choices, default=State.UPLOADED)
    header = models.JSONField(default=list)
    columns = models.JSONField(default=dict, help_text="Which of our fields is in which column.")
    day_first = models.BooleanField(default=False)
    handover = models.BooleanField(default=False, help_text="Send each of them the page.")
    only = models.CharField(max_length=200, blank=True, help_text="Rows named; empty: all good.")
    total = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    over = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Good rows whose treatment is too old for its plan."
    )
    patients_added = models.PositiveIntegerField(default=0)
    treatments_added = models.PositiveIntegerField(default=0)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "digest"], name="one_row_a_file")
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(state="accepted"), name="files_to_take_in")
        ]


class ImportRow(models.Model):
    """One line of the file as it stands there; `number` as a spreadsheet counts, the header 1."""

    file = models.ForeignKey(ImportFile, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    cells = models.JSONField()
    problem = models.CharField(max_length=300, blank=True, help_text="Why it is left out.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["file", "number"], name="one_row_a_line")
        ]

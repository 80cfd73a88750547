"""What came from patients, and what a nurse must see."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from patients.models import Clinic, Patient, Report, StaffUser
from patients.models.patient import AppendOnly
from reminders.models.reminder import Reminder


class InboundText(AppendOnly):
    """What somebody texted to the clinic's number, and how it was understood."""

    class Meaning(models.TextChoices):
        STOP = "stop"
        START = "start"
        HELP = "help"
        WISH = "wish"  # for no more texts, in plain words
        UNSURE = "unsure"  # perhaps such a wish
        ANSWER = "answer"  # one word, to a check-in
        OTHER = "other"

    # Empty where the number texted to is not one clinic's own: nobody's any more, or shared.
    clinic = models.ForeignKey(Clinic, models.PROTECT, null=True, related_name="inbound_texts")
    provider_id = models.CharField(max_length=64, unique=True)
    from_address = models.CharField(max_length=32)
    body = models.TextField(blank=True)
    meaning = models.CharField(max_length=8, choices=Meaning.choices)
    answered = models.BooleanField(default=False)
    received_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["clinic", "from_address", "-received_at"])]


class Concern(models.Model):
    """Something a nurse must see: it stays open until somebody closes it."""

    class Kind(models.TextChoices):
        TEXT = "text", "A text from a patient"
        WISH = "wish", "Perhaps a wish for no more texts"
        FAILED = "failed", "A message could not be delivered"
        UNKNOWN = "unknown", "Nobody can tell whether a message arrived"
        MOVED = "moved", "A permission already announced now comes later"
        NOT_NORMAL = "not normal", "Skin does not feel normal yet"
        PROVIDER = "provider", "The provider refuses our messages"
        REPORT = "report", "A warning sign was ticked"
        CHECK_IN = "check-in", "A check-in asks for a call"
        NOT_ME = "not me", "The page reached somebody else"

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="concerns")
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, related_name="concerns")
    reminder = models.ForeignKey(Reminder, models.PROTECT, null=True, related_name="concerns")
    text = models.ForeignKey(InboundText, models.PROTECT, null=True, related_name="concerns")
    report = models.OneToOneField(Report, models.PROTECT, null=True, related_name="concern")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    detail = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField()
    # Somebody is on it: the first to say so keeps it.
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, related_name="+")
    closed_reason = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        constraints: ClassVar = [
            # The same failure told twice is one thing to look at.
            models.UniqueConstraint(
                fields=["reminder", "kind"],
                condition=Q(closed_at=None, reminder__isnull=False),
                name="one_open_concern_a_reminder",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["clinic", "opened_at"], condition=Q(closed_at=None), name="open_concerns"
            ),
            # An open board asks every few seconds whether one has come or gone.
            models.Index(fields=["clinic", "closed_at"], name="closed_concerns"),
        ]

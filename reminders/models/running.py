"""What keeps the sending in order: circuits, alerts to staff, the heartbeat, the pace."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from patients.models import Clinic
from patients.models.patient import Channel
from reminders.models.concern import Concern


class Circuit(models.Model):
    """Something of ours or the account's that is refused: nothing is tried until `closes_at`.

    `scope` is the account, one sender or one country on one channel; `key` says which.
    """

    channel = models.CharField(max_length=8, choices=Channel.choices)
    scope = models.CharField(max_length=12)
    key = models.CharField(max_length=254, blank=True)
    code = models.CharField(max_length=16)
    failures = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "scope", "key"], name="one_circuit_a_scope")
        ]


class Alert(models.Model):
    """Words for the clinic's staff, by text and by email; waits here until both have gone.

    `sms_taken_until`, `email_taken_until`: a worker is at it; if it dies, another one comes then.
    """

    class Contact(models.TextChoices):
        STAFF = "staff", "Whoever keeps the site running"
        NURSE = "nurse", "The nurse contact"
        SECOND = "second", "The second nurse contact"

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="alerts")
    contact = models.CharField(
        max_length=8, choices=Contact.choices, default=Contact.STAFF, db_default=Contact.STAFF
    )
    words = models.CharField(max_length=300)
    made_at = models.DateTimeField()
    by_sms_at = models.DateTimeField(null=True)
    by_email_at = models.DateTimeField(null=True)
    sms_taken_until = models.DateTimeField(null=True)
    email_taken_until = models.DateTimeField(null=True)


class Alarm(models.Model):
    """Something that is wrong with the site itself, from when staff were told to the all-clear."""

    class Kind(models.TextChoices):
        DISPATCHER = "dispatcher", "No worker sends"
        FAILURES = "failures", "Too many messages fail"
        SILENCE = "silence", "Nothing is confirmed as delivered"

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="alarms")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            # However many processes notice it, staff are told once.
            models.UniqueConstraint(
                fields=["clinic", "kind"], condition=Q(ended_at=None), name="one_alarm_at_a_time"
            )
        ]


class Escalation(models.Model):
    """A contact has been told of a concern: once, however many workers look."""

    concern = models.ForeignKey(Concern, models.PROTECT, related_name="escalations")
    contact = models.CharField(max_length=8, choices=Alert.Contact.choices)
    alert = models.OneToOneField(Alert, models.PROTECT)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["concern", "contact"], name="one_alert_a_contact")
        ]


class Heartbeat(models.Model):
    """The last tick. After a long gap what was due by `doubt_until` may have gone out all the
    same, from a database that has since been restored.
    """

    name = models.CharField(max_length=16, unique=True)
    at = models.DateTimeField()
    doubt_until = models.DateTimeField(null=True)
    restored = models.BooleanField(default=False)


class Pace(models.Model):
    """Until when a sender number's texts have been handed out, over all workers."""

    sender = models.CharField(max_length=32, unique=True)
    next_at = models.DateTimeField()

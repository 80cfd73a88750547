"""What was to be sent, what was tried, and what the provider said of it.

reminder → attempt → receipt. A reminder survives sending and is never deleted: it is the answer
to "who got which". `MOVES` is the only list of state changes allowed. Before the call `planning`
and `claim` write, after it `outcomes`, `receipts` and `settle`; a STOP skips through `optouts`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q

from patients.models import StaffUser, Treatment
from patients.models.patient import AppendOnly, Channel
from patients.protocol import AfterLogging, ConsentScope, OnLogging, ReminderKind, ReminderRule
from reminders.moments import Skip

# "Not after 8:00" still allows the minute 8:00: what is due at its last moment can be sent.
LAST_MINUTE = timedelta(minutes=1)
# The rule key of what staff write themselves. No protocol has one for it: it is said at once, past
# quiet hours and past an open report, and only to somebody who agreed to messages.
ANSWER = "answer"
ANSWER_RULE = ReminderRule(
    key=ANSWER,
    kinds=frozenset({ReminderKind.INFORM}),
    due=OnLogging(),
    not_after=AfterLogging(timedelta(hours=12)),
    consent=ConsentScope.RECOVERY,
    facts=(),
)


class State(models.TextChoices):
    PLANNED = "planned", "Planned"
    SENDING = "sending", "Sending"
    UNKNOWN = "unknown", "Unknown"
    SENT = "sent", "Sent"
    DELIVERED = "delivered", "Delivered"
    NO_RECEIPT = "no receipt", "No receipt"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"


MOVES: Mapping[State, frozenset[State]] = {
    # Straight to sent or further when a receipt comes for what had counted as absent.
    State.PLANNED: frozenset(
        {State.SENDING, State.SKIPPED, State.SENT, State.DELIVERED, State.FAILED}
    ),
    # Back to planned only when the provider certainly has nothing.
    State.SENDING: frozenset(
        {State.PLANNED, State.SENT, State.DELIVERED, State.FAILED, State.UNKNOWN, State.SKIPPED}
    ),
    State.UNKNOWN: frozenset(
        {State.PLANNED, State.SENT, State.DELIVERED, State.FAILED, State.SKIPPED}
    ),
    State.SENT: frozenset({State.DELIVERED, State.FAILED, State.NO_RECEIPT}),
    State.NO_RECEIPT: frozenset({State.DELIVERED, State.FAILED}),
    State.DELIVERED: frozenset(),
    State.FAILED: frozenset(),
    # A correction can make it useful again; or what counted as never sent has arrived after all.
    State.SKIPPED: frozenset({State.PLANNED, State.SENT, State.DELIVERED}),
}


def may_become(state: State) -> list[State]:
    """The states from which `state` may be reached."""
    return [before for before, after in MOVES.items() if state in after]


class ReminderQuerySet(models.QuerySet["Reminder"]):
    def due(self, now: datetime) -> ReminderQuerySet:
        """Planned rows whose time has come, oldest first."""
        return self.filter(state=State.PLANNED, leaves_at__lte=now).order_by("leaves_at", "id")

    def late(self, now: datetime, *, urgent: bool) -> ReminderQuerySet:
        """Due rows of one kind: with both at once no index of the two would do."""
        return self.due(now).filter(urgent=urgent)

    def unsent(self) -> ReminderQuerySet:
        """Rows that a new plan may still move: nothing has been handed to a provider."""
        return self.filter(state__in=[State.PLANNED, State.SKIPPED])


class Reminder(models.Model):
    """One message to one patient; unique per (treatment, rule, channel, occurrence).

    `due_at` is when it is to leave; `leaves_at` the same, or later while quiet hours or a failing
    provider hold it back; `gate_at` the moment its words state the hour of, if that is
    still ahead then; `not_after` when it stops being useful; `treated_at` the treatment moment it
    was computed from, which a later correction leaves as it was on what has been sent.
    """

    class SkipReason(models.TextChoices):
        PASSED = Skip.PASSED.value, "Its moment had passed"
        LOGGED_LATE = Skip.LOGGED_LATE.value, "Logged too late for it"
        QUIET_HOURS = Skip.QUIET_HOURS.value, "Quiet hours, too late after them"
        TOLD_AT_HANDOVER = Skip.TOLD_AT_HANDOVER.value, "Told at handover"
        NOT_THIS_SESSION = Skip.NOT_THIS_SESSION.value, "Not this session"
        NO_HANDOVER = Skip.NO_HANDOVER.value, "No handover wanted"
        NO_CONSENT = Skip.NO_CONSENT.value, "No consent"
        NO_CONTACT = Skip.NO_CONTACT.value, "No phone or email for it"
        OPTED_OUT = Skip.OPTED_OUT.value, "Opted out"
        LATER_TREATMENT = Skip.LATER_TREATMENT.value, "A later treatment replaced it"
        VOIDED = Skip.VOIDED.value, "Treatment voided"
        NOT_USEFUL = Skip.NOT_USEFUL.value, "No longer useful by then"
        OTHER_CHANNEL = Skip.OTHER_CHANNEL.value, "Other channel chosen"
        CONCERN_OPEN = Skip.CONCERN_OPEN.value, "A concern was open"
        CORRECTED = Skip.CORRECTED.value, "The treatment's time was corrected"

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="reminders")
    rule = models.CharField(max_length=32)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    occurrence = models.PositiveSmallIntegerField(default=1)
    due_at = models.DateTimeField()
    leaves_at = models.DateTimeField()
    not_after = models.DateTimeField()
    gate_at = models.DateTimeField(null=True)
    treated_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.PLANNED)
    state_at = models.DateTimeField()
    # Handovers and direct replies: somebody is waiting for them, so they go before the rest.
    urgent = models.BooleanField(default=False)
    # Which claim holds it while it is being sent: a worker that lost its claim can tell.
    claim = models.UUIDField(null=True, editable=False)
    # Set where it repeats one that failed: a repeat is not repeated again by itself.
    again_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="repeats")
    skip_reason = models.CharField(max_length=24, choices=SkipReason.choices, blank=True)
    # Set where a member of staff asked for it, and, of an answer, the words as they were written.
    asked_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, related_name="+")
    words = models.TextField(blank=True, default="", db_default="")

    objects: ClassVar = ReminderQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["treatment", "rule", "channel", "occurrence"], name="one_row_a_reminder"
            ),
            models.CheckConstraint(
                condition=Q(state="skipped") ^ Q(skip_reason=""), name="only_skips_have_a_reason"
            ),
        ]
        indexes: ClassVar = [
            # A tick with nothing due costs one look into this, however many rows there are.
            models.Index(
                fields=["leaves_at", "id"],
                condition=Q(state="planned", urgent=False),
                name="planned_leaves",
            ),
            models.Index(
                fields=["leaves_at", "id"],
                condition=Q(state="planned", urgent=True),
                name="planned_urgent",
            ),
            models.Index(fields=["state_at"], condition=Q(state="sending"), name="sending_since"),
            # An open board asks every few seconds what has changed.
            models.Index(fields=["state_at"], name="changed_since"),
            # The board's first question: what failed, is in doubt or was stopped of late.
            models.Index(
                fields=["state_at"],
                condition=Q(state__in=["failed", "unknown"]) | Q(skip_reason="opted out"),
                name="asks_for_a_look",
            ),
            # And which handover nobody has read.
            models.Index(
                fields=["state_at"],
                condition=Q(urgent=True, occurrence=1),
                name="handovers_by_time",
            ),
            # The metrics: what is in doubt, and what the phone never confirmed.
            models.Index(fields=["state_at"], condition=Q(state="unknown"), name="unknown_since"),
            models.Index(
                fields=["state_at"], condition=Q(state="no receipt"), name="no_receipt_since"
            ),
        ]

    def __str__(self) -> str:
        return f"reminder {self.pk}"

    def find_rule(self) -> ReminderRule:
        """Its rule in the treatment's own version of the protocol."""
        if self.rule == ANSWER:
            return ANSWER_RULE
        return self.treatment.version.protocol.rule(self.rule)


class Attempt(models.Model):
    """One call to a provider. The row is committed before the call begins, so it is the proof
    that one may have been made: an attempt still open when its lease has run out is unknown.
    """

    class Outcome(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        NOT_SENT = "not sent"
        UNKNOWN = "unknown"

    # Travels in the callback address, so that a receipt finds its attempt before we know the sid.
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reminder = models.ForeignKey(Reminder, models.PROTECT, related_name="attempts")
    called_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default=Outcome.OPEN)
    to_address = models.CharField(max_length=254)
    # The exact words, with the personal link masked; the link can be derived again.
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    error_code = models.CharField(max_length=16, blank=True)
    # When to ask the provider about it next, and how often it has been asked.
    look_at = models.DateTimeField(null=True)
    looks = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reminder"], condition=Q(outcome="open"), name="one_open_attempt"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["look_at"], condition=Q(look_at__isnull=False), name="looks_to_take"
            ),
            models.Index(
                fields=["lease_until"], condition=Q(outcome="open"), name="leases_running"
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.pk}"


class Receipt(AppendOnly):
    """One thing the provider said about a message, as it said it; its answer to the call is one.

    `provider_id` is the provider's name for the message: Twilio's sid, or an email's Message-ID.
    """

    attempt = models.ForeignKey(Attempt, models.PROTECT, null=True, related_name="receipts")
    provider_id = models.CharField(max_length=255)
    status = models.CharField(max_length=16)
    error_code = models.CharField(max_length=16, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            # Providers repeat themselves; the same word twice is one receipt.
            models.UniqueConstraint(
                fields=["provider_id", "status", "error_code"], name="one_row_a_receipt"
            )
        ]

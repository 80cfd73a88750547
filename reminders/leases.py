"""What a vanished worker held is free again once its lease has run out."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from reminders import claim
from reminders.claim import BATCH
from reminders.looks import first_look
from reminders.models import Attempt, Reminder, State


def release_expired(*, now: datetime) -> None:
    """A call that had begun: only the provider knows. One that had not: it goes again."""
    _doubt_begun(now)
    _put_back_unbegun(now)


@transaction.atomic
def _doubt_begun(now: datetime) -> None:
    """Attempts first, reminders second, as everywhere: the other way round could deadlock."""
    begun = dict(
        Attempt.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(outcome=Attempt.Outcome.OPEN, lease_until__lt=now)
        .values_list("pk", "reminder_id")[:BATCH]
    )
    if not begun:
        return
    Attempt.objects.filter(pk__among=begun).update(
        outcome=Attempt.Outcome.UNKNOWN,
        ended_at=now,
        error_code="lease",
        look_at=first_look(Attempt.Outcome.UNKNOWN, "", now),
    )
    Reminder.objects.filter(pk__among=begun.values(), state=State.SENDING).update(
        state=State.UNKNOWN, state_at=now, claim=None
    )


@transaction.atomic
def _put_back_unbegun(now: datetime) -> None:
    expired = list(
        Reminder.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(state=State.SENDING, state_at__lt=now - claim.LEASE)
        .values_list("pk", flat=True)[:BATCH]
    )
    # Asked once the rows are locked: a call can only begin under the same lock.
    open_ = Attempt.objects.filter(reminder__among=expired, outcome=Attempt.Outcome.OPEN)
    begun = set(open_.values_list("reminder", flat=True)) if expired else set()
    Reminder.objects.filter(pk__among=set(expired) - begun).update(
        state=State.PLANNED, state_at=now, claim=None
    )

"""What the provider said later: kept as it was said, and forward only.

A word can come before the call has returned, twice, late or in any order. Each is one row in
`Receipt`; the reminder moves only along `MOVES`, so a late "sent" never undoes a "delivered" and
of two final words the first one holds.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from reminders.models import Attempt, Receipt, Reminder, State, may_become

# Twilio's message statuses; one that is not here is kept and moves nothing.
STATES = {
    "accepted": State.SENT,
    "scheduled": State.SENT,
    "queued": State.SENT,
    "sending": State.SENT,
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.FAILED,
    "failed": State.FAILED,
}


@transaction.atomic
def record_receipt(*, token: UUID, provider_id: str, status: str, error_code: str) -> None:
    """Keep one receipt for the attempt whose token it came on, and move its reminder on."""
    attempt = Attempt.objects.select_for_update().filter(token=token).first()
    Receipt.objects.bulk_create(
        [
            Receipt(
                attempt=attempt,
                provider_id=provider_id,
                status=status,
                error_code=error_code,
                received_at=timezone.now(),
            )
        ],
        ignore_conflicts=True,
    )
    state = STATES.get(status)
    if attempt is None or state is None:
        return
    _settle_attempt(attempt, error_code if state is State.FAILED else "")
    Reminder.objects.filter(pk=attempt.reminder_id, state__in=may_become(state)).update(
        state=state, state_at=timezone.now()
    )


def _settle_attempt(attempt: Attempt, error_code: str) -> None:
    """A receipt proves that the provider took the message, whatever we knew of the call."""
    attempt.outcome = Attempt.Outcome.ACCEPTED
    attempt.ended_at = attempt.ended_at or timezone.now()
    attempt.error_code = error_code or attempt.error_code
    attempt.save(update_fields=["outcome", "ended_at", "error_code"])

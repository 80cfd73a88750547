"""What the provider said later: kept as it was said, and forward only.

A word can come before the call has returned, twice, late or in any order; by webhook, by polling
or by listing. Each is one row in `Receipt`; the reminder moves only along `MOVES`, so a late
"sent" never undoes a "delivered" and of two final words the first one holds.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from reminders.channels.codes import Means, meaning_of
from reminders.concerns import raise_concern
from reminders.failures import follow_up, load
from reminders.looks import first_look
from reminders.models import Attempt, Concern, Receipt, Reminder, State, may_become
from reminders.models.in_bulk import insert
from reminders.optouts import lock_patients

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
    "canceled": State.FAILED,
}
FINAL = frozenset({State.DELIVERED, State.FAILED})


# How nearly all come. One statement each, which commits by itself, and which does nothing of what
# follows from a first word, a contradiction or a failure.
ON_ITS_WAY = """
INSERT INTO reminders_receipt (attempt_id, provider_id, status, error_code, received_at)
SELECT id, %s, %s, %s, %s FROM reminders_attempt WHERE token = %s AND outcome = 'accepted'
ON CONFLICT DO NOTHING
"""
# As "queued" nearly always is, by the answer to the call.
TOLD_ALREADY = """
SELECT 1 FROM reminders_receipt JOIN reminders_attempt attempt ON attempt.id = attempt_id
WHERE provider_id = %s AND status = %s AND reminders_receipt.error_code = %s
AND token = %s AND outcome = 'accepted'
"""
# The attempt before its reminder, as everywhere. SQLite writes one table a statement.
ARRIVED = """
WITH ended AS (
    UPDATE reminders_attempt
    SET outcome = 'accepted', ended_at = coalesce(ended_at, %s), look_at = NULL
    WHERE token = %s RETURNING id, reminder_id
), moved AS (
    UPDATE reminders_reminder AS reminder
    SET state = 'delivered', state_at = %s, claim = NULL, skip_reason = ''
    FROM ended WHERE reminder.id = reminder_id AND state = ANY(%s) RETURNING ended.id
)
INSERT INTO reminders_receipt (attempt_id, provider_id, status, error_code, received_at)
SELECT id, %s, %s, %s, %s FROM moved ON CONFLICT DO NOTHING
"""


def record_receipt(*, token: UUID, provider_id: str, status: str, error_code: str) -> None:
    """Keep one receipt that came by webhook, and move the reminder of its attempt on.

    One for an attempt we do not know (yet) is kept without it.
    """
    now = timezone.now()
    said = (provider_id, status, error_code)
    if _is_done_at_once(token, said, now):
        return
    with transaction.atomic():
        attempt = Attempt.objects.select_for_update(no_key=True).filter(token=token).first()
        keep_receipt(attempt, *said, now)
        if attempt is not None:
            _move_on(attempt, status, error_code, now)


def _is_done_at_once(token: UUID, said: tuple[str, str, str], now: datetime) -> bool:
    """Whether it was new, of an attempt we know, and asked for no more than one statement does."""
    at = connection.ops.adapt_datetimefield_value(now)
    state = STATES.get(said[1])
    with connection.cursor() as cursor:
        if state not in FINAL:
            cursor.execute(ON_ITS_WAY, [*said, at, token.hex])
            if not cursor.rowcount:
                cursor.execute(TOLD_ALREADY, [*said, token.hex])
                return cursor.fetchone() is not None
        elif state is State.DELIVERED and connection.vendor == "postgresql":
            before = [one.value for one in may_become(state)]
            cursor.execute(ARRIVED, [at, token.hex, at, before, *said, at])
        else:
            return False
        return bool(cursor.rowcount == 1)


def apply_receipt(
    attempt: Attempt, *, provider_id: str, status: str, error_code: str, now: datetime
) -> None:
    """Keep one thing the provider said about an attempt's message, and move on with it.

    Inside a transaction, with the attempt's row locked. What came for the same message when its
    attempt was not known, as after a restore, finds its place.
    """
    keep_receipt(attempt, provider_id, status, error_code, now)
    Receipt.objects.filter(provider_id=provider_id, attempt=None).update(attempt=attempt)
    _move_on(attempt, status, error_code, now)


def _move_on(attempt: Attempt, status: str, error_code: str, now: datetime) -> None:
    state = STATES.get(status)
    if state is None:
        return
    means = meaning_of(error_code)
    if state is State.FAILED and means is Means.OPTED_OUT:
        _lock_patients_of(attempt)
    moved = _move(attempt, state, now)
    _settle_attempt(attempt, state, error_code if moved else "", now)
    if moved and state is State.FAILED:
        (reminder,) = load([attempt.reminder_id])
        to, code = attempt.to_address, error_code or status
        follow_up(reminder, to=to, means=means, code=code, now=now)
    elif state in FINAL and not moved:
        _flag_if_contradicted(attempt, now)


def _move(attempt: Attempt, state: State, now: datetime) -> bool:
    reminder = Reminder.objects.filter(pk=attempt.reminder_id, state__in=may_become(state))
    return bool(reminder.update(state=state, state_at=now, claim=None, skip_reason=""))


def _lock_patients_of(attempt: Attempt) -> None:
    """Before the reminder, as everywhere: a text from that number holds its patients first."""
    reminder = attempt.reminder
    lock_patients(reminder.treatment.patient.clinic, reminder.channel, attempt.to_address)


def _flag_if_contradicted(attempt: Attempt, now: datetime) -> None:
    """Of two different final words the first holds; a nurse sees that there were two."""
    said = {STATES.get(status) for status in attempt.receipts.values_list("status", flat=True)}
    if said >= FINAL:
        (reminder,) = load([attempt.reminder_id])
        raise_concern(Concern.Kind.UNKNOWN, reminder=reminder, now=now, detail="contradicted")


def keep_receipt(
    attempt: Attempt | None, provider_id: str, status: str, error_code: str, now: datetime
) -> None:
    insert(
        Receipt,
        ("attempt", "provider_id", "status", "error_code"),
        [(attempt.pk if attempt else None, provider_id, status, error_code)],
        same={"received_at": now},
        ignore_conflicts=True,
    )


def _settle_attempt(attempt: Attempt, state: State, error_code: str, now: datetime) -> None:
    """A receipt proves that the provider took the message, whatever we knew of the call."""
    if state not in FINAL and attempt.outcome != Attempt.Outcome.ACCEPTED:
        # Whoever recorded the call did not know, or will find it settled: ask from here on.
        attempt.look_at = first_look(Attempt.Outcome.ACCEPTED, attempt.reminder.channel, now)
        attempt.looks = 0
    attempt.outcome = Attempt.Outcome.ACCEPTED
    attempt.ended_at = attempt.ended_at or now
    if state is State.FAILED:
        attempt.error_code = error_code or attempt.error_code
    if state in FINAL:
        attempt.look_at = None
    attempt.save(update_fields=["outcome", "ended_at", "error_code", "look_at", "looks"])

"""Messages per second per sender, over all workers: a token bucket in the database.

The bucket holds one second's worth. What finds it empty waits its turn, a second's worth at a
time, so that nobody looks at it again before it can go.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from patients.models.patient import Channel
from reminders.models import Pace, Reminder

BURST = timedelta(seconds=1)


def admit(rows: Sequence[Reminder], *, now: datetime) -> list[tuple[Reminder, datetime]]:
    """Take tokens for `rows`, in their order; returns those that must wait, and until when.

    Inside the claim's transaction; the sender's row serialises the workers.
    """
    by_sender: dict[tuple[str, int], list[Reminder]] = {}
    for row in rows:
        clinic = row.treatment.patient.clinic
        if row.channel == Channel.SMS and clinic.sms_per_second:
            sender = (str(clinic.sms_sender), clinic.sms_per_second)
            by_sender.setdefault(sender, []).append(row)
    waiting = []
    for (number, rate), queue in sorted(by_sender.items(), key=lambda item: item[0]):
        waiting += _admit_sender(number, rate, queue, now)
    return waiting


def _admit_sender(
    sender: str, rate: int, queue: list[Reminder], now: datetime
) -> list[tuple[Reminder, datetime]]:
    Pace.objects.bulk_create([Pace(sender=sender, next_at=now)], ignore_conflicts=True)
    pace = Pace.objects.select_for_update().get(sender=sender)
    # Never further ahead than a full bucket: a clock that was set back must not silence a sender.
    next_at = min(max(pace.next_at, now), now + BURST)
    free = max(0, (now + BURST - next_at) * rate // BURST)
    pace.next_at = next_at + BURST * min(free, len(queue)) / rate
    pace.save(update_fields=["next_at"])
    return [(row, pace.next_at + (index // rate) * BURST) for index, row in enumerate(queue[free:])]

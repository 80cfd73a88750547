"""What the next worker does: tick and settle until nothing is left in between."""

from __future__ import annotations

import time

from django.utils import timezone

from reminders import tasks
from reminders.models import Reminder

from .judge import IN_BETWEEN

EVERY = 0.15  # seconds


def is_settled() -> bool:
    """Whether every reminder that is due has been sent or has ended."""
    return not Reminder.objects.filter(
        due_at__lte=timezone.now(), state__in=IN_BETWEEN, again_of=None
    ).exists()


def carry_on(seconds: float) -> None:
    """In this process, for at most `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_settled() and time.monotonic() < deadline:
        tasks.drain()
        tasks.settle()
        time.sleep(EVERY)

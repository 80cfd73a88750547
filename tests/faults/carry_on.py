"""What the next worker does: tick and settle until nothing is left in between."""

from __future__ import annotations

import logging
import time

from django.db import connections
from django.utils import timezone

from reminders import tasks
from reminders.models import Reminder

from .judge import IN_BETWEEN

EVERY = 0.15  # seconds
BROKEN = "A task broke."

logger = logging.getLogger(__name__)


def is_settled() -> bool:
    """Whether every reminder that is due has been sent or has ended."""
    return not Reminder.objects.filter(
        due_at__lte=timezone.now(), state__in=IN_BETWEEN, again_of=None
    ).exists()


def carry_on(seconds: float) -> None:
    """In this process, for at most `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_settled() and time.monotonic() < deadline:
        tick()
        time.sleep(EVERY)


def tick() -> None:
    """One round of both tasks. As with Celery, one that breaks is told and the next one comes."""
    for task in (tasks.drain, tasks.settle):
        try:
            task()
        except Exception:
            logger.exception(BROKEN)
            connections.close_all()

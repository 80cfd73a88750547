"""Waiting until nothing is left in between, by the workers or by what the next worker does.

Patience is counted from the last progress: a run on a busy machine takes longer and says the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import connections
from django.utils import timezone

from reminders import tasks
from reminders.models import Reminder

from .judge import IN_BETWEEN

EVERY = 0.15  # seconds
BROKEN = "A task broke."

logger = logging.getLogger(__name__)


def left_in_between() -> int:
    """How many reminders that are due have neither been sent nor ended."""
    return Reminder.objects.filter(
        due_at__lte=timezone.now(), state__in=IN_BETWEEN, again_of=None
    ).count()


def wait_until_settled(seconds: float) -> None:
    """By the workers alone; gives up when for so long nothing has moved: the judge finds it."""
    _until_settled(seconds, lambda: time.sleep(0.2))


def carry_on(seconds: float) -> None:
    """In this process, until for so long nothing has moved."""
    _until_settled(seconds, _one_round)


def _until_settled(patience: float, act: Callable[[], None]) -> None:
    left, deadline = left_in_between(), time.monotonic() + patience
    while left and time.monotonic() < deadline:
        act()
        before, left = left, left_in_between()
        if left != before:
            deadline = time.monotonic() + patience


def _one_round() -> None:
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

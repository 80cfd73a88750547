"""When the provider is asked about a message: of unknown fate, or sent and never confirmed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from patients.models.patient import Channel
from reminders.models import Attempt

# After it was accepted; callbacks are best-effort. After the last one it is `no receipt`.
SENT_LOOKS = tuple(timedelta(minutes=minutes) for minutes in (2, 10, 60, 6 * 60, 24 * 60, 72 * 60))
UNKNOWN_LOOKS = (1 / 6, 1 / 2, 1.0)  # of the settling window


def first_look(outcome: Attempt.Outcome, channel: str, now: datetime) -> datetime | None:
    """When an attempt that has just ended is to be asked about; None if there is nothing to ask."""
    if outcome == Attempt.Outcome.UNKNOWN:
        return now + schedule(outcome)[0]
    if outcome == Attempt.Outcome.ACCEPTED and channel == Channel.SMS:
        return now + schedule(outcome)[0]
    return None


def schedule(outcome: str) -> list[timedelta]:
    """When to look, counted from the attempt's end."""
    if outcome == Attempt.Outcome.UNKNOWN:
        return [timedelta(seconds=part * settings.SETTLE_SECONDS) for part in UNKNOWN_LOOKS]
    return list(SENT_LOOKS)

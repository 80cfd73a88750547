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
    planned = schedule(outcome, channel)
    return now + planned[0] if planned else None


def next_look(
    outcome: str, channel: str, *, answered: int, began: datetime, now: datetime
) -> datetime | None:
    """After so many answered looks at an attempt that ended at `began`; None after the last one.

    The looks at an unknown are evidence, and three in one moment would count for one: an answer
    that came late pushes the next look on. For what was accepted, what has passed is past.
    """
    planned = schedule(outcome, channel)
    if outcome != Attempt.Outcome.UNKNOWN:
        return next((began + delay for delay in planned if began + delay > now), None)
    return max(began + planned[answered], now + planned[0]) if answered < len(planned) else None


def schedule(outcome: str, channel: str) -> list[timedelta]:
    """When to look, counted from the attempt's end.

    A mail server cannot be asked; where a provider's webhooks tell what became of a mail, their
    silence has the same end as a text's.
    """
    if outcome == Attempt.Outcome.UNKNOWN:
        return [timedelta(seconds=part * settings.SETTLE_SECONDS) for part in UNKNOWN_LOOKS]
    if outcome != Attempt.Outcome.ACCEPTED:
        return []
    if channel == Channel.SMS:
        return list(SENT_LOOKS)
    return [SENT_LOOKS[-1]] if settings.EMAIL_PROVIDER else []

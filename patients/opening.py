"""Whether the clinic is open. Pure: local opening hours and a moment in, the next change out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from patients.clock import local_instant

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Opening:
    """`changes_at`, in UTC: when an open clinic closes, or a closed one opens."""

    is_open: bool
    changes_at: datetime


def opening(hours: Mapping[str, Sequence[str]], *, zone: tzinfo, now: datetime) -> Opening | None:
    """`hours` as the clinic keeps them, `{"mon": ["09:00", "17:00"]}`; None if it keeps none."""
    today = now.astimezone(zone).date()
    for ahead in range(8):  # today once more in a week: it may be the only day
        day = today + timedelta(days=ahead)
        span = hours.get(WEEKDAYS[day.weekday()])
        if not span:
            continue
        opens, closes = (local_instant(day, time.fromisoformat(at), zone) for at in span)
        if now < opens:
            return Opening(False, opens)
        if now < closes:
            return Opening(True, closes)
    return None

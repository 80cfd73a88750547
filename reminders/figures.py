"""What became of the messages, day by day and by channel; and how recovery feels, day by day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate

from patients import words
from patients.clock import recovery_day
from patients.models import CheckIn, Clinic
from reminders.models import Reminder, State

DAYS = 14
CHECK_INS_OF = timedelta(days=90)
OUT = (State.SENT, State.DELIVERED, State.NO_RECEIPT, State.FAILED, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Day:
    """Messages of one day by one channel. `open`: sent, with no word from the phone so far."""

    name: str
    channel: str
    delivered: int
    open: int
    failed: int

    @property
    def total(self) -> int:
        return self.delivered + self.open + self.failed


@dataclass(frozen=True, slots=True)
class Feeling:
    """Check-ins answered on one day of recovery."""

    day: int
    normal: int
    not_yet: int
    worse: int


def delivery(clinic: Clinic, *, now: datetime) -> list[Day]:
    """The last `DAYS` of the clinic's calendar, the earliest first; text before email."""
    today = now.astimezone(clinic.tz).date()
    first = today - timedelta(days=DAYS - 1)
    begins = datetime.combine(first, datetime.min.time(), clinic.tz)
    counted = (
        Reminder.objects.filter(
            treatment__patient__clinic=clinic, state_at__gte=begins, state__in=OUT
        )
        .annotate(on=TruncDate("state_at", tzinfo=clinic.tz))
        .values_list("on", "channel", "state")
        .annotate(number=Count("id"))
        .order_by()
    )
    numbers = {(on, channel, State(state)): number for on, channel, state, number in counted}
    days = [first + timedelta(days=one) for one in range(DAYS)]
    return [_day(day, channel, numbers) for day in days for channel in ("sms", "email")]


def _day(day: date, channel: str, numbers: dict[tuple[date, str, State], int]) -> Day:
    def of(*states: State) -> int:
        return sum(numbers.get((day, channel, state), 0) for state in states)

    return Day(
        name=words.on_date(day, "en"),
        channel="Text" if channel == "sms" else "Email",
        delivered=of(State.DELIVERED),
        open=of(State.SENT, State.NO_RECEIPT, State.UNKNOWN),
        failed=of(State.FAILED),
    )


def feelings(clinic: Clinic, *, now: datetime) -> list[Feeling]:
    """By day of recovery, what the check-ins of the last 90 days have answered."""
    rows = CheckIn.objects.filter(
        treatment__patient__clinic=clinic, answered_at__gte=now - CHECK_INS_OF
    ).values_list("treatment__treated_at", "answered_at", "feels_normal", "trend")
    found: Counter[tuple[int, str]] = Counter()
    for treated_at, answered_at, normal, trend in rows:
        worse = trend == CheckIn.Trend.WORSE
        said = "worse" if worse else "normal" if normal else "not_yet"
        found[recovery_day(treated_at, answered_at, clinic.tz), said] += 1
    return [
        Feeling(day, found[day, "normal"], found[day, "not_yet"], found[day, "worse"])
        for day in sorted({day for day, _ in found})
    ]

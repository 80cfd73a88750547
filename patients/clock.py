"""Clock and calendar: when a moment of a recovery falls. Pure: no Django, no clock of its own.

Two kinds of moment, never mixed:

- *elapsed* (`Elapsed`): so many hours after the treatment ended, whatever the clocks do;
- *calendar* (`Calendar`, `FirstClock`): a local date and a local time of day, whatever the hours.

Instants go in aware and come out in UTC; local time is used only to compute and to show. A local
time that does not exist (clocks go forward) moves forward by the gap; one that happens twice
(clocks go back) is the first.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Elapsed:
    """So long after the treatment ended. `after` is absolute time, so a day is 24 hours."""

    after: timedelta

    def resolve(self, treated_at: datetime, zone: tzinfo) -> datetime:
        return treated_at.astimezone(UTC) + self.after


@dataclass(frozen=True, slots=True)
class Calendar:
    """A local day counted from the day of treatment, at a local time of day.

    `months` are added first and clamp to the month's end, then `days`. `at` is None for the
    treatment's own time of day. Day 1 is the day of treatment, so "day 2" is `days=1`.
    """

    months: int = 0
    days: int = 0
    at: time | None = None

    def resolve(self, treated_at: datetime, zone: tzinfo) -> datetime:
        local = treated_at.astimezone(zone)
        day = add_months(local.date(), self.months) + timedelta(days=self.days)
        return local_instant(day, local.time() if self.at is None else self.at, zone)


@dataclass(frozen=True, slots=True)
class FirstClock:
    """The first time the local clock shows `at`, at or after an elapsed moment."""

    at: time
    after: Elapsed

    def resolve(self, treated_at: datetime, zone: tzinfo) -> datetime:
        return next_clock(self.after.resolve(treated_at, zone), self.at, zone)


Moment = Elapsed | Calendar | FirstClock


def local_instant(day: date, at: time, zone: tzinfo) -> datetime:
    """The UTC instant of a local date and time (RFC 5545's reading of gaps and folds)."""
    # fold=0 takes the first of two; in a gap it applies the offset before the change, which
    # lands behind the gap: 02:30 becomes 03:30.
    return datetime.combine(day, at.replace(fold=0), tzinfo=zone).astimezone(UTC)


def next_clock(instant: datetime, at: time, zone: tzinfo) -> datetime:
    """The first instant at or after `instant` at which the local clock shows `at`, in UTC."""
    day = instant.astimezone(zone).date()
    candidate = local_instant(day, at, zone)
    return candidate if candidate >= instant else local_instant(day + timedelta(days=1), at, zone)


def add_months(day: date, months: int) -> date:
    """The same day some months on, clamped to the month's end (31 January + 1 = 28 February)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The local hours in which nobody is texted: [starts, ends), usually over midnight."""

    starts: time
    ends: time

    def covers(self, instant: datetime, zone: tzinfo) -> bool:
        at = instant.astimezone(zone).time()
        if self.starts <= self.ends:
            return self.starts <= at < self.ends
        return at >= self.starts or at < self.ends

    def end_after(self, instant: datetime, zone: tzinfo) -> datetime:
        """The end of the quiet span that covers `instant`, in UTC."""
        return next_clock(instant, self.ends, zone)

    def evening_of(self, instant: datetime, zone: tzinfo) -> date:
        """The local date on which the quiet span that covers `instant` began."""
        local = instant.astimezone(zone)
        began_yesterday = self.starts > self.ends and local.time() < self.ends
        return local.date() - timedelta(days=int(began_yesterday))


def recovery_day(treated_at: datetime, now: datetime, zone: tzinfo) -> int:
    """The local day of recovery; day 1 is the day of treatment."""
    return (now.astimezone(zone).date() - treated_at.astimezone(zone).date()).days + 1

"""The clock: local times to instants and back, quiet hours, and how a time is said."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from patients import words
from patients.clock import (
    Calendar,
    Elapsed,
    FirstClock,
    QuietHours,
    add_months,
    local_instant,
    next_clock,
    recovery_day,
)
from tests.reminders import oracle
from tests.reminders.oracle import DAY, HOUR, MINUTE, treatments, wall

SECOND = timedelta(seconds=1)
NIGHT = QuietHours(time(20), time(8))
NEW_YORK, LORD_HOWE, APIA = (
    ZoneInfo(key) for key in ("America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
)
properties = settings(deadline=None, max_examples=250, database=None)
times = st.sampled_from([time(9), time(19, 30), time(20), time(8), time(0), time(16, 30)])


def utc(clock: str) -> datetime:
    return datetime.fromisoformat(clock).replace(tzinfo=UTC)


# --- local times and instants ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "clock", "instant"),
    [
        (NEW_YORK, "2026-06-15 09:00", "2026-06-15 13:00"),
        # The gap: 02:30 does not exist and becomes 03:30.
        (NEW_YORK, "2026-03-08 01:59", "2026-03-08 06:59"),
        (NEW_YORK, "2026-03-08 02:00", "2026-03-08 07:00"),
        (NEW_YORK, "2026-03-08 02:30", "2026-03-08 07:30"),
        (NEW_YORK, "2026-03-08 03:00", "2026-03-08 07:00"),
        # The fold: 01:30 happens twice, and the first is meant.
        (NEW_YORK, "2026-11-01 01:00", "2026-11-01 05:00"),
        (NEW_YORK, "2026-11-01 01:30", "2026-11-01 05:30"),
        (NEW_YORK, "2026-11-01 02:00", "2026-11-01 07:00"),
        # Lord Howe moves by half an hour; Apia once left out a whole day.
        (LORD_HOWE, "2026-10-04 02:15", "2026-10-03 15:45"),
        (LORD_HOWE, "2026-04-05 01:45", "2026-04-04 14:45"),
        (APIA, "2011-12-30 09:00", "2011-12-30 19:00"),
    ],
)
def test_a_local_time_is_the_first_of_two_and_moves_over_a_gap(
    zone: ZoneInfo, clock: str, instant: str
) -> None:
    at = datetime.fromisoformat(clock)
    assert local_instant(at.date(), at.time(), zone) == utc(instant)
    assert local_instant(at.date(), at.time().replace(fold=1), zone) == utc(instant)


@properties
@given(treatments(), st.integers(-90, 90))
def test_every_local_minute_falls_where_the_local_clock_shows_it(
    treatment: tuple[datetime, ZoneInfo], minutes: int
) -> None:
    instant, zone = treatment
    clock = wall(instant, zone) + minutes * MINUTE
    found = local_instant(clock.date(), clock.time(), zone)
    assert found == oracle.showing(clock, zone)
    assert found.utcoffset() == timedelta(0)


@properties
@given(treatments(), times)
def test_the_next_clock_is_the_first_instant_from_then_on_that_shows_it(
    treatment: tuple[datetime, ZoneInfo], at: time
) -> None:
    instant, zone = treatment
    first = oracle.first_quarter(instant, lambda quarter: wall(quarter, zone).time() == at)
    assert next_clock(instant, at, zone) == first
    assert next_clock(instant.astimezone(zone), at, zone) == first
    assert FirstClock(at, Elapsed(DAY)).resolve(instant - DAY, zone) == first


@properties
@given(treatments(), st.sampled_from([1, 2, 3, 6]), st.sampled_from([0, -7, -14, 1, 70]))
def test_a_calendar_moment_counts_months_then_days_at_the_treatments_own_time(
    treatment: tuple[datetime, ZoneInfo], months: int, days: int
) -> None:
    treated_at, zone = treatment
    at = wall(treated_at, zone)
    # Months of the local calendar, counted where no clock changes.
    later = oracle.months_later(at.replace(tzinfo=UTC), months, ZoneInfo("UTC"))
    expected = oracle.showing(later.replace(tzinfo=None) + days * DAY, zone)
    assert Calendar(months=months, days=days).resolve(treated_at, zone) == expected


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2026-10-31", 2, "2026-12-31"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-03-31", 0, "2026-03-31"),
    ],
)
def test_months_clamp_to_the_months_end(day: str, months: int, expected: str) -> None:
    assert add_months(date.fromisoformat(day), months).isoformat() == expected


@properties
@given(treatments(), st.integers(0, 60 * 86400))
def test_the_day_of_recovery_counts_local_midnights(
    treatment: tuple[datetime, ZoneInfo], seconds: int
) -> None:
    treated_at, zone = treatment
    now = treated_at + seconds * SECOND
    nights = (wall(now, zone).date() - wall(treated_at, zone).date()).days
    assert recovery_day(treated_at, now, zone) == 1 + nights


# --- quiet hours ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [
        ("2026-06-15 19:59:59", False),
        ("2026-06-15 20:00:00", True),
        ("2026-06-15 23:59:59", True),
        ("2026-06-16 00:00:00", True),
        ("2026-06-16 07:59:59", True),
        ("2026-06-16 08:00:00", False),
    ],
)
def test_quiet_hours_start_at_eight_and_end_at_eight(clock: str, quiet: bool) -> None:
    instant = oracle.showing(datetime.fromisoformat(clock), NEW_YORK)
    assert NIGHT.covers(instant, NEW_YORK) is quiet


@properties
@given(treatments())
def test_a_quiet_span_ends_at_its_next_eight_and_began_on_its_own_evening(
    treatment: tuple[datetime, ZoneInfo],
) -> None:
    instant, zone = treatment
    assert NIGHT.covers(instant, zone) is oracle.is_quiet(instant, zone)
    if not NIGHT.covers(instant, zone):
        return
    loud = oracle.first_quarter(instant, lambda quarter: not oracle.is_quiet(quarter, zone))
    assert NIGHT.end_after(instant, zone) == loud
    began = oracle.last_quarter(instant)
    while oracle.is_quiet(began - oracle.QUARTER, zone):
        began -= oracle.QUARTER
    assert NIGHT.evening_of(instant, zone) == wall(began, zone).date()


def test_quiet_hours_may_lie_within_one_day() -> None:
    noon = QuietHours(time(12), time(14))
    for clock, quiet in (("11:59", False), ("12:00", True), ("13:59", True), ("14:00", False)):
        at = datetime.fromisoformat(f"2026-06-15 {clock}")
        assert noon.covers(oracle.showing(at, NEW_YORK), NEW_YORK) is quiet
    assert noon.evening_of(utc("2026-06-15 17:00"), NEW_YORK) == date(2026, 6, 15)
    assert noon.end_after(utc("2026-06-15 17:00"), NEW_YORK) == utc("2026-06-15 18:00")


# --- how a time is said ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "english", "spanish"),
    [
        ("00:00", "12:00 am", "12:00 a. m."),
        ("00:05", "12:05 am", "12:05 a. m."),
        ("09:00", "9:00 am", "9:00 a. m."),
        ("11:59", "11:59 am", "11:59 a. m."),
        ("12:00", "12:00 pm", "12:00 p. m."),
        ("13:50", "1:50 pm", "1:50 p. m."),
        ("23:00", "11:00 pm", "11:00 p. m."),
    ],
)
def test_a_clock_time_has_twelve_hours(at: str, english: str, spanish: str) -> None:
    local = datetime.fromisoformat(f"2026-06-15 {at}").replace(tzinfo=NEW_YORK)
    assert words.clock(local, "en") == english
    assert words.clock(local, "es") == spanish


@pytest.mark.parametrize(
    ("at", "english", "spanish"),
    [
        ("2026-11-29 23:00", "11:00 pm yesterday", "ayer a las 11:00 p. m."),
        ("2026-11-30 16:59", "4:59 pm today", "hoy a las 4:59 p. m."),
        ("2026-11-30 17:00", "5:00 pm tonight", "hoy a las 5:00 p. m."),
        ("2026-11-30 19:00", "7:00 pm tonight", "esta noche a las 7:00 p. m."),
        ("2026-11-30 23:00", "11:00 pm tonight", "esta noche a las 11:00 p. m."),
        ("2026-12-01 01:50", "1:50 am tomorrow", "mañana a la 1:50 a. m."),
        ("2026-12-02 14:20", "2:20 pm on Wed, Dec 2", "el mié 2 dic a las 2:20 p. m."),
        ("2026-11-28 14:20", "2:20 pm on Sat, Nov 28", "el sáb 28 nov a las 2:20 p. m."),
    ],
)
def test_a_moment_names_its_day_as_one_says_it(at: str, english: str, spanish: str) -> None:
    now, then = (
        datetime.fromisoformat(clock).replace(tzinfo=NEW_YORK) for clock in ("2026-11-30 15:00", at)
    )
    assert words.moment(then, now, "en") == english
    assert words.moment(then, now, "es") == spanish
    assert words.moment(then, now, "tlh") == english


@pytest.mark.parametrize(
    ("length", "said", "ahead"),
    [
        (timedelta(0), "0 minutes", "in 0 minutes"),
        (-5 * MINUTE, "0 minutes", "in 0 minutes"),
        (SECOND, "0 minutes", "in 1 minute"),
        (MINUTE, "1 minute", "in 1 minute"),
        (40 * MINUTE, "40 minutes", "in 40 minutes"),
        (HOUR - SECOND, "59 minutes", "in 1 hour"),
        (HOUR, "1 hour", "in 1 hour"),
        (HOUR + SECOND, "1 hour", "in 2 hours"),
        (2 * HOUR + 50 * MINUTE, "2 hours", "in 3 hours"),
        (47 * HOUR + MINUTE, "47 hours", "in 2 days"),
        (2 * DAY - SECOND, "47 hours", "in 2 days"),
        (2 * DAY, "2 days", "in 2 days"),
        (2 * DAY + SECOND, "2 days", "in 3 days"),
        (7 * DAY - SECOND, "6 days", "in 7 days"),
    ],
)
def test_a_span_is_rounded_down_behind_and_up_ahead(
    length: timedelta, said: str, ahead: str
) -> None:
    assert words.span(length, "en") == said
    assert words.in_span(length, "en") == ahead


@settings(properties, max_examples=500)
@given(st.integers(0, 100 * 86400))
@example(59 * 60 + 1)
def test_no_gate_is_promised_early_and_none_more_than_one_unit_late(seconds: int) -> None:
    length = seconds * SECOND
    units = {"minute": MINUTE, "hour": HOUR, "day": DAY}
    number, unit = words.in_span(length, "en").removeprefix("in ").split()
    said = int(number) * units[unit.removesuffix("s")]
    assert length <= said < length + units[unit.removesuffix("s")]
    number, unit = words.span(length, "en").split()
    assert int(number) * units[unit.removesuffix("s")] <= length


def test_spanish_spans_are_spanish() -> None:
    assert words.in_span(3 * HOUR, "es") == "en 3 horas"
    assert words.span(DAY * 5, "es") == "5 días"

"""Open or closed, by the clinic's own clock."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from patients.opening import Opening, opening

CHICAGO = ZoneInfo("America/Chicago")
HOURS = {"mon": ["09:00", "17:00"], "tue": ["09:00", "12:30"], "sun": ["01:00", "03:00"]}


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO)


@pytest.mark.parametrize(
    ("now", "is_open", "changes_at"),
    [
        ("2026-11-23 08:59:59", False, "2026-11-23 09:00"),
        ("2026-11-23 09:00:00", True, "2026-11-23 17:00"),
        ("2026-11-23 16:59:59", True, "2026-11-23 17:00"),
        ("2026-11-23 17:00:00", False, "2026-11-24 09:00"),
        ("2026-11-24 12:30:00", False, "2026-11-29 01:00"),
    ],
)
def test_it_is_open_from_the_first_second_and_closed_from_the_last(
    now: str, is_open: bool, changes_at: str
) -> None:
    found = opening(HOURS, zone=CHICAGO, now=local(now))
    assert found == Opening(is_open, local(changes_at))


def test_the_only_day_comes_round_again() -> None:
    found = opening({"mon": ["09:00", "17:00"]}, zone=CHICAGO, now=local("2026-11-23 18:00"))
    assert found == Opening(False, local("2026-11-30 09:00"))


def test_clocks_going_back_make_the_open_hours_longer() -> None:
    # November 1, 2026: 1:00 comes twice; the clinic opens at the first.
    found = opening(HOURS, zone=CHICAGO, now=datetime(2026, 11, 1, 6, 0, tzinfo=UTC))
    assert found == Opening(True, datetime(2026, 11, 1, 9, 0, tzinfo=UTC))


def test_a_clinic_that_keeps_no_hours_is_neither() -> None:
    assert opening({}, zone=CHICAGO, now=local("2026-11-23 12:00")) is None

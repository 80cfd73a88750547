"""The calendar file, read back by another library: right instants, no secret, no duplicates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
import time_machine
import vobject
from django.test import Client

from patients import links
from patients.calendar_file import calendar_file
from patients.models import Treatment
from patients.page_frame import frame_of
from reminders.amending import correct_time
from tests.builders import log, make_clinic, make_patient, make_staff

H = timedelta(hours=1)
D = timedelta(days=1)
ZONES = ("America/Chicago", "Australia/Sydney", "Asia/Kolkata", "Europe/London", "Pacific/Apia")


def file_of(treatment: Treatment, at: datetime, query: str = "") -> str:
    with time_machine.travel(at, tick=False):
        response = Client().get(f"/r/{links.token_of(treatment)}/calendar.ics{query}")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    return response.content.decode()


def events(file: str) -> list[Any]:
    return list(vobject.readOne(file).vevent_list)


def starts(file: str) -> list[datetime]:
    return sorted(one.dtstart.value for one in events(file))


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("month", [3, 10, 11])  # clocks change within the plan's week or months
def test_every_step_ahead_stands_at_its_instant(zone: str, month: int) -> None:
    at = datetime(2026, month, 28, 18, 20, tzinfo=UTC)
    treatment = log(patient=make_patient(clinic=make_clinic(zone=zone)), treated_at=at)
    local = at.astimezone(treatment.patient.tz)
    later = local.month + 2
    results = local.replace(
        year=local.year + (later > 12), month=(later - 1) % 12 + 1, day=min(local.day, 28)
    )
    assert local.day <= 29
    expected = [at + 6 * H, at + 24 * H, at + 48 * H, at + 7 * D, results.astimezone(UTC)]
    found = starts(file_of(treatment, at))
    assert found[:4] == expected[:4]
    assert len(found) == 5
    if local.day == results.day:
        assert found[4] == expected[4]
    assert starts(file_of(treatment, at + 30 * H)) == found[2:]


@pytest.mark.django_db
def test_in_every_zone_there_is_each_step_stands_at_its_instant() -> None:
    """One treatment, its patient moved through all of them; the file read back by vobject."""
    at = datetime(2026, 10, 24, 18, 20, tzinfo=UTC)  # much of the world turns its clocks that week
    treatment = log(patient=make_patient(clinic=make_clinic()), treated_at=at)
    frame = frame_of(treatment, token=links.token_of(treatment), now=at)
    wrong = []
    for zone in sorted(available_timezones()):
        treatment.patient.zone = zone
        found = starts(calendar_file(frame).decode())
        local = at.astimezone(ZoneInfo(zone))
        # The same clock time two months on: a calendar moment, by that zone's own rules.
        results = local.replace(month=12)  # from October on
        expected = [at + 6 * H, at + 24 * H, at + 48 * H, at + 7 * D, results.astimezone(UTC)]
        if found != expected:
            wrong.append((zone, found))
    assert wrong == []


@pytest.mark.django_db
def test_after_a_correction_the_same_events_move() -> None:
    at = datetime(2026, 11, 23, 20, 20, tzinfo=UTC)
    clinic = make_clinic()
    treatment = log(patient=make_patient(clinic=clinic), treated_at=at)
    before = {one.uid.value: one for one in events(file_of(treatment, at))}
    with time_machine.travel(at + H, tick=False):
        correct_time(
            treatment=treatment, treated_at=at - 2 * H, reason="Typed wrong",
            by=make_staff(clinic=clinic),
        )  # fmt: skip
    after = {one.uid.value: one for one in events(file_of(treatment, at + H))}
    assert after.keys() == before.keys()
    assert len(before) == 5
    for uid, event in after.items():
        assert int(event.sequence.value) > int(before[uid].sequence.value)
        assert before[uid].dtstart.value - event.dtstart.value == 2 * H


@pytest.mark.django_db
def test_it_names_no_treatment_and_holds_no_link() -> None:
    at = datetime(2026, 11, 23, 20, 20, tzinfo=UTC)
    treatment = log(patient=make_patient(clinic=make_clinic()), treated_at=at)
    file = file_of(treatment, at).replace("\r\n ", "")
    for secret in (links.token_of(treatment), "http", "Maria", "Gomez", treatment.ref.hex,
                   str(treatment.ref)):  # fmt: skip
        assert secret not in file
    for word in ("skin", "wash", "cleans", "needl", "peel", "cream", "treatment", "spf"):
        assert word not in file.lower()
    assert "SUMMARY:A new step on your recovery page" in file
    assert "(855) 383-7546" in file


@pytest.mark.django_db
def test_it_speaks_the_patients_language_or_the_one_asked_for() -> None:
    at = datetime(2026, 11, 23, 20, 20, tzinfo=UTC)
    treatment = log(patient=make_patient(clinic=make_clinic(), language="es"), treated_at=at)
    title = "Un paso nuevo en su página de recuperación"
    assert {one.summary.value for one in events(file_of(treatment, at))} == {title}
    english = events(file_of(treatment, at, "?lang=en"))
    assert {one.summary.value for one in english} == {"A new step on your recovery page"}
    # However the language, an event is the same event.
    assert [one.uid.value for one in english] == [
        one.uid.value for one in events(file_of(treatment, at))
    ]


@pytest.mark.django_db
def test_a_dead_link_gives_no_calendar() -> None:
    make_clinic()
    response = Client().get(f"/r/{'0' * links.TOKEN_LENGTH}/calendar.ics")
    assert response.status_code == 404
    assert b"BEGIN:VCALENDAR" not in response.content

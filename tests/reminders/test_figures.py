"""The board in numbers, as a file and on paper."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from patients.models import CheckIn, Clinic, StaffUser, Treatment
from patients.models.clinic import Role
from patients.models.patient import Channel
from reminders.export import defuse
from reminders.models import Concern, Reminder, State, Task
from tests.builders import log, make_clinic, make_patient, make_staff, reminder_of, set_state
from tests.reminders.conftest import NOON
from tests.reminders.desk_form import text_of


@pytest.fixture
def nurse(noon: time_machine.Traveller, clinic: Clinic, client: Client) -> Client:
    client.force_login(make_staff(clinic=clinic, role=Role.NURSE, name="Imani Brooks"))
    return client


def treated(clinic: Clinic, name: str, hours_ago: float, **more: Any) -> Treatment:
    at = NOON - timedelta(hours=hours_ago)
    return log(patient=make_patient(clinic=clinic, first_name=name, **more), treated_at=at)


def rows_of(nurse: Client, query: str = "") -> list[dict[str, str]]:
    response = nurse.get(reverse("export") + query)
    assert response["Content-Disposition"] == 'attachment; filename="reminders-2026-11-23.csv"'
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def test_the_file_has_a_line_for_every_reminder_of_what_the_board_shows(
    nurse: Client, clinic: Clinic
) -> None:
    failed = treated(clinic, "Devon", 2)
    set_state(reminder_of(failed, "handover"), State.FAILED)
    treated(clinic, "Maria", 1)
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    treated(other, "Foreign", 1)
    rows = rows_of(nurse)
    assert len(rows) == 18
    assert rows[0] | {} == {
        "Patient": "Devon Gomez",
        "Treated": "2026-11-23 10:00",
        "Session": "Session 1 of 3",
        "Reminder": "Handover",
        "By": "Text message",
        "State": "Failed",
        "Planned for": "2026-11-23 10:00",
        "State since": "2026-11-23 10:00",
        "Why not": "",
    }
    assert "+1202" not in str(rows)
    assert {row["Patient"] for row in rows_of(nurse, "?show=failed")} == {"Devon Gomez"}
    assert rows_of(nurse, "?until=2025-01-01") == []


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_file_is_a_formula(nurse: Client, clinic: Clinic, first: str) -> None:
    treated(clinic, f'{first}HYPERLINK("x")', 1)
    cells = {cell for row in rows_of(nurse) for cell in row.values()}
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert defuse([f"{first}1", f"1{first}"]) == [f"'{first}1", f"1{first}"]


def test_delivery_is_counted_by_day_and_channel_in_the_clinics_calendar(
    nurse: Client, clinic: Clinic
) -> None:
    treatment = treated(clinic, "Maria", 30)
    mail = treated(clinic, "Ana", 3, channel=Channel.EMAIL, email="ana@example.org")
    late = NOON - timedelta(hours=13)  # eleven in the evening before
    set_state(reminder_of(treatment, "handover"), State.DELIVERED, at=late)
    set_state(reminder_of(treatment, "first-hour"), State.FAILED, at=late)
    set_state(reminder_of(mail, "handover"), State.SENT, at=NOON)
    page = nurse.get(reverse("figures"))
    days = [
        (day.name, day.channel, day.delivered, day.open, day.failed) for day in page.context["days"]
    ]
    assert days == [("Sun, Nov 22", "Text", 1, 0, 1), ("Mon, Nov 23", "Email", 0, 1, 0)]
    drawn = text_of(page)
    assert drawn.count("<rect") == 3
    assert 'style="' not in drawn


def test_check_ins_are_counted_by_day_of_recovery(nurse: Client, clinic: Clinic) -> None:
    treatment = treated(clinic, "Maria", 48)
    for normal, trend in ((True, ""), (False, "same"), (False, "worse")):
        CheckIn.objects.create(
            treatment=treatment, rule="day-3", feels_normal=normal, trend=trend, answered_at=NOON
        )
    (one,) = nurse.get(reverse("figures")).context["feelings"]
    assert (one.day, one.normal, one.not_yet, one.worse) == (3, 1, 1, 1)


def test_no_figures_yet_says_so(nurse: Client) -> None:
    page = text_of(nurse.get(reverse("figures")))
    assert "Nothing has been sent in these days." in page
    assert "No check-in has been answered yet." in page


def test_the_day_sheet_holds_what_the_day_asks_for(nurse: Client, clinic: Clinic) -> None:
    treatment = treated(clinic, "Maria", 2)
    set_state(reminder_of(treatment, "handover"), State.FAILED)
    Concern.objects.create(
        clinic=clinic, patient=treatment.patient, kind=Concern.Kind.TEXT, opened_at=NOON
    )
    by = StaffUser.objects.get()
    Task.objects.create(
        clinic=clinic, patient=treatment.patient, text="Call her", owner=by, made_by=by,
        due_at=NOON + timedelta(hours=1), made_at=NOON,
    )  # fmt: skip
    parts = sheet_of(nurse)
    assert parts["Open concerns"] == [("12:00 pm today", "A text from a patient")]
    assert parts["Tasks due by tonight"] == [("1:00 pm today", "Call her (Imani Brooks)")]
    assert parts[FAILED] == [("10:00 am today", "Handover: failed by text")]
    assert parts["Treated today"] == [("10:00 am today", "Session 1 of 3")]
    assert ("4:00 pm today", "Gentle wash") in parts["Still leaves today"]
    assert "555-0146" not in text_of(nurse.get(reverse("day-sheet")))


FAILED = "Failed or in doubt since yesterday"


def sheet_of(nurse: Client) -> dict[str, list[tuple[str, str]]]:
    parts = nurse.get(reverse("day-sheet")).context["sheet"].parts
    return {part.title: [(one.when, one.what) for one in part.items] for part in parts}


def test_what_went_another_way_in_the_end_is_no_failure_of_the_day(
    nurse: Client, clinic: Clinic
) -> None:
    treatment = treated(clinic, "Maria", 2, email="maria@example.org")
    failed = set_state(reminder_of(treatment, "handover"), State.FAILED)
    assert len(sheet_of(nurse)[FAILED]) == 1
    values = {field.attname: getattr(failed, field.attname) for field in failed._meta.fields}
    Reminder(**values | {"id": None, "channel": "email", "state": State.SENT}).save()
    assert sheet_of(nurse)[FAILED] == []


def test_what_failed_last_evening_stands_on_the_sheet_of_the_morning(
    nurse: Client, clinic: Clinic
) -> None:
    treatment = treated(clinic, "Maria", 20)
    evening = NOON - timedelta(hours=13)
    set_state(reminder_of(treatment, "handover"), State.FAILED, at=evening)
    set_state(reminder_of(treatment, "first-hour"), State.UNKNOWN, at=NOON - timedelta(hours=33))
    said = [("11:00 pm yesterday", "Handover: failed by text")]
    assert [one for one in sheet_of(nurse)[FAILED] if "Handover" in one[1]] == said
    assert len(sheet_of(nurse)[FAILED]) == 1


@pytest.mark.parametrize(("past_midnight", "day"), [(1, "Mon, Nov 23"), (5, "Tue, Nov 24")])
def test_past_midnight_the_sheet_is_still_that_of_the_evening(
    nurse: Client, clinic: Clinic, noon: time_machine.Traveller, past_midnight: int, day: str
) -> None:
    treated(clinic, "Maria", -10)  # ten in the evening
    noon.shift(timedelta(hours=12 + past_midnight))
    nurse.force_login(StaffUser.objects.get())
    page = nurse.get(reverse("day-sheet"))
    assert page.context["sheet"].day == day
    assert (sheet_of(nurse)["Treated today"] != []) is (day == "Mon, Nov 23")


def test_a_sheet_that_holds_not_all_says_where_the_others_stand(
    nurse: Client, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reminders.day_sheet.MANY", 2)
    for number in range(3):
        treated(clinic, f"Maria{number}", 1)
    page = nurse.get(reverse("day-sheet"))
    assert "These are the first 2. The others stand on the board." in text_of(page)
    assert len(sheet_of(nurse)["Treated today"]) == 2

"""A permission already announced that now comes later: offered to staff, sent when they say so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from patients.models import Patient, StaffUser
from reminders.amending import correct_time
from reminders.corrections import send_correction
from reminders.messages import render
from reminders.models import Concern, State
from tests.builders import log, make_staff, reminder_of, set_state

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

T = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 09:00 in Chicago; the gate is at 15:00


@pytest.fixture
def staff(patient: Patient) -> StaffUser:
    return make_staff(clinic=patient.clinic)


def correct(patient: Patient, staff: StaffUser, *, hours: int, at: datetime) -> None:
    treatment = log(patient=patient, treated_at=T)
    set_state(reminder_of(treatment, "cleanse"), State.DELIVERED)
    with time_machine.travel(at, tick=False):
        correct_time(
            treatment=treatment, treated_at=T + timedelta(hours=hours), reason="x", by=staff
        )


def test_a_permission_that_moves_later_is_put_before_staff(
    patient: Patient, staff: StaffUser
) -> None:
    correct(patient, staff, hours=1, at=T + timedelta(hours=6, minutes=5))
    concern = Concern.objects.get()
    assert concern.kind == Concern.Kind.MOVED
    assert concern.reminder is not None
    assert concern.reminder.rule == "cleanse"


def test_the_correction_text_states_the_new_hour_and_is_sent_once(
    patient: Patient, staff: StaffUser
) -> None:
    correct(patient, staff, hours=1, at=T + timedelta(hours=6, minutes=5))
    now = T + timedelta(hours=6, minutes=6)
    again = send_correction(Concern.objects.get(), by=staff, now=now)
    assert again is not None
    assert (again.state, again.occurrence, again.due_at) == (State.PLANNED, 2, now)
    assert "4:00 pm, not before" in render(again, at=now).text
    assert send_correction(Concern.objects.get(), by=staff, now=now) is None


def test_a_permission_that_moves_earlier_needs_no_text(patient: Patient, staff: StaffUser) -> None:
    correct(patient, staff, hours=-1, at=T + timedelta(hours=6, minutes=5))
    assert not Concern.objects.exists()


def test_a_permission_whose_new_hour_has_passed_needs_no_text(
    patient: Patient, staff: StaffUser
) -> None:
    correct(patient, staff, hours=1, at=T + timedelta(hours=8))
    assert not Concern.objects.exists()


def test_what_was_not_announced_yet_just_moves(patient: Patient, staff: StaffUser) -> None:
    treatment = log(patient=patient, treated_at=T)
    with time_machine.travel(T + timedelta(minutes=5), tick=False):
        correct_time(treatment=treatment, treated_at=T, reason="x", by=staff)
    assert not Concern.objects.exists()

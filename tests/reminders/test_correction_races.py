"""A repeat that leaves while its treatment's time is put right says no old time in silence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from patients.models import Patient, StaffUser
from reminders.amending import correct_time
from reminders.claim import Claim, claim_due
from reminders.models import Concern, Reminder, State
from reminders.moments import Skip
from tests.builders import log, make_clinic, make_patient, make_staff, reminder_of
from tests.reminders.conftest import NOON
from tests.reminders.crossing import cross

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

TREATED = NOON - timedelta(hours=6, minutes=5)  # since five minutes ago one may cleanse
CLAIMED = 'UPDATE "reminders_reminder" SET "state"'


@pytest.fixture
def staff(noon: time_machine.Traveller) -> StaffUser:
    return make_staff(clinic=make_clinic())


@pytest.fixture
def repeat(staff: StaffUser) -> Reminder:
    """Due now; what it repeats never left."""
    patient: Patient = make_patient(clinic=staff.clinic)
    treatment = log(patient=patient, treated_at=TREATED)
    treatment.reminders.update(state=State.SKIPPED, skip_reason=Skip.NO_CONTACT.value)
    first = reminder_of(treatment, "cleanse")
    return Reminder.objects.create(
        treatment=treatment,
        rule=first.rule,
        channel=first.channel,
        occurrence=2,
        due_at=timezone.now(),
        leaves_at=timezone.now(),
        not_after=first.not_after,
        gate_at=first.gate_at,
        treated_at=first.treated_at,
        urgent=True,
        state=State.PLANNED,
        state_at=timezone.now(),
        again_of=first,
    )


def claim() -> Claim:
    return claim_due(now=timezone.now())


def correct(repeat: Reminder, by: StaffUser) -> None:
    later = TREATED + timedelta(hours=1)
    correct_time(treatment=repeat.treatment, treated_at=later, reason="Typo", by=by)


def test_a_repeat_claimed_while_the_time_is_corrected_is_offered_for_correction(
    repeat: Reminder, staff: StaffUser
) -> None:
    claimed, _ = cross(claim, lambda: correct(repeat, staff), after=CLAIMED)
    assert claimed.reminders == [repeat]
    assert Concern.objects.get(kind=Concern.Kind.MOVED).reminder == repeat


@pytest.mark.only_postgres
def test_a_claim_that_began_before_a_correction_and_locked_after_it_keeps_the_new_time(
    repeat: Reminder, staff: StaffUser
) -> None:
    begun = threading.Event()

    def begin_slowly(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """The rows are read, and only after a second they are locked."""
        if "SKIP LOCKED" in sql and not begun.is_set():
            sql = sql.replace(" ORDER BY", " AND pg_sleep(1) IS NOT NULL ORDER BY")
            begun.set()
        return execute(sql, *rest)

    def correct_meanwhile() -> None:
        begun.wait(30)
        correct(repeat, staff)
        connection.close()

    correcting = threading.Thread(target=correct_meanwhile)
    correcting.start()
    with connection.execute_wrapper(begin_slowly):
        assert claim().reminders == []
    correcting.join()
    claim()  # on a slow machine the correction still held the row
    repeat.refresh_from_db()
    assert (repeat.state, repeat.skip_reason) == (State.SKIPPED, Skip.CORRECTED.value)

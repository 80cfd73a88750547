"""The judge of the faults: what must never be is counted, whatever a restore took along."""

from __future__ import annotations

from typing import Any, cast

import pytest

from patients import links
from patients.models import Clinic
from tests.builders import log, make_attempt, make_clinic, make_patient, reminder_of
from tests.faults.judge import Verdict, judge
from tests.phone.client import Phone


class Told:
    """What the phone would say."""

    def __init__(self, attempts: list[str], texts: list[tuple[str, int]]) -> None:
        self.said: dict[str, Any] = {
            "calls": len(attempts),
            "created": sum(created for _, created in texts),
            "attempts": {one: {"calls": 1} for one in attempts},
            "texts": [{"to": "", "body": body, "created": number} for body, number in texts],
        }

    def stats(self) -> dict[str, Any]:
        return self.said

    def judged(self, **more: Any) -> Verdict:
        return judge(cast("Phone", self), **more)


@pytest.fixture
def clinic(db: None) -> Clinic:
    return make_clinic()


def test_a_call_that_no_row_knows_is_not_excused_by_those_that_a_restore_took_along(
    clinic: Clinic,
) -> None:
    """Of three calls before it one is still known: two are gone, and a fourth is strange."""
    reminder = reminder_of(log(patient=make_patient(clinic=clinic)), "handover")
    known = str(make_attempt(reminder).token)
    before = [known, "of-the-lost-hour", "of-it-too"]
    told = Told([*before, "blind"], [])
    assert told.judged(gone=before).strange == 1
    assert Told(before, []).judged(gone=before).strange == 0
    assert told.judged().strange == 3


def test_a_text_that_came_twice_is_doubled_though_its_treatment_is_lost(clinic: Clinic) -> None:
    treatment = log(patient=make_patient(clinic=clinic))
    ours = f"Hello {links.address_of(treatment)}"
    lost = f"Hello https://care.example/r/{'x' * links.TOKEN_LENGTH}"
    answer = "You will get no more texts."
    assert Told([], [(ours, 1), (lost, 1), (answer, 3)]).judged().doubled == 0
    assert Told([], [(ours, 2), (lost, 3), (answer, 3)]).judged().doubled == 3

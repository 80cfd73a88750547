"""STOP, START and HELP as exact words, and everything else kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from pytest_django import Settings

from patients.models import Clinic, OptOut, Patient
from reminders.inbox import meaning_of, receive_text
from reminders.models import InboundText, State
from reminders.moments import Skip
from tests.builders import SENDER, log, make_clinic, make_patient, reminder_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

T = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
NUMBER = "+12025550146"


def text(body: str, number: int = 1, sender: str = NUMBER) -> str:
    return receive_text(provider_id=f"SM{number:032}", sender=sender, recipient=SENDER, body=body)


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        *((word, "stop") for word in ("STOP", " stop. ", "Quit", "END", "Revoke", "OPT OUT")),
        *((word, "stop") for word in ("optout", "cancel", "UNSUBSCRIBE", "stopall", "opt  out!")),
        *((word, "start") for word in ("START", "unstop")),
        *((word, "help") for word in ("HELP", "help?", "info")),
        *(
            (word, "other")
            for word in ("", "please don't stop", "yes", "It burns. Help me stop it")
        ),
    ],
)
def test_only_exact_words_count(body: str, meaning: str) -> None:
    assert meaning_of(body) == meaning


def test_stop_stops_every_patient_with_that_number_at_once(
    clinic: Clinic, patient: Patient
) -> None:
    mother, daughter = (
        log(patient=one, treated_at=T)
        for one in (patient, make_patient(clinic=clinic, first_name="Ana"))
    )
    text("STOP")
    for treatment in (mother, daughter):
        assert reminder_of(treatment, "day-2").skip_reason == Skip.OPTED_OUT.value


def test_a_stop_at_one_clinic_leaves_the_other_alone(clinic: Clinic, patient: Patient) -> None:
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550111")
    elsewhere = log(patient=make_patient(clinic=other), treated_at=T)
    text("STOP")
    assert reminder_of(elsewhere, "day-2").state == State.PLANNED


def test_start_brings_back_what_is_still_ahead(patient: Patient) -> None:
    treatment = log(patient=patient, treated_at=T)
    with time_machine.travel(T + timedelta(minutes=5), tick=False):
        text("STOP", 1)
    with time_machine.travel(T + timedelta(hours=2), tick=False):
        text("START", 2)
    assert reminder_of(treatment, "first-hour").skip_reason == Skip.PASSED.value
    assert reminder_of(treatment, "cleanse").state == State.PLANNED
    assert list(OptOut.objects.order_by("id").values_list("stopped", flat=True)) == [True, False]


def test_a_treatment_logged_after_a_stop_plans_no_text(patient: Patient) -> None:
    text("STOP")
    treatment = log(patient=patient, treated_at=T)
    assert reminder_of(treatment, "handover").skip_reason == Skip.OPTED_OUT.value


def test_the_same_text_twice_is_one(patient: Patient) -> None:
    text("STOP")
    text("STOP")
    assert OptOut.objects.count() == InboundText.objects.count() == 1


def test_help_answers_with_the_clinics_name_and_number(clinic: Clinic, settings: Settings) -> None:
    settings.TWILIO_ANSWERS_KEYWORDS = False
    answer = text("HELP")
    assert "Lakeside Skin Clinic" in answer
    assert "(855) 383-7546" in answer


def test_where_the_provider_answers_by_itself_we_do_not(clinic: Clinic, settings: Settings) -> None:
    settings.TWILIO_ANSWERS_KEYWORDS = True
    assert text("STOP") == ""
    assert OptOut.objects.get().stopped


def test_anything_else_is_kept_with_its_words(patient: Patient) -> None:
    assert text("It burns a lot") == ""
    assert InboundText.objects.get().body == "It burns a lot"


def test_a_text_to_a_number_that_is_no_clinics_is_not_answered(db: None) -> None:
    assert text("STOP") == ""
    assert not OptOut.objects.exists()

"""What leaves is what the board shows: one renderer, neutral unless chosen otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from patients import links
from patients.models import Clinic, Patient
from patients.models.patient import Channel
from reminders.lint import segments
from reminders.messages import render
from reminders.models import Reminder
from tests.builders import log, make_patient, reminder_of

pytestmark = pytest.mark.django_db

T = datetime(2026, 11, 20, 20, 5, tzinfo=UTC)  # 14:05 in Chicago: the gate is 8:05 pm
CLINICAL = ("skin", "wash", "cleans", "needl", "micro", "peel", "retinol", "cream", "numb", "spf")


def said(reminder: Reminder) -> str:
    return render(reminder, at=reminder.due_at).text


def test_an_announcement_ahead_of_its_gate_begins_with_the_hour(clinic: Clinic) -> None:
    plain = log(patient=make_patient(clinic=clinic), treated_at=T)
    detailed = log(patient=make_patient(clinic=clinic, wants_details=True), treated_at=T)
    assert said(reminder_of(plain, "cleanse")).startswith(
        "Your next step starts at 8:05 pm, not before."
    )
    assert said(reminder_of(detailed, "cleanse")).startswith("Wait until 8:05 pm")


def test_at_or_after_its_gate_the_hour_is_not_said(patient: Patient) -> None:
    reminder = reminder_of(log(patient=patient, treated_at=T), "cleanse")
    assert "8:05" not in render(reminder, at=T + timedelta(hours=6)).text


def test_the_handover_states_the_hour_that_nobody_tells_later(patient: Patient) -> None:
    evening = datetime(2026, 11, 21, 1, 50, tzinfo=UTC)  # 19:50 in Chicago
    reminder = reminder_of(log(patient=patient, treated_at=evening), "handover")
    assert "1:50 am, not before" in said(reminder)


def test_neutral_texts_say_nothing_clinical(clinic: Clinic) -> None:
    for channel in Channel:
        patient = make_patient(clinic=clinic, channel=channel, email="maria@example.org")
        clinic.name = clinic.sms_name = "Lakeside"
        patient.clinic = clinic
        for reminder in log(patient=patient, treated_at=T).reminders.all():
            reminder.treatment.patient.clinic = clinic
            rendered = render(reminder, at=reminder.due_at)
            words = (rendered.subject + rendered.text).casefold()
            assert not [word for word in CLINICAL if word in words], words


def test_every_text_of_every_rule_is_one_segment_with_its_link(clinic: Clinic) -> None:
    for details in (False, True):
        patient = make_patient(clinic=clinic, wants_details=details)
        for reminder in log(patient=patient, treated_at=T).reminders.all():
            text = said(reminder)
            assert segments(text) == 1, text
            assert links.address_of(reminder.treatment) in text


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("details", [False, True])
def test_no_message_tells_somebody_it_cannot_see_that_all_is_well(
    clinic: Clinic, language: str, details: bool
) -> None:
    """An hour after treatment hives may be out, too: what is normal stands on the page."""
    for channel in Channel:
        patient = make_patient(
            clinic=clinic, language=language, wants_details=details,
            channel=channel, email="maria@example.org",
        )  # fmt: skip
        words = said(reminder_of(log(patient=patient, treated_at=T), "first-hour")).casefold()
        promises = ("you feel now is normal", "it gets easier", "todo es normal", "todo mejora")
        assert [one for one in promises if one in words] == []


@pytest.mark.parametrize(
    ("language", "ask"), [("en", "Reply YES or NO."), ("es", "Responda SI o NO.")]
)
@pytest.mark.parametrize("details", [False, True])
@pytest.mark.parametrize("rule", ["day-3", "week-1"])
def test_every_check_in_by_text_asks_for_the_one_word_that_answers_it(
    clinic: Clinic, language: str, ask: str, details: bool, rule: str
) -> None:
    patient = make_patient(clinic=clinic, language=language, wants_details=details)
    reminder = reminder_of(log(patient=patient, treated_at=T), rule)
    for at in (reminder.due_at, T):  # told, and told ahead of its gate
        assert ask in render(reminder, at=at).text


def test_a_text_in_a_language_the_protocol_lacks_is_in_its_first(clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic, language="xx")
    assert "your recovery page" in said(reminder_of(log(patient=patient, treated_at=T), "handover"))


def test_an_email_escapes_what_people_wrote(clinic: Clinic) -> None:
    patient = make_patient(
        clinic=clinic, first_name="<b>Ann</b>", channel=Channel.EMAIL, email="a@example.org"
    )
    rendered = render(reminder_of(log(patient=patient, treated_at=T), "handover"), at=T)
    assert "<b>Ann" not in rendered.html
    assert "<b>Ann</b>" in rendered.text


def test_spanish_says_the_hour_as_one_says_it(clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic, language="es", wants_details=True)
    treatment = log(patient=patient, treated_at=T)
    assert said(reminder_of(treatment, "cleanse")).startswith("Espere hasta las 8:05 p. m.")
    one_o_clock = log(patient=patient, treated_at=T + timedelta(hours=5))
    assert "Puede lavarla a la 1:05 a. m., no antes" in said(reminder_of(one_o_clock, "handover"))


def test_every_spanish_text_takes_at_most_two_segments(clinic: Clinic) -> None:
    for details in (False, True):
        patient = make_patient(clinic=clinic, language="es", wants_details=details)
        for reminder in log(patient=patient, treated_at=T).reminders.all():
            text = said(reminder)
            assert segments(text) <= 2, text
            assert links.address_of(reminder.treatment) in text


def test_a_spanish_email_is_spanish_from_its_greeting_to_its_end(clinic: Clinic) -> None:
    patient = make_patient(
        clinic=clinic, language="es", channel=Channel.EMAIL, email="maria@example.org"
    )
    rendered = render(reminder_of(log(patient=patient, treated_at=T), "handover"), at=T)
    assert rendered.text.startswith("Hola, Maria:\n\nEsta es su página de recuperación.")
    assert "En una emergencia, llame al 911." in rendered.text
    assert '<html lang="es">' in rendered.html
    assert "Abrir su página" in rendered.html
    assert "Hello" not in rendered.html

"""STOP, START and HELP as exact words, and everything else kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from pytest_django import Settings

from patients import words
from patients.models import Clinic, OptOut, Patient
from patients.models.patient import Channel
from reminders.inbox import meaning_of, receive_text
from reminders.lint import LONGEST, segments
from reminders.models import Concern, InboundText, Reminder, State
from reminders.moments import Skip
from reminders.replies import REPLIES
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
        *((word, "start") for word in ("INICIAR", "reanudar.", " Empezar", "comenzar")),
        *((word, "help") for word in ("AYUDA", "ayuda?", "Información", "informacion")),
        *((word, "other") for word in ("¡Ayuda!", "¿Empezar?", "alta", "Fiebre alta", "Continuar")),
        *((word, "other") for word in ("ayuda arde mucho", "empezar vitamina c", "inicio")),
        *((word, "other") for word in ("", "yes", "How long does it burn?")),
        ("please no more msgs", "wish"),
        ("ya no me manden mensajes", "wish"),
    ],
)
def test_exact_words_come_first_then_plain_wishes(body: str, meaning: str) -> None:
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


def test_ayuda_is_answered_in_spanish_by_us_whatever_the_provider_answers(
    clinic: Clinic, patient: Patient, settings: Settings
) -> None:
    settings.TWILIO_ANSWERS_KEYWORDS = True  # in English
    answer = text("AYUDA")
    assert answer.startswith("Lakeside Skin Clinic. ¿Preguntas? Llame al (855) 383-7546.")
    assert not Concern.objects.exists()


def test_a_cry_for_help_in_spanish_is_before_a_nurse(patient: Patient) -> None:
    assert "911" in text("¡Ayuda!")
    assert Concern.objects.get(patient=patient).kind == Concern.Kind.TEXT


def test_a_spanish_stop_is_taken_back_in_spanish(patient: Patient, settings: Settings) -> None:
    settings.TWILIO_ANSWERS_KEYWORDS = True
    treatment = log(patient=patient, treated_at=T)
    with time_machine.travel(T + timedelta(minutes=5), tick=False):
        text("ALTO", 1)
        assert reminder_of(treatment, "cleanse").skip_reason == Skip.OPTED_OUT.value
        assert "otra vez" in text("REANUDAR", 2)
    assert reminder_of(treatment, "cleanse").state == State.PLANNED


def test_where_the_provider_answers_by_itself_we_do_not(clinic: Clinic, settings: Settings) -> None:
    settings.TWILIO_ANSWERS_KEYWORDS = True
    assert text("STOP") == ""
    assert OptOut.objects.get().stopped


@pytest.mark.parametrize("body", ["please don't stop", "It burns. Help me stop it"])
def test_a_word_about_stopping_something_else_stops_no_text(patient: Patient, body: str) -> None:
    text(body)
    assert not OptOut.objects.exists()


def test_anything_else_is_kept_put_before_a_nurse_and_answered_once_an_hour(
    patient: Patient,
) -> None:
    with time_machine.travel(T, tick=False) as clock:
        answers = [text("It burns a lot", 1)]
        clock.shift(timedelta(minutes=59))
        answers.append(text("Still burns", 2))
        clock.shift(timedelta(minutes=2))
        answers.append(text("And now?", 3))
    assert [bool(answer) for answer in answers] == [True, False, True]
    assert "911" in answers[0]
    assert "(855) 383-7546" in answers[0]
    concerns = Concern.objects.filter(patient=patient, kind=Concern.Kind.TEXT)
    assert [one.text.body for one in concerns if one.text] == [
        "It burns a lot",
        "Still burns",
        "And now?",
    ]


def test_after_hours_the_answer_says_when_it_is_read(clinic: Clinic, patient: Patient) -> None:
    clinic.opening_hours = {"fri": ["09:00", "17:00"]}
    clinic.save()
    with time_machine.travel(T - timedelta(hours=4), tick=False):  # 08:00 on that Friday
        assert "9:00 am today" in text("It burns a lot")


def test_the_answer_says_the_hour_of_the_patients_own_zone(
    clinic: Clinic, patient: Patient
) -> None:
    clinic.opening_hours = {"fri": ["09:00", "17:00"]}
    clinic.save()
    Patient.objects.update(zone="America/New_York")
    with time_machine.travel(T - timedelta(hours=4), tick=False):
        assert "closed; we read this 10:00 am today" in text("It burns a lot")


@pytest.mark.parametrize(
    ("language", "said"), [("en", "next business day"), ("es", "el próximo día hábil")]
)
def test_a_clinic_that_keeps_no_hours_promises_none(
    clinic: Clinic, patient: Patient, language: str, said: str
) -> None:
    clinic.opening_hours = {}
    clinic.save()
    Patient.objects.update(language=language)
    answer = text("It burns a lot")
    assert said in answer
    assert not {"today", "hoy"} & {*answer.replace(".", " ").split()}
    assert "(855) 383-7546" in answer
    assert "911" in answer


def test_a_plain_wish_is_confirmed_once_even_where_the_provider_answers_keywords(
    patient: Patient, settings: Settings
) -> None:
    settings.TWILIO_ANSWERS_KEYWORDS = True
    assert "no more texts" in text("please no more msgs", 1)
    assert text("I said no more texts!", 2) == ""
    assert OptOut.objects.filter(stopped=True).exists()


def test_answers_are_in_the_patients_language(patient: Patient) -> None:
    Patient.objects.update(language="es")
    assert "Su página sigue abierta" in text("ya no me manden mensajes")


@pytest.mark.parametrize("language", REPLIES)
def test_every_answer_is_one_segment_or_two_in_spanish(language: str) -> None:
    late = datetime(2026, 9, 30, 12, 30, tzinfo=UTC)
    when = words.moment(late, late - timedelta(days=3), language)
    for form in REPLIES[language].values():
        said = form.format(**LONGEST, name="Lakeside Skin and Laser Clinic", when=when)
        assert segments(said) <= (1 if language == "en" else 2), said


def test_a_text_to_a_number_that_is_no_clinics_is_not_answered(db: None) -> None:
    assert text("STOP") == ""
    assert not OptOut.objects.exists()


# --- numbers that are not one clinic's own ---

FORMER = "+12025550133"


def text_to(recipient: str, body: str, number: int = 1) -> str:
    return receive_text(
        provider_id=f"SM{number:032}", sender=NUMBER, recipient=recipient, body=body
    )


@pytest.fixture
def hillside(clinic: Clinic) -> Clinic:
    """Another clinic, at which the patient's number is known too."""
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550111")
    make_patient(clinic=other)
    return other


@pytest.mark.parametrize("body", ["STOP", "please no more msgs"])
def test_a_stop_to_a_number_given_up_stops_the_sender_wherever_it_is_known(
    patient: Patient, hillside: Clinic, body: str
) -> None:
    make_clinic(name="Elsewhere", slug="elsewhere", sms_sender="+12025550112")
    treatment = log(patient=patient, treated_at=T)
    text_to(FORMER, body)
    stopped = OptOut.objects.order_by("clinic_id").values_list("clinic", "address")
    assert list(stopped) == [(patient.clinic_id, NUMBER), (hillside.pk, NUMBER)]
    assert reminder_of(treatment, "day-2").skip_reason == Skip.OPTED_OUT.value
    assert InboundText.objects.get().clinic is None


def test_another_text_to_a_number_given_up_is_before_a_nurse_of_each_clinic(
    patient: Patient, hillside: Clinic
) -> None:
    assert "911" in text_to(FORMER, "It burns a lot", 1)
    assert text_to(FORMER, "Still burns", 2) == ""
    concerns = Concern.objects.filter(text__body="It burns a lot").order_by("clinic_id")
    assert [one.clinic_id for one in concerns] == [patient.clinic_id, hillside.pk]
    assert all(one.patient is not None for one in concerns)


def test_a_text_from_nobody_to_nobody_is_kept(clinic: Clinic) -> None:
    assert text_to(FORMER, "Is this the pizza place?") == ""
    assert InboundText.objects.get().body == "Is this the pizza place?"
    assert not Concern.objects.exists()


def test_a_number_that_clinics_share_is_stopped_and_started_at_each(
    patient: Patient, hillside: Clinic
) -> None:
    Clinic.objects.filter(pk=hillside.pk).update(sms_sender=SENDER)
    treatments = [log(patient=one, treated_at=T) for one in (patient, hillside.patients.get())]
    with time_machine.travel(T + timedelta(minutes=5), tick=False):
        text("STOP", 1)
        for treatment in treatments:
            assert reminder_of(treatment, "day-2").skip_reason == Skip.OPTED_OUT.value
        text("START", 2)
    for treatment in treatments:
        assert reminder_of(treatment, "day-2").state == State.PLANNED


# --- what the provider leaves to us ---


@pytest.mark.parametrize("body", ["Help!!", "help?", "¿info?"])
def test_help_that_the_provider_does_not_know_is_answered_by_us(
    clinic: Clinic, settings: Settings, body: str
) -> None:
    settings.TWILIO_ANSWERS_KEYWORDS = True
    assert "(855) 383-7546" in text(body)


@pytest.mark.parametrize("body", ["HELP", " info ", "Stop", "START", "OPTOUT"])
def test_the_providers_own_words_are_left_to_it(
    clinic: Clinic, settings: Settings, body: str
) -> None:
    settings.TWILIO_ANSWERS_KEYWORDS = True
    assert text(body) == ""


def test_one_word_from_a_stopped_number_is_not_answered(patient: Patient) -> None:
    day_3 = reminder_of(log(patient=patient, treated_at=T), "day-3")
    text("STOP", 1)
    Reminder.objects.filter(pk=day_3.pk).update(state=State.SENT, skip_reason="")
    with time_machine.travel(day_3.leaves_at + timedelta(hours=1), tick=False):
        assert text("yes", 2) == ""
    assert Concern.objects.get().kind == Concern.Kind.TEXT


def test_start_brings_back_another_ask_that_is_still_ahead(patient: Patient) -> None:
    treatment = log(patient=patient, treated_at=T)
    first = reminder_of(treatment, "week-1")
    asked = [
        Reminder.objects.create(
            treatment=treatment,
            rule=first.rule,
            channel=Channel.SMS,
            occurrence=occurrence,
            due_at=at,
            leaves_at=at,
            not_after=at + timedelta(days=1),
            treated_at=T,
            state=State.PLANNED,
            state_at=T,
        )
        for occurrence, at in ((2, T + timedelta(minutes=30)), (3, T + timedelta(days=3)))
    ]
    with time_machine.travel(T + timedelta(minutes=5), tick=False):
        text("STOP", 1)
    with time_machine.travel(T + timedelta(hours=2), tick=False):
        text("START", 2)
    for row in asked:
        row.refresh_from_db()
    assert [row.state for row in asked] == [State.SKIPPED, State.PLANNED]

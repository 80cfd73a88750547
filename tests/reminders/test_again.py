"""What a nurse does about a patient: send again, another way, in her own words; notes and tasks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import Clinic, Consent, Patient, StaffUser, Treatment
from patients.models.clinic import Role
from patients.models.patient import Channel
from reminders.again import NotSentAgain, answer, send_again, send_all_again, ways_again
from reminders.amending import correct_time
from reminders.claim import claim_due
from reminders.inbox import receive_text
from reminders.messages import render
from reminders.models import ANSWER, Note, Reminder, State, Task
from reminders.moments import Skip
from reminders.optouts import stop
from tests.builders import (
    SENDER,
    log,
    make_attempt,
    make_patient,
    make_staff,
    reminder_of,
    set_state,
    shipped,
)
from tests.reminders.conftest import NOON
from tests.reminders.desk_form import text_of

STOPPED = (
    "The patient has stopped messages. Only they can start them again: with START by text, or on"
    " their page."
)


@pytest.fixture
def staff(noon: time_machine.Traveller, clinic: Clinic) -> StaffUser:
    return make_staff(clinic=clinic, role=Role.NURSE, name="Imani Brooks")


@pytest.fixture
def nurse(staff: StaffUser, client: Client) -> Client:
    client.force_login(staff)
    return client


@pytest.fixture
def treatment(staff: StaffUser, clinic: Clinic) -> Treatment:
    """Yesterday at ten: day 2's message was due at 9:00 today."""
    patient = make_patient(clinic=clinic, email="maria@example.org")
    return log(patient=patient, treated_at=NOON - timedelta(hours=26))


def failed(treatment: Treatment, rule: str = "day-2") -> Reminder:
    reminder = set_state(reminder_of(treatment, rule), State.FAILED)
    make_attempt(reminder, provider_id=f"SM{reminder.pk}", error_code="30005")
    return reminder


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(NotSentAgain) as refused:
        act()
    return str(refused.value)


# --- Once more ---------------------------------------------------------------------------------


def test_a_failed_message_goes_again_by_the_channel_of_the_button(
    nurse: Client, treatment: Treatment
) -> None:
    reminder = failed(treatment)
    page = text_of(nurse.get(reverse("story", args=[treatment.pk])))
    assert "Send again by text" in page
    assert "Send by email" in page
    page = text_of(
        nurse.post(reverse("again", args=[reminder.pk]), {"channel": "email"}, follow=True)
    )
    assert "It leaves now." in page
    assert "Asked for by Imani Brooks." in page
    again = Reminder.objects.get(again_of=reminder)
    assert (again.channel, again.occurrence, again.state) == ("email", 1, State.PLANNED)
    assert again.not_after == reminder.not_after
    assert again in claim_due(now=NOON).reminders


@pytest.mark.parametrize("rule", ["handover", "day-2"])
def test_a_message_nobody_has_agreed_to_is_offered_only_once_they_have(
    nurse: Client, clinic: Clinic, rule: str
) -> None:
    treatment = log(
        patient=make_patient(clinic=clinic), treated_at=NOON - timedelta(hours=26), recovery=False
    )
    story = reverse("story", args=[treatment.pk])
    page = text_of(nurse.get(story))
    assert "The patient has not agreed to this kind of message." in page
    assert "Send by text" not in page
    assert "Send" not in text_of(nurse.get(reverse("missed", args=[rule])))
    give(treatment.patient)
    again = reverse("again", args=[reminder_of(treatment, rule).pk])
    for address in (story, reverse("missed", args=[rule])):
        assert "Send by text" in text_of(nurse.get(address))
    assert "Not sent" not in text_of(nurse.post(again, {"channel": "sms"}, follow=True))


def give(patient: Patient) -> None:
    Consent.objects.create(
        patient=patient, scope="recovery", channel="sms", given=True, wording="en-1", how="desk",
        recorded_at=NOON,
    )  # fmt: skip


def test_what_failed_and_whose_patient_has_stopped_since_says_so_and_offers_the_other_way_alone(
    nurse: Client, treatment: Treatment, clinic: Clinic
) -> None:
    failed(treatment)
    stop(clinic, "+12025550146")
    story = reverse("story", args=[treatment.pk])
    page = text_of(nurse.get(story))
    assert "Send again by text" not in page
    assert "Send by email" in page
    said = page.count(STOPPED)  # beside what was still planned
    stop(clinic, "maria@example.org", channel=Channel.EMAIL)
    page = text_of(nurse.get(story))
    assert "Send by email" not in page
    assert page.count(STOPPED) == said + 1


def test_a_resend_pressed_twice_is_one_and_the_second_is_told(
    nurse: Client, treatment: Treatment
) -> None:
    reminder = failed(treatment)
    address = reverse("again", args=[reminder.pk])
    nurse.post(address, {"channel": "sms"})
    page = text_of(nurse.post(address, {"channel": "sms"}, follow=True))
    assert "Not sent. It has been sent again already" in page
    assert Reminder.objects.filter(rule="day-2").count() == 2


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_of_two_nurses_who_press_at_once_one_wins_and_the_other_is_told(
    treatment: Treatment, staff: StaffUser
) -> None:
    reminder = failed(treatment)

    def press(_: int) -> str:
        try:
            send_again(reminder=reminder, channel="sms", by=staff, now=NOON)
        except NotSentAgain as why:
            return str(why)
        finally:
            connection.close()
        return "sent"

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(press, range(2)))
    assert told == ["It has been sent again already, by a colleague or by itself.", "sent"]


def test_what_would_not_be_sent_is_said_at_once_and_makes_no_row(
    treatment: Treatment, staff: StaffUser, clinic: Clinic
) -> None:
    reminder = failed(treatment)
    stop(clinic, "+12025550146")

    def press(channel: str = "sms", now: object = NOON) -> str:
        return refusal(
            lambda: send_again(reminder=reminder, channel=channel, by=staff, now=now)  # type: ignore[arg-type]
        )

    assert press() == STOPPED
    assert "is over by now" in press("email", reminder.not_after + timedelta(minutes=1))
    Patient.objects.update(email="")
    assert press("email") == "There is no phone number or email address to send it to."
    assert not Reminder.objects.filter(again_of=reminder).exists()


def test_what_is_under_way_or_meant_for_another_time_is_not_repeated(
    treatment: Treatment, staff: StaffUser
) -> None:
    reminder = set_state(reminder_of(treatment, "day-2"), State.SENDING)
    again = lambda: send_again(reminder=reminder, channel="sms", by=staff, now=NOON)  # noqa: E731
    assert refusal(again) == "It is still on its way."
    set_state(reminder, State.FAILED)
    correct_time(treatment=treatment, treated_at=NOON - timedelta(hours=25), reason="x", by=staff)
    assert "before the correction" in refusal(again)


@pytest.mark.parametrize("why", [Skip.NO_CONSENT, Skip.OPTED_OUT])
def test_what_was_skipped_and_is_still_ahead_is_not_offered_before_its_day(
    treatment: Treatment, why: Skip
) -> None:
    reminder = reminder_of(treatment, "results")
    reminder.state, reminder.skip_reason = State.SKIPPED, why.value
    assert ways_again(reminder, now=reminder.due_at - timedelta(minutes=1)) == []
    assert ways_again(reminder, now=reminder.due_at) == [Channel.SMS, Channel.EMAIL]


def test_a_lost_handover_may_be_sent_again_for_as_long_as_there_is_a_page(
    treatment: Treatment, staff: StaffUser, noon: time_machine.Traveller
) -> None:
    handover = set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    late = NOON + timedelta(days=3, hours=9)  # nine in the evening
    row = send_again(reminder=handover, channel="sms", by=staff, now=late)
    assert row.leaves_at.astimezone(NOON.tzinfo).hour == 8
    assert row.not_after > row.leaves_at


def test_all_of_one_cause_go_again_and_those_that_cannot_are_named(
    clinic: Clinic, treatment: Treatment, staff: StaffUser
) -> None:
    other = log(
        patient=make_patient(clinic=clinic, first_name="Tom", phone="+12025550147"),
        treated_at=NOON - timedelta(hours=26),
    )
    rows = [failed(treatment), failed(other)]
    stop(clinic, "+12025550147")
    assert send_all_again(rows, channel="sms", by=staff, now=NOON, most=9) == (
        1,
        {STOPPED: ["Tom Gomez"]},
        0,
    )


# --- In one's own words ------------------------------------------------------------------------


def test_an_answer_leaves_as_it_was_written_under_the_clinics_name(
    nurse: Client, treatment: Treatment
) -> None:
    address = reverse("answer", args=[treatment.pk])
    assert "Others may read a text on a locked phone" in text_of(nurse.get(address))
    page = nurse.post(address, {"words": "Yes, {you} may.", "channel": "sms"}, follow=True)
    assert "It leaves now." in text_of(page)
    assert "Lakeside Skin: Yes, {you} may." in text_of(page)
    row = Reminder.objects.get(rule=ANSWER)
    assert row in claim_due(now=NOON).reminders
    assert render(row, at=NOON).text == "Lakeside Skin: Yes, {you} may."


def test_an_answer_by_email_is_the_same_words_in_the_clinics_mail(
    treatment: Treatment, staff: StaffUser
) -> None:
    row = answer(treatment=treatment, channel="email", words="Please call us.", by=staff, now=NOON)
    rendered = render(row, at=NOON)
    assert rendered.subject == "Lakeside Skin Clinic"
    assert "Please call us." in rendered.text
    assert "Please call us." in rendered.html


def test_an_answer_that_cannot_go_stays_in_the_form(nurse: Client, treatment: Treatment) -> None:
    address = reverse("answer", args=[treatment.pk])
    page = text_of(nurse.post(address, {"words": "", "channel": "sms"}))
    assert "Write what it shall say." in page
    long = "Please call us. " * 20
    page = text_of(nurse.post(address, {"words": long, "channel": "sms"}))
    assert "At most 300 letters" in page
    assert long.strip() in page
    nurse.post(address, {"words": "Hello", "channel": "sms"})
    page = text_of(nurse.post(address, {"words": "Hello", "channel": "sms"}))
    assert "These very words are on their way already." in page
    assert Reminder.objects.filter(rule=ANSWER).count() == 1


def test_at_night_only_whoever_has_just_written_is_answered_at_once(
    treatment: Treatment, staff: StaffUser, noon: time_machine.Traveller
) -> None:
    night = NOON + timedelta(hours=10)
    noon.move_to(night)
    waits = answer(treatment=treatment, channel="sms", words="Hello", by=staff, now=night)
    assert waits.leaves_at.astimezone(NOON.tzinfo).hour == 8
    receive_text(provider_id="SM1", sender="+12025550146", recipient=SENDER, body="It burns")
    at_once = answer(treatment=treatment, channel="sms", words="Call us now", by=staff, now=night)
    assert at_once.leaves_at == night
    assert at_once in claim_due(now=night).reminders


def test_a_corrected_time_leaves_an_answer_alone(treatment: Treatment, staff: StaffUser) -> None:
    row = answer(treatment=treatment, channel="sms", words="Hello", by=staff, now=NOON)
    correct_time(treatment=treatment, treated_at=NOON - timedelta(hours=25), reason="x", by=staff)
    assert row in claim_due(now=NOON).reminders
    set_state(row, State.DELIVERED)
    correct_time(treatment=treatment, treated_at=NOON - timedelta(hours=24), reason="x", by=staff)


def test_an_answer_goes_to_whom_the_newest_treatment_belongs(
    clinic: Clinic, treatment: Treatment, staff: StaffUser
) -> None:
    newer = log(patient=treatment.patient, treated_at=NOON - timedelta(hours=1),
                version=shipped(clinic))  # fmt: skip
    row = answer(treatment=treatment, channel="sms", words="Hello", by=staff, now=NOON)
    assert row.treatment == newer


# --- Notes, calls, tasks -----------------------------------------------------------------------


def test_notes_and_calls_stand_with_the_patient(nurse: Client, treatment: Treatment) -> None:
    address = reverse("note", args=[treatment.pk])
    assert "Write the note, or say how the call ended." in text_of(nurse.post(address, {}))
    nurse.post(address, {"call": "no answer"})
    page = text_of(nurse.post(address, {"text": "Prefers <mornings>"}, follow=True))
    assert "Call: nobody answered · Imani Brooks, 12:00 pm today" in page
    assert "Prefers &lt;mornings&gt;" in page
    assert Note.objects.count() == 2


def test_a_task_has_an_owner_and_a_time_and_is_done_once(
    nurse: Client, treatment: Treatment, staff: StaffUser, noon: time_machine.Traveller
) -> None:
    address = reverse("task", args=[treatment.pk])
    assert "Say what is to be done." in text_of(nurse.post(address, {"due": "1h"}))
    typed = {"text": "Call her", "owner": staff.pk, "due": "1h"}
    page = text_of(nurse.post(address, typed, follow=True))
    assert "Task for Imani Brooks, due 1:00 pm today" in page
    assert "Late" not in page
    noon.shift(3601)
    nurse.force_login(staff)  # an hour ends a session
    story = reverse("story", args=[treatment.pk])
    assert "Late" in text_of(nurse.get(story))
    done = reverse("task-done", args=[Task.objects.get().pk])
    assert "Task done by Imani Brooks" in text_of(nurse.post(done, follow=True))
    assert "You had done it already." in text_of(nurse.post(done, follow=True))
    nurse.force_login(make_staff(clinic=treatment.patient.clinic))
    assert "A colleague had done it already." in text_of(nurse.post(done, follow=True))


@pytest.mark.parametrize(
    ("due", "at", "hour"),
    [("today", "", 17), ("tomorrow", "", 9), ("other", "2026-11-25T10:30", 10)],
)
def test_a_task_is_due_when_it_was_said(
    nurse: Client, treatment: Treatment, staff: StaffUser, due: str, at: str, hour: int
) -> None:
    typed = {"text": "Call", "owner": staff.pk, "due": due, "due_at": at}
    assert nurse.post(reverse("task", args=[treatment.pk]), typed).status_code == 302
    assert Task.objects.get().due_at.astimezone(NOON.tzinfo).hour == hour


def test_another_time_needs_one(nurse: Client, treatment: Treatment, staff: StaffUser) -> None:
    typed = {"text": "Call", "owner": staff.pk, "due": "other", "due_at": ""}
    page = text_of(nurse.post(reverse("task", args=[treatment.pk]), typed))
    assert "Say on which day and at what time." in page


def test_the_number_shows_when_asked_for_and_only_by_post(
    nurse: Client, treatment: Treatment
) -> None:
    address = reverse("number", args=[treatment.pk])
    assert nurse.get(address).status_code == 405
    assert "202-555-0146" in text_of(nurse.post(address))
    assert "202-555-0146" in text_of(nurse.post(address, headers={"hx-request": "true"}))


def test_looking_at_the_forms_writes_nothing(nurse: Client, treatment: Treatment) -> None:
    before = timezone.now()
    for name in ("answer", "note", "task"):
        nurse.get(reverse(name, args=[treatment.pk]))
    assert not Note.objects.exists()
    assert not Task.objects.exists()
    assert not Reminder.objects.filter(rule=ANSWER, due_at__gte=before).exists()

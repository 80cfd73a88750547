"""One treatment's page: the handover, the link, every reminder in words; correct and void."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from patients import links
from patients.models import Clinic, Correction, StaffUser, Treatment
from patients.models.patient import Channel
from reminders.amending import correct_time
from reminders.handover import Handover
from reminders.models import Attempt, State
from tests.builders import log, make_attempt, make_patient, reminder_of, set_state, void
from tests.reminders.conftest import CHICAGO, NOON
from tests.reminders.desk_form import text_of


@pytest.fixture
def treatment(desk: Client, clinic: Clinic) -> Treatment:
    patient = make_patient(clinic=clinic)
    return log(patient=patient, treated_at=NOON - timedelta(minutes=10), logged_at=NOON)


def page_of(desk: Client, treatment: Treatment, view: str = "story") -> str:
    return text_of(desk.get(reverse(view, args=[treatment.pk])))


def handover_of(desk: Client, treatment: Treatment) -> Handover:
    handover = desk.get(reverse("story", args=[treatment.pk])).context["handover"]
    assert isinstance(handover, Handover)
    return handover


# --- What it shows -----------------------------------------------------------------------------


def test_the_phone_is_masked_and_the_link_is_there_as_text_and_as_a_code(
    desk: Client, treatment: Treatment
) -> None:
    page = page_of(desk, treatment)
    assert "•••• 0146" in page
    assert "555-0146" not in page
    assert "2025550146" not in page
    assert page.count(links.address_of(treatment)) == 2  # to read and to open
    assert '<path stroke="#000"' in page


def test_planned_reminders_say_when_on_the_local_clock_and_what_they_will_say(
    desk: Client, treatment: Treatment
) -> None:
    page = page_of(desk, treatment)
    assert "12:50 pm today" in page  # the first hour
    assert "9:00 am tomorrow" in page
    assert "What it will say" in page
    assert links.masked_address() in page


def test_an_hour_told_ahead_says_until_when_to_wait(desk: Client, clinic: Clinic) -> None:
    at = datetime(2026, 11, 22, 14, 5, tzinfo=CHICAGO)
    treatment = log(patient=make_patient(clinic=clinic), treated_at=at)
    assert "told 7:30 pm yesterday: wait until 8:05 pm" in page_of(desk, treatment)


def test_what_was_sent_is_shown_word_for_word_with_number_error_and_times(
    desk: Client, treatment: Treatment
) -> None:
    handover = set_state(reminder_of(treatment, "handover"), State.FAILED, at=NOON)
    make_attempt(handover, body="Exactly this.", provider_id="SM77", error_code="30005")
    page = page_of(desk, treatment)
    assert "Exactly this." in page
    assert "SM77" in page
    assert "This number is not in use." in page
    assert "Ask for the right number and correct it" in page
    assert page.count(reverse("contact", args=[treatment.pk])) >= 3  # beside the failure, too
    assert "the provider said “undelivered”" in page


@pytest.mark.parametrize("state", [State.SENT, State.DELIVERED, State.NO_RECEIPT])
def test_what_the_provider_took_after_all_is_no_failure_any_more(
    desk: Client, treatment: Treatment, state: State
) -> None:
    """It did not answer, and the call was found out about later: only its code stays."""
    handover = set_state(reminder_of(treatment, "handover"), state, at=NOON)
    make_attempt(handover, provider_id="SM77", error_code="no answer")
    page = page_of(desk, treatment)
    assert "it may have been sent" not in page
    assert "<code>no answer</code>" in page


def test_what_is_of_unknown_fate_says_so(desk: Client, treatment: Treatment) -> None:
    handover = set_state(reminder_of(treatment, "handover"), State.UNKNOWN, at=NOON)
    make_attempt(handover, outcome=Attempt.Outcome.UNKNOWN, error_code="no answer")
    assert "The provider did not answer: it may have been sent." in page_of(desk, treatment)


def test_a_voided_treatment_can_be_logged_again_from_its_story(
    desk: Client, treatment: Treatment
) -> None:
    again = reverse("desk-returning", args=[treatment.patient_id])
    assert again not in page_of(desk, treatment)
    void(treatment, by=StaffUser.objects.get())
    assert f'<a href="{again}">Log it again</a>' in page_of(desk, treatment)


def test_what_was_not_sent_says_why(desk: Client, clinic: Clinic) -> None:
    treatment = log(patient=make_patient(clinic=clinic), treated_at=NOON, recovery=False)
    assert "The patient has not agreed to this kind of message." in page_of(desk, treatment)


def test_another_zone_is_named(desk: Client, clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic, zone="America/New_York")
    page = page_of(desk, log(patient=patient, treated_at=NOON))
    assert "America/New_York, the patient’s" in page
    assert "1:00 pm today" in page


def test_the_story_costs_a_constant_number_of_queries(
    desk: Client, treatment: Treatment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    set_state(
        reminder_of(treatment, "handover"), State.FAILED
    )  # so it is asked how it can go again
    for reminder in treatment.reminders.all():
        make_attempt(reminder, provider_id=f"SM{reminder.pk}")
        make_attempt(reminder, provider_id=f"SM2{reminder.pk}")
    earlier = treatment.treated_at - timedelta(hours=1)
    by = treatment.patient.clinic.staff.get()
    correct_time(treatment=treatment, treated_at=earlier, reason="The other room", by=by)
    assert "“The other room”" in page_of(desk, treatment)
    # session, user, treatments, reminders, attempts, receipts, consents with stops, concerns,
    # notes, tasks and corrections; the audit row
    with django_assert_num_queries(10):
        page_of(desk, treatment)


# --- The handover ------------------------------------------------------------------------------

SETTLED = {
    State.DELIVERED: ("good", "Maria has the page"),
    State.FAILED: ("bad", "The message did not arrive"),
    State.NO_RECEIPT: ("warn", "Not confirmed"),
    State.SKIPPED: ("warn", "No message was sent"),
}


@pytest.mark.parametrize("state", SETTLED)
def test_a_settled_handover_is_watched_only_until_it_may_have_been_read(
    desk: Client, treatment: Treatment, noon: time_machine.Traveller, state: State
) -> None:
    handover = reminder_of(treatment, "handover")
    handover.state, handover.skip_reason = state, "opted out" if state == State.SKIPPED else ""
    handover.save()
    shown = handover_of(desk, treatment)
    assert (shown.tone, shown.heading) == SETTLED[state]
    assert shown.poll == (0 if state == State.DELIVERED else 5)
    noon.move_to(NOON + timedelta(minutes=31))
    assert "hx-get" not in page_of(desk, treatment)


@pytest.mark.parametrize("state", [State.PLANNED, State.SENDING, State.SENT, State.UNKNOWN])
def test_an_unsettled_handover_is_asked_for_every_second_and_turns_amber_after_60(
    desk: Client, treatment: Treatment, noon: time_machine.Traveller, state: State
) -> None:
    set_state(reminder_of(treatment, "handover"), state)
    assert (handover_of(desk, treatment).tone, handover_of(desk, treatment).poll) == ("info", 1)
    noon.move_to(NOON + timedelta(seconds=61))
    late = handover_of(desk, treatment)
    assert (late.tone, late.heading, late.poll) == ("warn", "Not confirmed yet", 5)
    noon.move_to(NOON + timedelta(minutes=31))
    desk.force_login(StaffUser.objects.get())  # the session is over by then
    assert handover_of(desk, treatment).poll == 0


def test_a_look_that_finds_nothing_new_leaves_the_page_alone(
    desk: Client, treatment: Treatment
) -> None:
    address = reverse("story-handover", args=[treatment.pk])
    assert desk.get(address, {"seen": "planned"}).status_code == 204
    set_state(reminder_of(treatment, "handover"), State.DELIVERED, at=NOON)
    assert "Maria has the page" in text_of(desk.get(address, {"seen": "planned"}))


def test_mail_gives_no_receipt_and_the_page_says_so(desk: Client, clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic, channel=Channel.EMAIL, email="maria@example.org")
    treatment = log(patient=patient, treated_at=NOON)
    set_state(reminder_of(treatment, "handover"), State.SENT)
    shown = handover_of(desk, treatment)
    assert (shown.heading, shown.text, shown.poll) == ("Sent by email", "To m•••@example.org.", 5)


# --- Correcting and voiding --------------------------------------------------------------------


def test_a_correction_shows_what_moves_and_saves_nothing_before_it_is_saved(
    desk: Client, treatment: Treatment
) -> None:
    address = reverse("correct", args=[treatment.pk])
    typed = {"treated_at": "2026-11-23T11:20", "reason": "The clock was wrong"}
    before = list(treatment.reminders.values_list("rule", "due_at", "state"))
    shown = desk.post(address, typed)
    moves = {move.name: (move.old, move.new) for move in shown.context["moves"]}
    assert moves["1 hour"][0] == "12:50 pm today"
    assert moves["1 hour"][1].startswith("not sent.")
    assert moves["Gentle wash"] == ("5:50 pm tonight", "5:20 pm tonight")
    assert list(treatment.reminders.values_list("rule", "due_at", "state")) == before
    assert not Correction.objects.exists()

    previewed = shown.context["previewed"]
    saved = desk.post(address, typed | {"save": "", "previewed": previewed}, follow=True)
    correction = Correction.objects.get()
    assert correction.reason == "The clock was wrong"
    assert correction.new_treated_at == NOON - timedelta(minutes=40)
    page = text_of(saved)
    assert "It ended 11:20 am today, not 11:50 am today. “The clock was wrong”" in page
    assert "5:20 pm tonight" in page


def test_a_time_changed_after_the_preview_is_shown_again_first(
    desk: Client, treatment: Treatment
) -> None:
    address = reverse("correct", args=[treatment.pk])
    typed = {"treated_at": "2026-11-23T11:20", "reason": "x"}
    previewed = desk.post(address, typed).context["previewed"]
    desk.post(
        address,
        {"treated_at": "2026-11-23T10:00", "reason": "x", "save": "", "previewed": previewed},
    )
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"treated_at": "2026-11-23T12:06"}, "That time is in the future."),
        ({"treated_at": "2026-10-20T12:00"}, "That is more than 30 days ago."),
        ({"treated_at": ""}, "Say on which day and at what time it ended."),
        ({"treated_at": "2026-11-23T11:50"}, "That is the time it has already."),
        (
            {"treated_at": "2026-11-23T11:20", "reason": ""},
            "Say why: it is kept with the old time.",
        ),
    ],
)
def test_a_correction_that_cannot_be_is_refused_in_words(
    desk: Client, treatment: Treatment, typed: dict[str, str], sentence: str
) -> None:
    response = desk.post(reverse("correct", args=[treatment.pk]), {"reason": "x"} | typed)
    assert sentence in text_of(response)


def test_voiding_needs_a_reason_and_stops_what_was_still_to_be_sent(
    desk: Client, treatment: Treatment
) -> None:
    address = reverse("void", args=[treatment.pk])
    assert "Say why: it is kept with the treatment." in text_of(desk.post(address, {"reason": " "}))
    page = text_of(desk.post(address, {"reason": "Wrong patient"}, follow=True))
    assert "Voided" in page
    assert "Wrong patient" in page
    assert "The treatment was voided." in page
    assert links.address_of(treatment) not in page
    assert not treatment.reminders.filter(state=State.PLANNED).exists()


def test_voiding_twice_says_so(desk: Client, treatment: Treatment) -> None:
    assert treatment.logged_by is None
    address = reverse("void", args=[treatment.pk])
    desk.post(address, {"reason": "Wrong patient"})
    page = text_of(desk.post(address, {"reason": "Again"}, follow=True))
    assert "This treatment has been voided." in page


def test_a_voided_treatment_has_no_time_to_correct(desk: Client, treatment: Treatment) -> None:
    void(treatment, by=StaffUser.objects.get())
    assert desk.get(reverse("correct", args=[treatment.pk])).status_code == 404


@pytest.mark.parametrize("view", ["correct", "void"])
def test_looking_at_a_form_changes_nothing(desk: Client, treatment: Treatment, view: str) -> None:
    before = Treatment.objects.values().get()
    page_of(desk, treatment, view)
    assert Treatment.objects.values().get() == before

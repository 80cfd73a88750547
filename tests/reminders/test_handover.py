"""The handover screen: undo for ten seconds, another way to the page, green when it is read."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from patients.models import Clinic, Consent, Patient, Reading, Treatment
from patients.models.clinic import Role
from reminders.claim import claim_due
from reminders.models import Reminder, State
from reminders.moments import Skip
from reminders.optouts import stop
from tests.builders import log, make_patient, make_staff, reminder_of, set_state
from tests.reminders.conftest import NOON
from tests.reminders.desk_form import filled, save, text_of


def undo(desk: Client, treatment: Treatment) -> str:
    return text_of(desk.post(reverse("undo", args=[treatment.pk]), follow=True))


def logged(desk: Client, **typed: str) -> Treatment:
    save(desk, filled(**typed))
    return Treatment.objects.get()


# --- Undo --------------------------------------------------------------------------------------


def test_undo_within_ten_seconds_takes_back_the_treatment_and_its_message(
    desk: Client, noon: time_machine.Traveller
) -> None:
    treatment = logged(desk)
    assert "data-undo=" in text_of(desk.get(reverse("story", args=[treatment.pk])))
    noon.shift(9)
    page = undo(desk, treatment)
    assert "Undone. No message had left." in page
    assert "Maria Gomez" in page
    assert set(Reminder.objects.values_list("state", flat=True)) == {State.SKIPPED.value}
    assert reminder_of(treatment, "handover").skip_reason == Skip.VOIDED.value
    assert claim_due(now=NOON + timedelta(hours=1)).reminders == []


@pytest.mark.parametrize("state", [State.SENDING, State.SENT, State.DELIVERED])
def test_undo_is_honest_about_a_message_that_has_gone(desk: Client, state: State) -> None:
    treatment = logged(desk)
    set_state(reminder_of(treatment, "handover"), state)
    page = undo(desk, treatment)
    assert "Undone, but the message had gone out already." in page
    assert Treatment.objects.get().voided_at is not None
    assert reminder_of(treatment, "handover").state == state


def test_after_its_seconds_undo_is_refused_and_no_longer_offered(
    desk: Client, noon: time_machine.Traveller
) -> None:
    treatment = logged(desk)
    noon.shift(16)
    assert "The 10 seconds to undo it are over." in undo(desk, treatment)
    assert Treatment.objects.get().voided_at is None
    assert "data-undo=" not in text_of(desk.get(reverse("story", args=[treatment.pk])))


def test_nobody_undoes_what_a_colleague_logged(desk: Client, clinic: Clinic) -> None:
    other = make_staff(clinic=clinic, role=Role.NURSE)
    treatment = log(patient=make_patient(clinic=clinic), by=other)
    assert "Only who logged it can undo it." in undo(desk, treatment)
    assert Treatment.objects.get().voided_at is None


# --- Another way -------------------------------------------------------------------------------


def by_email(desk: Client, treatment: Treatment, **typed: str) -> str:
    typed = {"email": "Maria@example.org", "agreed": "on"} | typed
    return text_of(desk.post(reverse("story-email", args=[treatment.pk]), typed, follow=True))


def test_the_page_goes_by_email_to_an_address_agreed_to_at_the_desk(
    desk: Client, clinic: Clinic
) -> None:
    treatment = logged(desk)
    set_state(reminder_of(treatment, "handover"), State.FAILED)
    assert "The page goes by email now." in by_email(desk, treatment)
    claimed = claim_due(now=NOON).reminders
    assert [(one.rule, one.channel) for one in claimed] == [("handover", "email")]
    assert Patient.objects.get().email == "Maria@example.org"
    consent = Consent.objects.order_by("-pk").first()
    assert consent is not None
    assert (consent.channel, consent.given, consent.how) == ("email", True, "desk")


def test_an_email_pressed_twice_goes_once(desk: Client, clinic: Clinic) -> None:
    treatment = logged(desk)
    by_email(desk, treatment)
    assert "An email with the page is on its way already." in by_email(desk, treatment)
    assert Reminder.objects.filter(channel="email").count() == 1


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ({"email": "maria@"}, "This is not an email address."),
        ({"email": ""}, "Write the address."),
        ({"agreed": ""}, "Ask first: without a yes none goes."),
    ],
)
def test_what_is_missing_for_the_email_is_said_beside_it(
    desk: Client, clinic: Clinic, typed: dict[str, str], answer: str
) -> None:
    assert answer in by_email(desk, logged(desk), **typed)
    assert not Reminder.objects.filter(channel="email").exists()


def test_no_email_goes_to_an_address_that_has_stopped_them(desk: Client, clinic: Clinic) -> None:
    stop(clinic, "maria@example.org", channel="email")
    assert "This address has stopped our messages." in by_email(desk, logged(desk))


# --- Green -------------------------------------------------------------------------------------


def state_of(desk: Client, treatment: Treatment) -> str:
    return text_of(desk.get(reverse("story-handover", args=[treatment.pk])))


@pytest.mark.parametrize("agreed", [True, False])
def test_i_have_read_this_turns_it_green_with_and_without_a_message(
    desk: Client, clinic: Clinic, agreed: bool
) -> None:
    patient = make_patient(clinic=clinic, phone="+12025550146" if agreed else "")
    treatment = log(patient=patient, recovery=agreed)
    waiting = state_of(desk, treatment)
    assert ("On its way" if agreed else "No message was sent") in waiting
    assert 'hx-trigger="every' in waiting
    Reading.objects.create(treatment=treatment, read_at=NOON)
    green = state_of(desk, treatment)
    assert "Maria has the page" in green
    assert "“I have read this” was pressed" in green
    assert "hx-get" not in green


def test_after_a_minute_without_receipt_it_is_amber_and_says_what_else_to_do(
    desk: Client, clinic: Clinic, noon: time_machine.Traveller
) -> None:
    treatment = logged(desk)
    set_state(reminder_of(treatment, "handover"), State.SENT)
    noon.shift(59)
    assert "handover info" in state_of(desk, treatment)
    noon.shift(2)
    amber = state_of(desk, treatment)
    assert "handover warn" in amber
    assert "Use the code here, send it by email, or open the page and print it." in amber

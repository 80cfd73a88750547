"""Who did not get a message, why, and what to do: said by cause, and sent again to all at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from patients.models import Clinic, Treatment
from patients.models.clinic import Role
from reminders.channels.codes import Means
from reminders.failures import follow_up
from reminders.missed import Missed
from reminders.models import Reminder, State
from reminders.moments import Skip
from reminders.optouts import stop
from reminders.state_words import SKIPPED_WHY
from tests.builders import (
    log,
    make_attempt,
    make_clinic,
    make_patient,
    make_staff,
    reminder_of,
    set_state,
)
from tests.reminders.conftest import NOON
from tests.reminders.desk_form import text_of

ADDRESS = "/board/missed/day-2/"


@pytest.fixture
def nurse(noon: time_machine.Traveller, clinic: Clinic, client: Client) -> Client:
    client.force_login(make_staff(clinic=clinic, role=Role.NURSE))
    return client


def yesterday(clinic: Clinic, name: str, tail: int, **more: object) -> Treatment:
    """Treated 26 hours ago, so that day 2's message was due at 9:00 today."""
    patient = make_patient(clinic=clinic, first_name=name, phone=f"+1202555010{tail}", **more)  # type: ignore[arg-type]
    return log(patient=patient, treated_at=NOON - timedelta(hours=26))


def fail(treatment: Treatment, code: str) -> Reminder:
    reminder = set_state(reminder_of(treatment, "day-2"), State.FAILED)
    make_attempt(reminder, error_code=code)
    return reminder


def shown(nurse: Client) -> Missed:
    missed = nurse.get(ADDRESS).context["missed"]
    assert isinstance(missed, Missed)
    return missed


@pytest.fixture
def several(nurse: Client, clinic: Clinic) -> list[Treatment]:
    """Two failed alike, one otherwise, one stopped, one got it, one is told elsewhere."""
    alike = [yesterday(clinic, name, tail) for tail, name in enumerate(["Ana", "Ben"])]
    for one in alike:
        fail(one, "30003")
    fail(yesterday(clinic, "Cy", 2, email="cy@example.org"), "30005")
    stopped = reminder_of(yesterday(clinic, "Dee", 3), "day-2")
    Reminder.objects.filter(pk=stopped.pk).update(state=State.SKIPPED, skip_reason=Skip.OPTED_OUT)
    set_state(reminder_of(yesterday(clinic, "Eva", 4), "day-2"), State.DELIVERED)
    told = reminder_of(yesterday(clinic, "Fay", 5), "day-2")
    Reminder.objects.filter(pk=told.pk).update(
        state=State.SKIPPED, skip_reason=Skip.LATER_TREATMENT
    )
    return alike


def test_each_cause_is_said_in_words_with_what_to_do_and_whom_it_kept(
    nurse: Client, several: list[Treatment]
) -> None:
    missed = shown(nurse)
    assert (missed.name, missed.number, missed.due) == ("Day 2", 4, 5)
    assert [(one.happened, [who.name for who in one.people]) for one in missed.causes] == [
        ("The phone is switched off or out of reach.", ["Ana Gomez", "Ben Gomez"]),
        ("This number is not in use.", ["Cy Gomez"]),
        (
            SKIPPED_WHY[Skip.OPTED_OUT],
            ["Dee Gomez"],
        ),
    ]
    page = text_of(nurse.get(ADDRESS))
    assert "Call the patient, or show the code at the desk." in page
    assert "was for 9:00 am today" in page
    assert [way.words for way in missed.causes[1].people[0].ways] == [
        "Send again by text",
        "Send by email",
    ]


def test_all_of_one_cause_are_sent_it_again_by_one_press(
    nurse: Client, several: list[Treatment], clinic: Clinic
) -> None:
    named = [who.reminder for who in shown(nurse).causes[0].people]
    stop(clinic, "+12025550101")
    typed = {"reminder": named, "channel": "sms"}
    page = text_of(nurse.post(reverse("missed-again", args=["day-2"]), typed, follow=True))
    assert "Sent again to 1." in page
    assert "Not sent to Ben Gomez: The patient has stopped messages." in page
    assert Reminder.objects.filter(again_of__in=named).count() == 1
    page = text_of(nurse.post(reverse("missed-again", args=["day-2"]), typed, follow=True))
    assert "Not sent to Ana Gomez: It has been sent again already" in page


def test_who_of_a_cause_can_have_it_is_offered_it_and_how_many_cannot_is_said_with_the_reason(
    nurse: Client, several: list[Treatment], clinic: Clinic
) -> None:
    fail(yesterday(clinic, "Gia", 6, email="gia@example.org"), "30003")
    stop(clinic, "+12025550101")
    cause = shown(nurse).causes[0]
    assert [one.name for one in cause.people] == ["Ana Gomez", "Ben Gomez", "Gia Gomez"]
    ana, gia = cause.people[0].reminder, cause.people[2].reminder
    page = text_of(nurse.get(ADDRESS))
    assert [(one.way.channel, one.reminders) for one in cause.bulks] == [("sms", (ana, gia))]
    assert "Send again by text to 2 of 3" in page
    assert "Not to 1 by text: has stopped messages (1)." in page
    assert "was for 9:00 am today; has stopped messages" in page
    typed = {"reminder": cause.bulks[0].named, "channel": "sms"}
    answer = nurse.post(reverse("missed-again", args=["day-2"]), typed, follow=True)
    assert "Sent again to 2." in text_of(answer)
    assert "Not sent" not in text_of(answer)
    assert text_of(answer).count("sent again, on its way") == 2
    assert answer.context["missed"].causes[0].bulks == ()  # nothing is left to press


def test_nobody_is_left_out_without_a_word_when_they_are_very_many(
    nurse: Client, several: list[Treatment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as a slice holds are sent, and the next press takes up where it ended."""
    monkeypatch.setattr("reminders.views.missed.AT_ONCE", 1)
    named = shown(nurse).causes[0].bulks[0].named
    none = " ".join(str(10**9 + number) for number in range(5000))
    typed = {"reminder": f"{named} {none}", "channel": "sms"}
    address = reverse("missed-again", args=["day-2"])
    assert "Sent again to 1. 1 is left: press once more." in text_of(
        nurse.post(address, typed, follow=True)
    )
    page = text_of(nurse.post(address, typed, follow=True))
    assert "Sent again to 1. The board" in page
    assert Reminder.objects.filter(again_of__in=[int(pk) for pk in named.split()]).count() == 2


def test_a_cause_of_thousands_is_a_form_of_a_few_fields(
    nurse: Client, several: list[Treatment]
) -> None:
    """Django answers a form of over a thousand with 400."""
    page = nurse.get(ADDRESS).content.decode()
    form = next(one for one in page.split("<form") if " to all 2" in one)
    assert form.split("</form")[0].count('name="reminder"') == 1


def test_another_clinics_reminders_cannot_be_sent_again(
    nurse: Client, several: list[Treatment]
) -> None:
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550109")
    foreign = fail(yesterday(other, "Zoe", 9), "30003")
    typed = {"reminder": [str(foreign.pk), "none"], "channel": "sms"}
    nurse.post(reverse("missed-again", args=["day-2"]), typed)
    assert not Reminder.objects.filter(again_of=foreign).exists()
    assert "Zoe" not in text_of(nurse.get(ADDRESS))


def test_a_message_nobody_has_missed_says_so(nurse: Client, clinic: Clinic) -> None:
    assert "Everybody who should have had it by now got it." in text_of(nurse.get(ADDRESS))
    assert "Everybody" in text_of(nurse.get("/board/missed/no-such-thing/"))


@pytest.mark.parametrize(("patients", "queries"), [(1, 8), (2, 9), (9, 9)])
def test_it_costs_the_same_number_of_queries_for_any_number_of_patients(
    nurse: Client,
    clinic: Clinic,
    patients: int,
    queries: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(patients):
        fail(yesterday(clinic, "Ana", number), "30003")
    shown(nurse)
    # session, user, clinic, reminders, attempts; who has agreed, who has stopped; the audit row,
    # and of several patients whether they are a known group
    with django_assert_num_queries(queries):
        shown(nurse)


def test_what_is_tried_once_more_by_itself_in_some_minutes_is_not_offered_meanwhile(
    nurse: Client, clinic: Clinic
) -> None:
    failed = fail(yesterday(clinic, "Ana", 1), "30003")
    follow_up(failed, to="+12025550101", means=Means.ONCE_MORE, code="30003", now=NOON)
    assert failed.repeats.get().due_at > NOON
    (ana,) = shown(nurse).causes[0].people
    assert (ana.ways, ana.note) == ((), "sent again, on its way")

"""Two desks on one patient at the same moment: one wins, the other is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import Clinic, Patient, Treatment
from patients.models.clinic import Role
from reminders.amending import correct_time
from reminders.treatments import TreatmentRefused
from tests.builders import log, make_clinic, make_patient, make_staff
from tests.reminders.desk_form import filled, save, text_of

both_at_once = pytest.mark.django_db(transaction=True)


def desks_of(clinic: Clinic) -> list[Client]:
    clients = []
    for name in ("Dana", "Ines"):
        client = Client()
        client.force_login(
            make_staff(clinic=clinic, role=Role.DESK, name=name, email=f"{name}@lakeside.example")
        )
        clients.append(client)
    return clients


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Every act in a thread of its own, let go together."""
    start, answers = threading.Barrier(len(acts)), {}

    def run(number: int, act: Callable[[], Any]) -> None:
        start.wait()
        answers[number] = act()
        connection.close()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[number] for number in range(len(acts))]


@pytest.mark.both_databases
@both_at_once
@pytest.mark.parametrize("known", [True, False])
def test_of_two_desks_that_log_one_patient_one_wins_and_the_other_is_asked(known: bool) -> None:
    clinic = make_clinic()
    patient = make_patient(clinic=clinic) if known else None
    first, second = desks_of(clinic)
    answers = at_once(
        lambda: save(first, filled(), patient), lambda: save(second, filled(), patient)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    told = text_of(next(answer for answer in answers if answer.status_code == 200))
    assert ("within 4 hours of that" if known else "is already a patient") in told
    assert (Treatment.objects.count(), Patient.objects.count()) == (1, 1)


@both_at_once
def test_the_same_form_sent_twice_at_once_makes_one_treatment() -> None:
    clinic = make_clinic()
    desk, typed = desks_of(clinic)[0], filled()
    answers = at_once(lambda: save(desk, typed), lambda: save(desk, typed))
    assert {answer["Location"] for answer in answers} == {
        reverse("story", args=[Treatment.objects.get().pk])
    }


def test_who_logged_the_other_one_is_named(desk: Client, clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic)
    ines = make_staff(clinic=clinic, role=Role.NURSE, name="Ines Ortega")
    log(patient=patient, by=ines)
    page = text_of(save(desk, filled(session="2"), patient))
    assert "Ines Ortega logged one at 12:00 pm." in page


def test_a_record_that_a_colleague_changed_meanwhile_is_not_overwritten_unasked(
    desk: Client, clinic: Clinic
) -> None:
    patient = make_patient(clinic=clinic)
    shown = desk.get(reverse("desk-returning", args=[patient.pk])).context["form"]
    typed = filled(record=shown.initial["record"])
    patient.phone = "+12025550199"
    patient.save()
    page = text_of(save(desk, typed, patient))
    asked = (
        "A colleague has just changed this record: Maria Gomez, (202) 555-0199, no email. "
        "Shall it be as it stands here?"
    )
    assert asked in page
    assert Patient.objects.get().phone == "+12025550199"
    assert save(desk, typed | {"confirmed": asked}, patient).status_code == 302
    assert Patient.objects.get().phone == "+12025550146"


def test_a_time_corrected_by_a_colleague_meanwhile_is_shown_before_another_correction(
    desk: Client, clinic: Clinic
) -> None:
    treatment = log(patient=make_patient(clinic=clinic))
    address = reverse("correct", args=[treatment.pk])
    typed = {"treated_at": "2026-11-23T09:00", "reason": "The other room"}
    previewed = desk.post(address, typed).context["previewed"]
    stale = Treatment.objects.get()
    ines = make_staff(clinic=clinic, role=Role.NURSE)
    hour_ago = timezone.now() - timedelta(hours=1)
    correct_time(treatment=treatment, treated_at=hour_ago, reason="late", by=ines)
    page = text_of(desk.post(address, typed | {"save": "", "previewed": previewed}))
    assert "will change" in page
    assert treatment.corrections.count() == 1
    with pytest.raises(TreatmentRefused, match="A colleague has just corrected this time"):
        correct_time(treatment=stale, treated_at=hour_ago, reason="again", by=ines)

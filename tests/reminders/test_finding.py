"""Finding a patient at the desk: quick, forgiving, and never one of another clinic."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from patients.models import Clinic
from reminders.optouts import stop
from tests.builders import make_clinic, make_patient
from tests.reminders.desk_form import filled, save, text_of


@pytest.mark.parametrize(
    "typed",
    ["mar", "GOM", "maria go", "gomez maria", "0146", "555-0146", "(202) 555-0146", "maria@"],
)
def test_a_patient_is_found_by_name_end_of_number_or_email(
    desk: Client, clinic: Clinic, typed: str
) -> None:
    make_patient(clinic=clinic, email="maria@example.org")
    make_patient(clinic=clinic, first_name="Devon", last_name="King", phone="+12025550199")
    page = text_of(desk.post(reverse("desk-search"), {"find": typed}))
    assert "Maria Gomez" in page
    assert "Devon King" not in page


def test_accents_are_found_in_lower_case(desk: Client, clinic: Clinic) -> None:
    make_patient(clinic=clinic, first_name="Élodie", last_name="Martin")
    assert "Élodie Martin" in text_of(desk.post(reverse("desk-search"), {"find": "élo"}))


def test_a_search_is_a_post_so_that_no_name_is_in_an_address(desk: Client) -> None:
    assert desk.get(reverse("desk-search"), {"find": "maria"}).status_code == 405


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("xyz", "Nobody found. Add them below."), ("x", "One more letter, please.")],
)
def test_a_search_that_finds_nobody_says_what_to_do(desk: Client, typed: str, answer: str) -> None:
    assert answer in text_of(desk.post(reverse("desk-search"), {"find": typed}))


def test_with_htmx_the_answer_is_only_the_patients_found(desk: Client, clinic: Clinic) -> None:
    make_patient(clinic=clinic)
    response = desk.post(reverse("desk-search"), {"find": "mar"}, headers={"HX-Request": "true"})
    assert "Maria Gomez" in text_of(response)
    assert "<form" not in text_of(response)


def test_nobody_of_another_clinic_is_found_or_counted_as_the_same_person(desk: Client) -> None:
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    make_patient(clinic=other, email="maria@example.org")
    assert "Maria Gomez" not in text_of(desk.post(reverse("desk-search"), {"find": "maria"}))
    checked = desk.post(reverse("desk-check"), {"phone": "2025550146", "email": ""})
    assert "Maria Gomez" not in text_of(checked)
    assert save(desk, filled()).status_code == 302


def test_a_number_is_read_back_in_groups_with_whoever_has_it(desk: Client, clinic: Clinic) -> None:
    make_patient(clinic=clinic)
    page = text_of(desk.post(reverse("desk-check"), {"phone": "2025550146", "email": ""}))
    assert "(202) 555-0146" in page
    assert "Maria Gomez" in page


def test_a_stopped_number_is_said_before_anything_is_logged(desk: Client, clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic)
    stop(clinic, "+12025550146")
    page = text_of(desk.get(reverse("desk-returning", args=[patient.pk])))
    assert "This number has stopped our messages." in page

"""The sheet of paper: whole, and the same whenever it is read."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from patients import links
from patients.models import Treatment
from tests.builders import log, make_clinic, make_patient
from tests.patients.reading import Reading, read
from tests.patients.test_page import T

D = timedelta(days=1)


def sheet(treatment: Treatment, after: timedelta, query: str = "") -> Reading:
    with time_machine.travel(T + after, tick=False):
        response = Client().get(f"/r/{links.token_of(treatment)}/print{query}")
    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-store"
    return read(response.content.decode())


@pytest.mark.django_db
def test_it_holds_every_step_every_sign_and_both_numbers() -> None:
    treatment = log(patient=make_patient(clinic=make_clinic()), treated_at=T)
    text = sheet(treatment, timedelta()).text
    plan = treatment.version.protocol.words("en")
    for step in plan.steps.values():
        assert step.text.split("{")[0].strip() in text
    assert not [sign for sign in plan.signs.values() if sign not in text]
    assert text.count("(855) 383-7546") >= 5
    assert "Call 911 now if" in text


@pytest.mark.django_db
def test_its_hours_are_dates_and_never_relative() -> None:
    treatment = log(patient=make_patient(clinic=make_clinic()), treated_at=T)
    first, later = sheet(treatment, timedelta()), sheet(treatment, 5 * D)
    for word in ("today", "tonight", "tomorrow", "yesterday", "hours ago", "Done"):
        assert word not in first.text.replace("Call the clinic today", "").replace(
            "(855) 383-7546 today", ""
        )
    assert first.text.split("As of")[0] == later.text.split("As of")[0]
    assert "Your treatment ended at 2:20 pm on Mon, Nov 23." in first.text
    assert "No active products" in first.text
    said = {one.text for one in first.root.every("i")}
    assert "at least until 2:20 pm on Mon, Nov 30" in said  # D5
    assert "not before 2:20 pm on Mon, Nov 30" in said  # E1
    assert "not before 8:20 pm on Mon, Nov 23" in said  # B2
    assert "until 2:20 pm on Wed, Nov 25" in said  # B3
    assert "from Sat, Jan 23 until Tue, Feb 23" in said  # E3


@pytest.mark.django_db
def test_it_is_in_spanish_too_and_a_dead_link_prints_nothing() -> None:
    treatment = log(patient=make_patient(clinic=make_clinic()), treated_at=T)
    text = sheet(treatment, timedelta(), "?lang=es").text
    assert "Su tratamiento terminó el lun 23 nov a las 2:20 p. m." in text
    assert "Llame ahora al 911 si" in text
    assert ".." not in text  # after "p. m."
    assert Client().get(f"/r/{'0' * links.TOKEN_LENGTH}/print").status_code == 404

"""A clinic with staff, and a browser in which one of them is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from patients.models import Clinic, StaffUser, Treatment
from patients.models.patient import Channel
from reminders.models import State
from tests.browser.staff import OpenPage
from tests.builders import (
    log,
    make_attempt,
    make_clinic,
    make_patient,
    make_staff,
    reminder_of,
    set_state,
)

LONG_NAME = "Ñúñez-Echeverría y Fernández de la Reguera O’Brien"


@pytest.fixture
def clinic(live_server: LiveServer) -> Clinic:
    return make_clinic()


@pytest.fixture
def staff(clinic: Clinic) -> StaffUser:
    return make_staff(clinic=clinic)


@pytest.fixture
def open_staff_page(
    browser: Browser, live_server: LiveServer, staff: StaffUser
) -> Iterator[OpenPage]:
    """Signed in: `open_staff_page("/desk/", width=360, scheme="dark", script=False)`."""
    client = Client()
    client.force_login(staff)
    session = client.cookies["session"].value
    contexts = []

    def open_one(
        path: str, *, width: int = 1280, scheme: str = "light", script: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        context.add_cookies([{"name": "session", "value": session, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.goto(live_server.url + path)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def full(clinic: Clinic, staff: StaffUser) -> list[Treatment]:
    """Patients in every state, among them an email, another zone, a failure and a skip."""
    now = timezone.now()
    treatments = []
    for number, state in enumerate(State):
        patient = make_patient(
            clinic=clinic,
            first_name=f"Ana{number}",
            last_name=LONG_NAME if number == 4 else "Gomez",
            phone=f"+1202555011{number}",
            email="ana@example.org",
            channel=Channel.EMAIL if number == 2 else Channel.SMS,
            zone="America/New_York" if number == 3 else "",
        )
        at = now - timedelta(hours=number * 5)
        treatment = log(patient=patient, treated_at=at, by=staff, recovery=state != State.SKIPPED)
        if state != State.SKIPPED:
            handover = set_state(reminder_of(treatment, "handover"), state)
            code = "30005" if state == State.FAILED else ""
            make_attempt(handover, provider_id=f"SM{number}", error_code=code)
        treatments.append(treatment)
    return treatments

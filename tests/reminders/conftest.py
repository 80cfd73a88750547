"""What the delivery tests share: a clinic, a patient, and the providers they reach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from patients.models import Clinic, Patient
from patients.models.clinic import Role
from reminders import letterbox
from reminders.channels import sms
from reminders.claim import claim_due, open_attempts
from reminders.models import Attempt
from tests.builders import log, make_clinic, make_patient, make_staff
from tests.phone.client import Phone
from tests.services.valkey import Valkey

CHICAGO = ZoneInfo("America/Chicago")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=CHICAGO)


@pytest.fixture
def clinic(db: None) -> Clinic:
    return make_clinic()


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return make_patient(clinic=clinic, email="maria@example.org")


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    """It is noon in Chicago and stays so, unless a test moves the clock."""
    cache.clear()  # the last tick of another test is of another day
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def make_call(patient: Patient, *, at: datetime) -> Attempt:
    """The call of a handover, on its way."""
    log(patient=patient, treated_at=at)
    claim = claim_due(now=at)
    (reminder,) = claim.reminders
    (attempt,) = open_attempts(
        claim,
        [Attempt(reminder=reminder, called_at=at, lease_until=claim.lease_until, to_address="x")],
    )
    return attempt


@pytest.fixture
def desk(noon: time_machine.Traveller, clinic: Clinic, client: Client) -> Client:
    """A browser signed in at the clinic's desk, at noon."""
    client.force_login(make_staff(clinic=clinic, role=Role.DESK))
    return client


@pytest.fixture
def box(valkey: Valkey) -> Iterator[None]:
    """The letterbox, empty before and after."""
    lists = (letterbox.WAITING, letterbox.REFUSED, letterbox.TRIES)
    letterbox._server().delete(*lists)
    yield
    letterbox._server().delete(*lists)


@pytest.fixture
def provider(phone: Phone, settings: Settings) -> Iterator[Phone]:
    """The stand-in provider, with this process's Twilio client and mail pointed at it."""
    settings.TWILIO_API_BASE = phone.base_url
    settings.EMAIL_BACKEND = "reminders.channels.smtp.EmailBackend"
    settings.EMAIL_PORT = phone.smtp_port
    sms.client.cache_clear()
    yield phone
    sms.client().http_client.close()  # keep-alive connections would be found by a later test
    sms.client.cache_clear()

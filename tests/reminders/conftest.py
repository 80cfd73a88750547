"""What the delivery tests share: a clinic, a patient, and the providers they reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from patients.models import Clinic, Patient
from reminders.channels import sms
from tests.builders import make_clinic, make_patient
from tests.phone.client import Phone


@pytest.fixture
def clinic(db: None) -> Clinic:
    return make_clinic()


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return make_patient(clinic=clinic, email="maria@example.org")


@pytest.fixture
def provider(phone: Phone, settings: Settings) -> Iterator[Phone]:
    """The stand-in provider, with this process's Twilio client and mail pointed at it."""
    settings.TWILIO_API_BASE = phone.base_url
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = phone.smtp_port
    sms.client.cache_clear()
    yield phone
    sms.client.cache_clear()

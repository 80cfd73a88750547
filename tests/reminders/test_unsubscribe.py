"""One-click unsubscribe (RFC 8058)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from patients import links
from patients.models import Clinic, OptOut, Patient, Treatment
from patients.models.patient import Channel
from reminders.dispatch import drain
from reminders.models import State
from reminders.moments import Skip
from tests.builders import log, make_patient, reminder_of
from tests.phone.client import Phone

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def treatment(clinic: Clinic) -> Treatment:
    patient = make_patient(clinic=clinic, channel=Channel.EMAIL, email="maria@example.org")
    return log(patient=patient)


def path_of(treatment: Treatment) -> str:
    return links.unsubscribe_address_of(treatment).removeprefix(settings.PUBLIC_BASE_URL)


def test_every_email_carries_the_one_click_headers(treatment: Treatment, provider: Phone) -> None:
    drain()
    (mail,) = provider.messages("maria@example.org")
    headers = {name.lower(): value for name, value in dict(mail["headers"]).items()}
    assert headers["list-unsubscribe"] == f"<{links.unsubscribe_address_of(treatment)}>"
    assert headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"


def test_one_click_ends_the_emails(treatment: Treatment) -> None:
    answer = Client(enforce_csrf_checks=True).post(
        path_of(treatment), {"List-Unsubscribe": "One-Click"}
    )
    assert answer.status_code == 200
    stop = OptOut.objects.get()
    assert (stop.channel, stop.address) == ("email", "maria@example.org")
    assert reminder_of(treatment, "day-2").skip_reason == Skip.OPTED_OUT.value


def test_looking_at_it_changes_nothing(treatment: Treatment) -> None:
    for method in (Client().get, Client().head):
        assert method(path_of(treatment)).status_code == 200
    assert not OptOut.objects.exists()
    assert reminder_of(treatment, "day-2").state == State.PLANNED


def test_an_expired_link_still_ends_the_emails(treatment: Treatment) -> None:
    Treatment.objects.update(link_expires_at=timezone.now() - timedelta(days=1))
    Client().post(path_of(treatment))
    assert OptOut.objects.exists()


SPANISH = {"Accept-Language": "es-MX,en;q=0.5"}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("phone", [{}, SPANISH], ids=["english phone", "spanish phone"])
@pytest.mark.parametrize("query", ["", "?lang=es", "?lang=en"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_link_is_answered_alike_to_the_last_header(
    treatment: Treatment, language: str, phone: dict[str, str], query: str, method: str
) -> None:
    Patient.objects.update(language=language)

    def asked(token: str) -> tuple[int, bytes, dict[str, str]]:
        answer = getattr(Client(), method)(f"/u/{token}{query}", headers=phone)
        headers = {**answer.headers}
        assert headers.pop("X-Request-ID")
        return answer.status_code, answer.content, headers

    with time_machine.travel(timezone.now(), tick=False):  # a header says the second
        assert asked(links.token_of(treatment)) == asked("x" * 22)
        assert asked("x" * 22)[0] == 200


def test_an_unknown_link_ends_nobodys_emails(treatment: Treatment) -> None:
    Client().post("/u/" + "x" * 22)
    assert not OptOut.objects.exists()


def test_a_spanish_patient_is_asked_in_spanish_on_any_phone(treatment: Treatment) -> None:
    Patient.objects.update(language="es")
    treatment.patient.refresh_from_db()
    path = path_of(treatment)
    page = Client().get(path).content.decode()
    assert '<html lang="es">' in page
    assert "¿Dejar de recibir estos correos?" in page
    assert "No hay más correos" in Client().post(path).content.decode()
    assert OptOut.objects.exists()
    assert '<html lang="es">' in Client().get("/u/" + "x" * 22, headers=SPANISH).content.decode()

"""Webhooks: signed for our public address, or refused without a trace and never with a 5xx."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from django import urls
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.test import Client
from django.views.decorators.csrf import csrf_exempt
from pytest_django import DjangoAssertNumQueries, Settings
from twilio.request_validator import RequestValidator

from patients.models import AuditRow, Clinic, Patient
from reminders.dispatch import drain
from reminders.models import Attempt, InboundText, Receipt, State
from tests.builders import SENDER, log, reminder_of
from tests.phone.client import Phone

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

INBOUND = "/webhooks/twilio/inbound"
SID = "SM" + "3" * 32
# The same in each process that collects these tests.
NOBODYS = uuid.UUID(int=7)


def status_path() -> str:
    return f"/webhooks/twilio/status/{NOBODYS}"


def form(**more: str) -> dict[str, str]:
    return {
        "AccountSid": settings.TWILIO_ACCOUNT_SID,
        "MessageSid": SID,
        "MessageStatus": "delivered",
        "From": "+12025550146",
        "To": SENDER,
        "Body": "STOP",
        **more,
    }


def post(path: str, data: Mapping[str, str], token: str | None = None, **headers: Any) -> int:
    signature = RequestValidator(token or settings.TWILIO_AUTH_TOKEN).compute_signature(
        settings.PUBLIC_BASE_URL + path, data
    )
    sent = {"HTTP_X_TWILIO_SIGNATURE": signature, **headers}
    encoded = "&".join(f"{key}={_quoted(value)}" for key, value in data.items())
    answer = Client().post(path, encoded, content_type="application/x-www-form-urlencoded", **sent)
    return answer.status_code


def _quoted(value: str) -> str:
    return quote(value, safe="")


def rows() -> int:
    return Receipt.objects.count() + InboundText.objects.count()


def test_a_signed_status_moves_the_reminder(patient: Patient, provider: Phone) -> None:
    treatment = log(patient=patient)
    drain()
    attempt = Attempt.objects.get()
    assert post(f"/webhooks/twilio/status/{attempt.token}", form()) == 204
    assert reminder_of(treatment, "handover").state == State.DELIVERED


def test_a_signed_text_is_taken_in(clinic: Clinic) -> None:
    assert post(INBOUND, form()) == 200
    assert InboundText.objects.get().meaning == "stop"


def test_a_receipt_on_its_way_costs_one_statement_whatever_comes_with_it(
    patient: Patient, provider: Phone, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    log(patient=patient)
    drain()
    path = f"/webhooks/twilio/status/{Attempt.objects.get().token}"
    with django_assert_num_queries(1):
        status = post(path, form(MessageStatus="sent"), HTTP_COOKIE="session=x; csrf=y")
    assert status == 204
    assert Receipt.objects.filter(status="sent").exists()


def test_a_providers_call_meets_nothing_that_only_people_need() -> None:
    answer = Client().post(INBOUND, form(), headers={"X-Twilio-Signature": "none"})
    assert not hasattr(answer.wsgi_request, "session")
    assert not hasattr(answer.wsgi_request, "user")
    assert "Content-Security-Policy" in answer.headers


def test_a_stop_by_text_is_in_the_audit_trail_with_where_it_came_from(patient: Patient) -> None:
    its_id = uuid.uuid4().hex
    assert post(INBOUND, form(), HTTP_X_REQUEST_ID=its_id, REMOTE_ADDR="192.0.2.7") == 200
    row = AuditRow.objects.get(patient=patient.pk, role="patient")
    assert (row.address, row.request) == ("192.0.2.7", its_id)


class Closed:
    """A site of which two addresses look like webhooks, and whose views say nothing."""

    urlpatterns: ClassVar = [
        urls.path("webhooks/closed", csrf_exempt(lambda request: HttpResponse("in"))),
        urls.path("webhooks/form", login_not_required(lambda request: HttpResponse("in"))),
        urls.path("", urls.include("aftercare.urls")),
    ]


def test_a_view_that_says_nothing_is_as_closed_below_webhooks_as_anywhere(
    clinic: Clinic, settings: Settings
) -> None:
    settings.ROOT_URLCONF = Closed
    visitor = Client(enforce_csrf_checks=True)
    assert visitor.post("/webhooks/closed").status_code == 302
    assert visitor.post("/webhooks/form").status_code == 403
    assert visitor.post("/webhooks/nowhere").status_code == 404


@pytest.mark.parametrize("path", [INBOUND, status_path()])
@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_X_TWILIO_SIGNATURE": ""},
        {"HTTP_X_TWILIO_SIGNATURE": "bm90IGEgc2lnbmF0dXJl"},
        {"HTTP_X_TWILIO_SIGNATURE": "\x00\xff"},
    ],
)
def test_unsigned_and_forged_posts_are_refused(
    clinic: Clinic, path: str, headers: dict[str, str]
) -> None:
    assert post(path, form(), **headers) == 403
    assert rows() == 0


@pytest.mark.parametrize("path", [INBOUND, status_path()])
def test_another_accounts_words_are_refused(clinic: Clinic, path: str) -> None:
    assert post(path, form(AccountSid="AC" + "9" * 32)) == 403
    assert post(path, form(), token="somebody-elses-token") == 403
    assert rows() == 0


@pytest.mark.parametrize("path", [INBOUND, status_path()])
def test_json_and_get_are_refused(clinic: Clinic, path: str) -> None:
    assert Client().post(path, "{}", content_type="application/json").status_code == 403
    assert Client().get(path).status_code == 405
    assert rows() == 0


def test_a_signature_made_for_another_address_is_refused(clinic: Clinic) -> None:
    signature = RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(
        "https://evil.example" + INBOUND, form()
    )
    assert post(INBOUND, form(), HTTP_X_TWILIO_SIGNATURE=signature) == 403


def test_during_a_rotation_both_tokens_are_good(clinic: Clinic, settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN_NEXT = "the-next-token"
    assert post(INBOUND, form(), token="the-next-token") == 200


def test_a_very_long_form_is_cut_and_not_an_error(clinic: Clinic) -> None:
    long = form(MessageSid="S" * 500, MessageStatus="x" * 500, ErrorCode="9" * 500)
    assert post(status_path(), long) == 204
    assert Receipt.objects.get().provider_id == "S" * 64


def test_replays_add_nothing(clinic: Clinic) -> None:
    path = status_path()
    assert [post(path, form()) for _ in range(3)] == [204, 204, 204]
    assert Receipt.objects.count() == 1

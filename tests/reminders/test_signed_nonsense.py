"""What a signed sender can put into a field: taken in or refused, never an answer of 5xx."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from patients.models import OptOut, Patient
from reminders.models import InboundText, Receipt, State
from tests.builders import log, make_attempt, make_patient, reminder_of, set_state
from tests.reminders.test_mail_events import COMPLAINT, DELIVERY, MESSAGE, SECRET, send, tell
from tests.reminders.test_webhooks import INBOUND, SID, form, post, status_path

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

ODD = (
    "\x00", "STOP\x00", "\x00" * 2000, "x" * 100_000, "😀" * 3000, "\ufeff\u202e\u2028", "%00",
    "\x7f\x1b[0m", "'; DROP TABLE x; --", "+", "0", "-1", "  ", "", "١٢٣", "é" * 70,
)  # fmt: skip
EVENT_FIELDS = ("RecordType", "Type", "MessageID", "Recipient", "Email", "DeliveredAt", "Metadata")
FIELDS = ("MessageSid", "MessageStatus", "ErrorCode", "From", "To", "Body")


@pytest.fixture
def postmark(settings: Settings) -> None:
    settings.EMAIL_PROVIDER = "postmark"
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}


def odd_forms() -> Iterator[dict[str, str]]:
    for field in FIELDS:
        for number, words in enumerate(ODD):
            yield form(**{"MessageSid": f"SM{field}{number}", field: words})
    yield from ({**form(), f"Field{field}": "x" * 50_000} for field in FIELDS)


def test_no_field_of_a_signed_text_or_status_is_a_server_error(patient: Patient) -> None:
    attempt = make_attempt(set_state(reminder_of(log(patient=patient), "handover"), State.SENT))
    paths = [INBOUND, status_path(), f"/webhooks/twilio/status/{attempt.token}"]
    answers = {post(path, odd) for path in paths for odd in odd_forms()}
    assert answers <= {200, 204}


def test_a_nul_is_left_out_and_the_wish_is_heard(patient: Patient) -> None:
    assert (
        post(INBOUND, form(Body="ST\x00OP", From="+12025550146\x00", MessageSid=SID + "\x00"))
        == 200
    )
    assert InboundText.objects.get().body == "STOP"
    assert OptOut.objects.get().address == "+12025550146"


def test_a_text_from_nobody_is_kept_and_stops_nobody(patient: Patient) -> None:
    make_patient(clinic=patient.clinic, phone="")
    assert post(INBOUND, form(From="", Body="STOP")) == 200
    assert InboundText.objects.get().meaning == "stop"
    assert not OptOut.objects.exists()


def test_a_field_twice_or_in_no_known_letters_is_refused(patient: Patient) -> None:
    data = form()
    signature = RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(
        settings.PUBLIC_BASE_URL + INBOUND, data
    )
    plain = "&".join(f"{key}={quote_plus(value)}" for key, value in data.items()).encode()
    for body in (
        plain + b"&Body=START",
        plain + b"&Body=%ff%fe",
        b"%ff" + plain,
        plain + b"&x" * 2000,
    ):
        answer = Client().post(
            INBOUND,
            body,
            content_type="application/x-www-form-urlencoded",
            HTTP_X_TWILIO_SIGNATURE=signature,
        )
        assert answer.status_code in (400, 403)
    for charset in ("utf-7", "nonsense", "utf-16"):
        sort = f"application/x-www-form-urlencoded; charset={charset}"
        sent = {"content_type": sort, "HTTP_X_TWILIO_SIGNATURE": signature}
        assert Client().generic("POST", INBOUND, plain, **sent).status_code < 500


@pytest.mark.usefixtures("postmark")
def test_no_field_of_an_email_event_is_a_server_error(
    patient: Patient, caplog: pytest.LogCaptureFixture
) -> None:
    odd: list[Any] = [*ODD[:5], "\ud800", ["a"], {"a": {}}, None, 1e308, -1]
    for event in (DELIVERY, COMPLAINT):
        for field in EVENT_FIELDS:
            for words in odd:
                assert tell(**(event | {field: words})) < 500, (field, words)
    assert tell(RecordType="Inbound") < 500
    assert "reminders.mail_events" not in {one.name for one in caplog.records}  # no fault of ours


@pytest.mark.usefixtures("postmark")
def test_an_event_nested_without_end_is_refused(db: None) -> None:
    assert send("[" * 100_000) == 400
    assert send(json.dumps([{}] * 3)) < 500


@pytest.mark.usefixtures("postmark")
def test_a_nul_in_an_email_event_is_left_out(db: None) -> None:
    assert tell(**{**DELIVERY, "MessageID": MESSAGE + "\x00"}) == 200
    assert Receipt.objects.get().provider_id == MESSAGE

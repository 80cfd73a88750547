"""Bounces and complaints by the email provider's webhook, verified by django-anymail."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from patients.models import Clinic, OptOut, Treatment
from patients.models.patient import Channel
from reminders.mail_events import place_kept
from reminders.models import Concern, Receipt, Reminder, State
from tests.builders import log, make_attempt, make_clinic, make_patient, reminder_of, set_state

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

SECRET = "aftercare:a-secret-of-the-tests"
MESSAGE = "883953f4-6105-42a2-a16a-77a8eac79483"


@pytest.fixture(autouse=True)
def postmark(settings: Settings) -> None:
    settings.EMAIL_PROVIDER = "postmark"
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}


@pytest.fixture
def handover(clinic: Clinic) -> Reminder:
    patient = make_patient(
        clinic=clinic, channel=Channel.EMAIL, email="maria@example.org", phone="+12025550146"
    )
    reminder = set_state(reminder_of(log(patient=patient), "handover"), State.SENT)
    make_attempt(reminder, provider_id=MESSAGE)
    return reminder


def tell(path: str = "postmark", secret: str = SECRET, **event: Any) -> int:
    body = {"MessageID": MESSAGE, "Recipient": "maria@example.org", **event}
    return send(json.dumps(body), path, secret)


def send(body: str, path: str = "postmark", secret: str = SECRET) -> int:
    return (
        Client()
        .post(
            f"/webhooks/email/{path}",
            body,
            content_type="application/json",
            HTTP_AUTHORIZATION="Basic " + base64.b64encode(secret.encode()).decode(),
        )
        .status_code
    )


DELIVERY = {"RecordType": "Delivery", "DeliveredAt": "2026-11-20T18:00:00Z"}
BOUNCE = {
    "RecordType": "Bounce",
    "Type": "HardBounce",
    "BouncedAt": "2026-11-20T18:00:00Z",
    "Email": "maria@example.org",
}
COMPLAINT = {**BOUNCE, "RecordType": "SpamComplaint", "Type": "SpamComplaint"}


def test_a_delivery_is_a_receipt(handover: Reminder) -> None:
    assert tell(**DELIVERY) == 200
    handover.refresh_from_db()
    assert handover.state == State.DELIVERED


def test_a_bounce_fails_takes_the_other_channel_and_is_put_before_a_nurse(
    handover: Reminder,
) -> None:
    tell(**BOUNCE)
    handover.refresh_from_db()
    assert handover.state == State.FAILED
    again = Reminder.objects.get(rule="handover", channel=Channel.SMS)
    assert (again.state, again.again_of) == (State.PLANNED, handover)
    assert Concern.objects.get().kind == Concern.Kind.FAILED


def test_a_complaint_ends_the_emails(handover: Reminder) -> None:
    tell(**COMPLAINT)
    assert OptOut.objects.get().address == "maria@example.org"


@pytest.mark.parametrize("kind", ["SpamComplaint", "SubscriptionChange"])
def test_a_complaint_about_a_message_we_do_not_know_ends_the_emails_to_its_recipient(
    clinic: Clinic, kind: str
) -> None:
    hillside = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550111")
    for each in (clinic, hillside):
        make_patient(clinic=each, channel=Channel.EMAIL, email="Maria@example.org")
    make_clinic(name="Elsewhere", slug="elsewhere", sms_sender="+12025550112")
    tell(
        **{**COMPLAINT, "RecordType": kind, "MessageID": "unheard-of"},
        SuppressSending=True,
        SuppressionReason="ManualSuppression",
        Origin="Recipient",
    )
    stopped = OptOut.objects.order_by("clinic_id").values_list("clinic", "address", "stopped")
    assert list(stopped) == [(each.pk, "maria@example.org", True) for each in (clinic, hillside)]


def test_an_event_before_the_providers_answer_is_kept_and_placed_later(clinic: Clinic) -> None:
    tell(**DELIVERY)
    assert Receipt.objects.get().attempt is None
    patient = make_patient(clinic=clinic, channel=Channel.EMAIL, email="maria@example.org")
    treatment: Treatment = log(patient=patient)
    reminder = set_state(reminder_of(treatment, "handover"), State.SENT)
    attempt = make_attempt(reminder, provider_id="another")
    Receipt.objects.create(
        attempt=attempt, provider_id=MESSAGE, status="sent", received_at=timezone.now()
    )
    place_kept([MESSAGE])
    reminder.refresh_from_db()
    assert reminder.state == State.DELIVERED


@pytest.mark.parametrize(
    ("path", "secret"), [("postmark", "wrong:secret"), ("mailgun", SECRET), ("nobody", SECRET)]
)
def test_the_wrong_secret_or_provider_is_refused(
    handover: Reminder, path: str, secret: str
) -> None:
    assert tell(path, secret, **DELIVERY) in (400, 403, 404)
    handover.refresh_from_db()
    assert handover.state == State.SENT


def test_without_a_secret_the_door_is_closed(handover: Reminder, settings: Settings) -> None:
    settings.ANYMAIL = {}
    assert tell(**DELIVERY) == 404


def test_a_bounce_that_breaks_our_own_code_is_told_in_the_log_and_left_as_it_was(
    handover: Reminder, caplog: pytest.LogCaptureFixture
) -> None:
    Reminder.objects.filter(pk=handover.pk).update(rule="of no plan")  # what follows needs it
    assert tell(**BOUNCE) == 400
    (told,) = [one for one in caplog.records if one.name == "reminders.mail_events"]
    assert (told.levelname, told.exc_info is not None) == ("ERROR", True)
    handover.refresh_from_db()
    assert (handover.state, Receipt.objects.count()) == (State.SENT, 1)


def test_every_word_kept_for_one_mail_finds_its_place(handover: Reminder) -> None:
    Receipt.objects.all().delete()
    tell(**DELIVERY)
    tell(**BOUNCE)
    attempt = handover.attempts.get()
    Receipt.objects.create(
        attempt=attempt, provider_id=MESSAGE, status="sent", received_at=timezone.now()
    )
    place_kept([MESSAGE])
    handover.refresh_from_db()
    assert (handover.state, attempt.receipts.count()) == (State.DELIVERED, 3)
    assert Concern.objects.get().detail == "contradicted"


@pytest.mark.parametrize("body", ["", "not json", "[]", "{}", '{"RecordType": 7}', "null"])
def test_nonsense_is_never_a_server_error(body: str) -> None:
    assert send(body) < 500

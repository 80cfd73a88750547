"""Webhooks from whoever is not the provider: refused with 403 or 405, no row, never a 5xx."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from tests.attack.scene import Scene, writes
from tests.reminders.test_mail_events import DELIVERY, SECRET

pytestmark = [pytest.mark.both_databases, pytest.mark.thorough]

FORM = "application/x-www-form-urlencoded"
INBOUND = "/webhooks/twilio/inbound"
POSTMARK = "/webhooks/email/postmark"
TOLD = {
    "MessageSid": "SM" + "5" * 32,
    "MessageStatus": "delivered",
    "From": "+12025550141",
    "To": "+12025550101",
    "Body": "STOP",
}


@pytest.fixture
def postmark(settings: Settings) -> None:
    settings.EMAIL_PROVIDER = "postmark"
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}


def signature(address: str, told: dict[str, str], key: str) -> str:
    return str(RequestValidator(key).compute_signature(address, told))


def bad_texts(path: str) -> Iterator[dict[str, Any]]:
    """Posts to Twilio's addresses, none of which Twilio would have sent."""
    told = TOLD | {"AccountSid": settings.TWILIO_ACCOUNT_SID}
    here, key = settings.PUBLIC_BASE_URL + path, settings.TWILIO_AUTH_TOKEN
    body, right = urlencode(told), signature(here, told, key)
    close = ("B" if right[0] == "A" else "A") + right[1:]

    def sent(body: str, sign: str | None, sort: str = FORM, **more: Any) -> dict[str, Any]:
        headers = {"X-Twilio-Signature": sign} if sign is not None else {}
        return {"data": body, "content_type": sort, "headers": headers, **more}

    yield sent(body, None)
    yield from (sent(body, one) for one in ("", "x", close, right.lower(), "é" * 8))
    yield sent(body, signature(here, told, "another-token"))
    yield sent(body, signature(here, told, ""))
    yield sent(body, signature(f"https://evil.example{path}", told, key))
    yield sent(body, signature(f"{here}?x=1", told, key))
    yield sent(f"{body}&Extra=1", right)
    yield sent(urlencode(told | {"Body": "START"}), right)
    yield sent(urlencode(told | {"From": "+12025550142"}), right)
    other = told | {"AccountSid": "AC" + "9" * 32}
    yield sent(urlencode(other), signature(here, other, key))
    yield sent("", signature(here, {}, key))
    yield sent(json.dumps(told), right, "application/json")
    yield sent("<x/>", right, "text/xml")
    yield sent(body, right, "text/plain")
    yield sent("--x", right, "multipart/form-data; boundary=x")
    yield sent("\x00" * 5000, right)
    yield sent("a=" + "x" * 3_000_000, right)  # over what a form may hold
    yield sent("&".join(f"a{n}=1" for n in range(2000)), right)  # over how many fields


@pytest.mark.parametrize("path", [INBOUND, f"/webhooks/twilio/status/{uuid.UUID(int=5)}"])
def test_what_twilio_did_not_send_is_refused_and_writes_nothing(ours: Scene, path: str) -> None:
    with writes() as written:
        answers = [Client().post(path, **one).status_code for one in bad_texts(path)]
        others = [
            Client().generic(method, path).status_code
            for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
        ]
    assert {*answers} == {403}
    assert {*others} == {405}
    assert written == []


def test_a_signature_is_good_for_its_own_address_only(ours: Scene) -> None:
    """What was signed for one attempt moves no other, and no text."""
    told = TOLD | {"AccountSid": settings.TWILIO_ACCOUNT_SID}
    one, other = (f"/webhooks/twilio/status/{uuid.uuid4()}" for _ in range(2))
    right = signature(settings.PUBLIC_BASE_URL + one, told, settings.TWILIO_AUTH_TOKEN)
    for path in (other, INBOUND):
        answer = Client().post(
            path, urlencode(told), content_type=FORM, headers={"X-Twilio-Signature": right}
        )
        assert answer.status_code == 403


@pytest.mark.usefixtures("postmark")
def test_what_the_mail_provider_did_not_send_is_refused_and_writes_nothing(ours: Scene) -> None:
    def basic(said: str) -> str:
        return "Basic " + base64.b64encode(said.encode()).decode()

    event, wrong = json.dumps(DELIVERY), {}
    said = ["", "Basic", "Basic !", basic(""), basic("x:y"), basic(SECRET[:-1]), f"Bearer {SECRET}",
            basic(SECRET + "x"), basic(SECRET.upper()), SECRET, "Basic " + "A" * 5000]  # fmt: skip
    with writes() as written:
        for one in said:
            for body, sort in ((event, "application/json"), ("[", "application/json"), ("", FORM)):
                status = (
                    Client()
                    .post(POSTMARK, body, content_type=sort, headers={"Authorization": one})
                    .status_code
                )
                if status != 403:
                    wrong[one, body] = status
        for method in ("GET", "PUT", "DELETE", "OPTIONS"):
            assert Client().generic(method, POSTMARK).status_code == 405
    assert wrong == {}
    assert written == []


def test_a_provider_that_is_not_ours_is_not_found(ours: Scene) -> None:
    for name in ("postmark", "sendgrid", "mailgun", "nobody", "-", "x" * 200):
        assert Client().post(f"/webhooks/email/{name}", "{}", FORM).status_code == 404

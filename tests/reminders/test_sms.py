"""What goes to Twilio and what its answer is taken for, beyond what the stand-in phone says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from reminders.channels import Accepted, Message, Unknown, sms
from tests.reminders.test_kept import Server

TEXT = Message(
    to="+12025550146",
    sender="+12025550100",
    subject="",
    text="Día 2: ¿todo bien? 100 % + más = https://a.example/r/x",
    html="",
    callback_url="https://a.example/webhooks/1#rc=5&rp=all",
    message_id="",
    valid_for=100_000,
)


@pytest.fixture
def twilio(settings: Settings) -> Iterator[Server]:
    server = Server()
    settings.TWILIO_API_BASE = server.url.partition("/messages")[0]
    sms.client.cache_clear()
    with closing(server.listener), closing(sms.client().http_client):
        yield server
    sms.client.cache_clear()


def answer(body: object) -> bytes:
    said = json.dumps(body).encode()
    return b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said)


def test_every_word_of_the_form_arrives_as_it_was_written(
    twilio: Server, settings: Settings
) -> None:
    twilio.scripts = [answer({"sid": "SM1", "status": "queued"})]
    assert sms.send(TEXT) == Accepted("SM1", "queued")
    ((_, request),) = twilio.requests
    head, _, body = request.partition(b"\r\n\r\n")
    account = settings.TWILIO_ACCOUNT_SID
    assert head.startswith(f"POST /2010-04-01/Accounts/{account}/Messages.json HTTP/1.1".encode())
    assert b"Content-Type: application/x-www-form-urlencoded" in head
    assert parse_qs(body.decode()) == {
        "To": [TEXT.to],
        "From": [TEXT.sender],
        "Body": [TEXT.text],
        "StatusCallback": [TEXT.callback_url],
        "ValidityPeriod": ["36000"],
    }


@pytest.mark.parametrize(
    "said", [{}, [], "SM1", None, 5, {"sid": "SM1"}, {"sid": None, "status": "queued"}], ids=str
)
def test_an_answer_that_names_no_message_leaves_it_unknown(twilio: Server, said: object) -> None:
    twilio.scripts = [answer(said)]
    assert sms.send(TEXT) == Unknown("no answer")


@given(st.text())
def test_a_form_is_written_as_the_library_writes_it(text: str) -> None:
    form = {"Body": text, "n": 5}
    assert urlencode(form, doseq=True, quote_via=sms._quoted) == urlencode(form)

"""Email through a provider's HTTP interface: what its status says becomes one of four outcomes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.utils import timezone
from pytest_django import Settings

from patients.models.patient import Channel
from reminders.channels import Accepted, Message, NotSent, Outcome, Rejected, Unknown, email
from reminders.channels.codes import Means
from reminders.dispatch import CALL_NEEDS
from reminders.looks import SENT_LOOKS, first_look
from reminders.models import Attempt

MESSAGE = Message(
    to="maria@example.org",
    sender="care@clinic.example",
    subject="Your next step",
    text="Hello",
    html="",
    callback_url="",
    message_id="<reminder.1@clinic.example>",
    valid_for=60,
)
TAKEN = b'{"To": "maria@example.org", "MessageID": "abc", "ErrorCode": 0, "Message": "OK"}'


@pytest.fixture
def postmark(settings: Settings) -> Iterator[list[int]]:
    """A mail provider; the list holds the status it answers next."""
    answers: list[int] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(answers[0])
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(TAKEN if answers[0] == 200 else b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "ours",
        "POSTMARK_API_URL": f"http://127.0.0.1:{server.server_port}/",
    }
    yield answers
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Accepted("abc", "sent")),
        (401, NotSent("401", Means.ACCOUNT)),
        (403, NotSent("403", Means.ACCOUNT)),
        (422, Rejected("422", Means.NOT_KNOWN)),
        (429, NotSent("429")),
        (500, Unknown("500")),
        (503, Unknown("503")),
    ],
)
def test_the_status_says_whether_the_mail_has_gone(
    postmark: list[int], status: int, outcome: Outcome
) -> None:
    postmark.append(status)
    assert email.send(MESSAGE) == outcome


@pytest.mark.parametrize("host", ["127.0.0.1:9", "no-such-host.invalid"])
def test_a_mail_whose_provider_cannot_be_reached_has_certainly_not_gone(
    settings: Settings, host: str
) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "ours",
        "POSTMARK_API_URL": f"http://{host}/",
    }
    assert email.send(MESSAGE) == NotSent("no connection")


def test_a_provider_that_takes_the_mail_and_says_nothing_leaves_it_unknown_within_the_calls_time(
    settings: Settings,
) -> None:
    connect, read = settings.ANYMAIL["REQUESTS_TIMEOUT"]
    assert (connect, read) == (3, 10)
    assert connect + read < CALL_NEEDS.total_seconds()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {
            "POSTMARK_SERVER_TOKEN": "ours",
            "POSTMARK_API_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/",
            "REQUESTS_TIMEOUT": (connect, 0.2),
        }
        assert email.send(MESSAGE) == Unknown("no answer")


def test_only_a_provider_whose_webhooks_tell_can_leave_a_mail_without_receipt(
    settings: Settings,
) -> None:
    now = timezone.now()
    accepted = Attempt.Outcome.ACCEPTED
    assert first_look(accepted, Channel.EMAIL, now) is None
    settings.EMAIL_PROVIDER = "postmark"
    assert (
        first_look(accepted, Channel.EMAIL, now)
        == now + timedelta(hours=72)
        == now + SENT_LOOKS[-1]
    )

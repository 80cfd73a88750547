"""A mail server that is slow at every step holds a call no longer than a call may take."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from reminders.channels import Accepted, NotSent, Outcome, Unknown, email, smtp
from reminders.dispatch import CALL_NEEDS
from tests.reminders.test_kept import known_as, nobody_let_in
from tests.reminders.test_mail_api import MESSAGE

EACH = 0.4  # seconds before each answer
AT_ONCE, ENOUGH, TOO_LITTLE = 0.0, 60.0, 3 * EACH  # seconds; either half has four answers


class Slow(socketserver.StreamRequestHandler):
    """Speaks SMTP, and waits before the answers it is told to be slow at."""

    server: SlowServer

    def handle(self) -> None:
        self.say("220 Hello", self.server.connecting)
        for line in self.rfile:
            word = line[:4].strip().upper()
            wait = self.server.connecting if word in (b"EHLO", b"AUTH") else self.server.sending
            if word == b"EHLO":
                self.say("250-Hello\r\n250 AUTH LOGIN", wait)
            elif word == b"AUTH":
                self.say("334 VXNlcm5hbWU6", wait)
                self.rfile.readline()
                self.say("235 Come in", wait)
            elif word == b"DATA":
                self.say("354 Go on", wait)
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.say("250 Kept", wait)
            elif word == b"QUIT":
                self.say("221 Bye", AT_ONCE)
                return
            else:
                self.say("250 OK", wait)

    def say(self, words: str, wait: float) -> None:
        time.sleep(wait)
        self.wfile.write(f"{words}\r\n".encode())


class SlowServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    connecting = sending = AT_ONCE

    def handle_error(self, *_: object) -> None:
        """Whoever lost patience has hung up."""


@pytest.fixture
def server(settings: Settings) -> Iterator[SlowServer]:
    with SlowServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.EMAIL_BACKEND = "reminders.channels.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.server_address[1]
        settings.EMAIL_USE_TLS = False
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "care", "secret"
        yield server
        server.shutdown()


def test_a_mails_time_fits_into_a_calls(settings: Settings) -> None:
    assert CALL_NEEDS.total_seconds() > smtp.CONNECT_SECONDS + settings.EMAIL_TIMEOUT


# Each answer by itself comes well within its time.
@pytest.mark.parametrize(
    ("connecting", "sending", "connect", "send", "outcome"),
    [
        (AT_ONCE, AT_ONCE, ENOUGH, ENOUGH, Accepted(MESSAGE.message_id, "sent")),
        (EACH, EACH, ENOUGH, ENOUGH, Accepted(MESSAGE.message_id, "sent")),
        (EACH, AT_ONCE, TOO_LITTLE, ENOUGH, NotSent("no connection")),
        (AT_ONCE, EACH, ENOUGH, TOO_LITTLE, Unknown("no answer")),
    ],
)
def test_the_answers_of_a_slow_server_share_one_time(
    server: SlowServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    connecting: float,
    sending: float,
    connect: float,
    send: float,
    outcome: Outcome,
) -> None:
    server.connecting, server.sending = connecting, sending
    settings.EMAIL_TIMEOUT = send
    monkeypatch.setattr(smtp, "CONNECT_SECONDS", connect)
    assert email.send(MESSAGE) == outcome


@pytest.mark.parametrize("is_ssl", [False, True])
def test_a_mail_host_of_many_silent_addresses_has_the_time_of_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, is_ssl: bool
) -> None:
    monkeypatch.setattr(smtp, "CONNECT_SECONDS", 1.0)
    settings.EMAIL_BACKEND = "reminders.channels.smtp.EmailBackend"
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = False, is_ssl
    with nobody_let_in("0.0.0.0") as port:  # noqa: S104
        settings.EMAIL_HOST, settings.EMAIL_PORT = "several.example", port
        known_as(monkeypatch, *((f"127.0.0.{number}", port) for number in range(1, 9)))
        began = time.monotonic()
        assert email.send(MESSAGE) == NotSent("no connection")
        assert time.monotonic() - began < 5  # it was a second for each of the eight


def test_behind_a_silent_address_the_mail_hosts_next_one_is_tried(
    server: SlowServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "CONNECT_SECONDS", 10.0)
    port = settings.EMAIL_PORT
    with nobody_let_in("127.0.0.2", port):
        settings.EMAIL_HOST = "several.example"
        known_as(monkeypatch, ("127.0.0.2", port), ("127.0.0.1", port))
        assert email.send(MESSAGE) == Accepted(MESSAGE.message_id, "sent")

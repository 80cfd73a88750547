"""A PostgreSQL that takes what it is sent and never answers: nobody waits for it for ever."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, close_old_connections, connection
from django.test import Client
from django.utils import timezone

from aftercare import hurry
from patients import links
from patients.models import OptOut, Treatment
from patients.patience import within
from reminders import letterbox, watch
from tests.builders import log, make_clinic, make_patient
from tests.reminders.test_webhooks import INBOUND, form, post
from tests.services.valkey import Valkey

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_postgres,
    pytest.mark.thorough,
]

SOON = 3.0  # seconds, of the tests: a page that is answered needs less on a slow machine, too


class Between:
    """A proxy before PostgreSQL. `silent`: whatever comes is taken, acknowledged and forgotten."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.silent = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self.listener.accept()
                threading.Thread(target=self._pass_on, args=(line,), daemon=True).start()

    def _pass_on(self, line: socket.socket) -> None:
        with line, socket.socket(socket.AF_UNIX) as there, contextlib.suppress(OSError):
            there.connect(self.server)
            while True:
                for one in select.select([line, there], [], [])[0]:
                    if not (part := one.recv(65536)):
                        return
                    if not self.silent:
                        (there if one is line else line).sendall(part)


@pytest.fixture
def treatment(transactional_db: None) -> Treatment:
    return log(patient=make_patient(clinic=make_clinic()))


@pytest.fixture
def between(
    treatment: Treatment, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Between]:
    here = connection.settings_dict
    proxy = Between(f"{here['HOST']}/.s.PGSQL.{here['PORT'] or 5432}")
    monkeypatch.setattr(hurry, "SOON", SOON)
    connection.close()
    with contextlib.closing(proxy.listener), pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.setitem(here, "HOST", "127.0.0.1")
        elsewhere.setitem(here, "PORT", proxy.port)
        elsewhere.setitem(here["OPTIONS"], "connect_timeout", 2)
        yield proxy
        proxy.silent = False
        connection.close()
    letterbox._server().delete(letterbox.WAITING)


@contextlib.contextmanager
def soon(seconds: float) -> Iterator[None]:
    """It is the waiting for ever that would be wrong: the machine may be slow."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def test_a_stop_that_the_database_never_acknowledges_is_kept_and_counts_later(
    between: Between,
) -> None:
    stop = form(From="+12025550146", Body="STOP", MessageSid="SM1")
    connection.ensure_connection()
    between.silent = True
    with soon(14):  # Twilio waits 15 s
        assert post(INBOUND, stop) == 200
    assert letterbox._server().llen(letterbox.WAITING) == 1
    between.silent = False
    letterbox.take_in()
    assert OptOut.objects.get().address == "+12025550146"


def test_a_patients_page_breaks_off_with_whom_to_call_and_opens_once_it_answers_again(
    between: Between, treatment: Treatment
) -> None:
    path = links.address_of(treatment).removeprefix(settings.PUBLIC_BASE_URL)
    client = Client(raise_request_exception=False)
    assert client.get(path).status_code == 200
    between.silent = True
    with soon(14):
        answer = client.get(path)
    assert answer.status_code == 500
    assert "call your clinic" in answer.content.decode()
    between.silent = False
    close_old_connections()  # as every request of a server begins
    assert client.get(path).status_code == 200


def test_what_is_waited_for_is_counted_together_and_what_is_done_between_is_not(
    between: Between,
) -> None:
    def ask(seconds: float) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [seconds])

    with within(3):
        ask(0.1)
        time.sleep(3)
        ask(0.1)
    with within(3):
        ask(1)  # two seconds to spare on a slow machine
        with pytest.raises(OperationalError):
            ask(2.1)
    connection.close()
    ask(0.1)  # nobody is in a hurry


def test_the_watch_notices_that_nothing_answers(
    between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    one = watch.Watch(now=now)
    told: list[str] = []
    monkeypatch.setattr(one, "_tell", told.append)
    one.look(now=now)
    between.silent = True
    with soon(14), within(SOON):
        one.look(now=now + timedelta(seconds=settings.ALARM_SECONDS + 1))
    assert told == [watch.AWAY]

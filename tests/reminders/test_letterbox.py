"""What Twilio tells while the database is away waits, sealed, and is taken in before any claim.

The database refuses by an execute wrapper here; `tests.faults` plays it with a server that is down.
"""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created
from django.test import Client
from pytest_django import Settings

from patients.models import OptOut, Patient
from reminders import letterbox
from reminders.dispatch import drain
from reminders.models import Alert, Attempt, Concern, InboundText, State
from reminders.moments import Skip
from tests.builders import log, make_clinic, reminder_of
from tests.phone.client import Phone
from tests.reminders.conftest import NOON
from tests.reminders.test_webhooks import INBOUND, form, post

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.both_databases,
    pytest.mark.usefixtures("box"),
]

NUMBER = "+12025550146"


@contextmanager
def database_away() -> Iterator[None]:
    def refuse(*call: Any) -> Any:
        raise OperationalError("the connection is lost")

    with connection.execute_wrapper(refuse):
        yield


@contextmanager
def database_only_read() -> Iterator[None]:
    """As a standby is, or a disk that was mounted to be read."""
    on, off = (
        ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off")
        if connection.vendor == "postgresql"
        else ("PRAGMA query_only = on", "PRAGMA query_only = off")
    )

    def make_so(**told: Any) -> None:  # a connection made meanwhile is no different
        connection.cursor().execute(on)

    make_so()
    connection_created.connect(make_so)
    try:
        yield
    finally:
        connection_created.disconnect(make_so)
        connection.cursor().execute(off)
        gc.collect()  # refused connections that errors still hold on to keep SQLite's file open


def waiting() -> list[str]:
    return [str(one) for one in letterbox._server().lrange(letterbox.WAITING, 0, -1)]


def test_a_stop_told_while_the_database_is_away_is_obeyed_before_anything_is_sent(
    patient: Patient, provider: Phone
) -> None:
    treatment = log(patient=patient)
    with database_away():
        assert post(INBOUND, form()) == 200
    assert not OptOut.objects.exists()
    drain()
    assert OptOut.objects.get().stopped
    assert reminder_of(treatment, "handover").skip_reason == Skip.OPTED_OUT.value
    assert not any(text["direction"] == "outbound-api" for text in reminders_on(provider))
    assert waiting() == []


def reminders_on(phone: Phone) -> list[dict[str, Any]]:
    return [one for one in phone.messages() if "/r/" in one["body"]]


def test_a_receipt_told_while_the_database_is_away_is_placed_later(
    patient: Patient, provider: Phone
) -> None:
    treatment = log(patient=patient)
    drain()
    address = f"/webhooks/twilio/status/{Attempt.objects.get().token}"
    with database_away():
        assert post(address, form()) == 204
    assert reminder_of(treatment, "handover").state == State.SENT
    letterbox.take_in()
    assert reminder_of(treatment, "handover").state == State.DELIVERED


def test_what_waits_can_be_read_by_nobody_who_lacks_the_key(patient: Patient) -> None:
    with database_away():
        post(INBOUND, form(Body="My cheek burns"))
    (sealed,) = waiting()
    assert "cheek" not in sealed
    assert NUMBER[1:] not in sealed


def test_a_question_is_answered_late_and_keeps_the_hour_it_came(
    noon: time_machine.Traveller, patient: Patient, provider: Phone
) -> None:
    with database_away():
        post(INBOUND, form(Body="Is this redness normal?"))
    assert provider.messages() == []
    noon.shift(timedelta(minutes=10))
    letterbox.take_in()
    assert InboundText.objects.get().received_at == NOON
    assert Concern.objects.get().kind == Concern.Kind.TEXT
    (answer,) = provider.messages(NUMBER)
    assert "Emergency: call 911" in answer["body"]


def test_the_same_word_told_twice_counts_once_and_is_answered_once(
    patient: Patient, provider: Phone
) -> None:
    with database_away():
        post(INBOUND, form(Body="Is this redness normal?"))
        post(INBOUND, form(Body="Is this redness normal?"))
    letterbox.take_in()
    assert InboundText.objects.count() == 1
    assert len(provider.messages(NUMBER)) == 1


def test_words_wait_on_while_the_database_stays_away(patient: Patient) -> None:
    with database_away():
        post(INBOUND, form())
        letterbox.take_in()
        assert len(waiting()) == 1
    letterbox.take_in()
    assert OptOut.objects.get().stopped
    assert waiting() == []


def test_words_wait_while_the_database_can_only_be_read(patient: Patient, provider: Phone) -> None:
    treatment = log(patient=patient)
    drain()
    with database_only_read():
        assert post(INBOUND, form()) == 200
        assert post(f"/webhooks/twilio/status/{Attempt.objects.get().token}", form()) == 204
        for _ in range(letterbox.MOST_TRIES + 1):
            letterbox.take_in()
        assert len(waiting()) == 2
    letterbox.take_in()
    assert OptOut.objects.get().stopped
    assert reminder_of(treatment, "handover").state == State.DELIVERED
    assert waiting() == []


@pytest.mark.only_postgres
def test_a_webhook_waits_once_for_a_server_that_says_nothing_and_is_kept(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twilio waits 15 seconds; each try at a connection may take five of them."""
    here = {"HOST": "127.0.0.1", "OPTIONS": {"connect_timeout": 2}}
    with socket.create_server(("127.0.0.1", 0)) as silent, monkeypatch.context() as elsewhere:
        connection.close()
        for name, value in (here | {"PORT": silent.getsockname()[1]}).items():
            elsewhere.setitem(connection.settings_dict, name, value)
        assert post(INBOUND, form()) == 200
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert len(waiting()) == 1
    letterbox.take_in()
    assert OptOut.objects.get().stopped


def test_a_word_nobody_can_open_is_set_aside_and_holds_up_no_other(
    patient: Patient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    key = settings.SECRET_KEY
    settings.SECRET_KEY = "a-key-that-was-forgotten-when-it-was-changed-for-another"
    with database_away():
        post(INBOUND, form(MessageSid="SM" + "7" * 32))
    settings.SECRET_KEY = key
    with database_away():
        post(INBOUND, form())
    letterbox.take_in()
    assert OptOut.objects.get().stopped
    assert letterbox._server().llen(letterbox.REFUSED) == 1
    assert "SECRET_KEY" in caplog.text
    assert Alert.objects.get().clinic == patient.clinic


@contextmanager
def word_refused(sid: str) -> Iterator[None]:
    """The database takes everything but what names this message."""

    def refuse(execute: Any, sql: str, params: Any, *call: Any) -> Any:
        if sid in str(params):
            raise OperationalError("canceling statement due to lock timeout")
        return execute(sql, params, *call)

    with connection.execute_wrapper(refuse):
        yield


def test_a_word_that_only_itself_is_refused_is_kept_aside_and_holds_up_no_other_for_long(
    patient: Patient, caplog: pytest.LogCaptureFixture
) -> None:
    poison = "SM" + "7" * 32
    with database_away():
        post(INBOUND, form(MessageSid=poison, Body="Is this normal?"))
        post(INBOUND, form())
    first, second = waiting()
    with word_refused(poison):
        for _ in range(letterbox.MOST_TRIES - 1):
            letterbox.take_in()
        assert waiting() == [first, second]
        letterbox.take_in()
    assert waiting() == []
    assert OptOut.objects.get().stopped
    assert letterbox._server().lrange(letterbox.REFUSED, 0, -1) == [first]
    assert letterbox._server().exists(letterbox.TRIES) == 0
    assert "set aside" in caplog.text
    assert NUMBER not in caplog.text
    (alert,) = Alert.objects.all()
    assert "may not have been taken in" in alert.words
    assert "normal" not in alert.words
    assert NUMBER not in alert.words


def test_staff_of_every_clinic_are_told_once_of_what_was_set_aside(
    patient: Patient, settings: Settings, provider: Phone
) -> None:
    clinics = [patient.clinic, make_clinic(slug="hillside", sms_sender="+12025550111")]
    key = settings.SECRET_KEY
    settings.SECRET_KEY = "a-key-that-was-forgotten-when-it-was-changed-for-another"
    with database_away():
        for number in range(3):
            post(INBOUND, form(MessageSid=f"SM{number:032}"))
    settings.SECRET_KEY = key
    letterbox.take_in()
    assert letterbox._server().llen(letterbox.REFUSED) == 3
    assert [one.clinic for one in Alert.objects.order_by("clinic")] == clinics


def test_what_can_be_told_to_nobody_is_set_aside_all_the_same(
    patient: Patient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with database_away():
        post(INBOUND, form())
    settings.SECRET_KEY = "another-key-under-which-nothing-that-was-kept-can-be-opened"
    with database_away():
        letterbox.take_in()
    assert letterbox._server().llen(letterbox.REFUSED) == 1
    assert waiting() == []
    assert "Staff could not be told" in caplog.text


def test_a_database_that_is_away_for_long_puts_no_word_aside(patient: Patient) -> None:
    with database_away():
        post(INBOUND, form())
        for _ in range(letterbox.MOST_TRIES + 1):
            letterbox.take_in()
        assert len(waiting()) == 1
    assert letterbox._server().llen(letterbox.REFUSED) == 0


def test_twilio_is_asked_to_come_again_if_there_is_no_place_at_all(
    patient: Patient, settings: Settings
) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    letterbox._server.cache_clear()
    try:
        with database_away(), pytest.raises(OperationalError):
            post(INBOUND, form())
    finally:
        letterbox._server.cache_clear()


def test_a_forged_word_is_refused_while_the_database_is_away(patient: Patient) -> None:
    with database_away():
        assert Client().post(INBOUND, form()).status_code == 403
    assert waiting() == []

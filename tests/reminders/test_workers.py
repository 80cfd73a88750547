"""Real workers and a real beat over a real Redis-protocol server."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from reminders.models import Attempt, Reminder, State
from tests.builders import log, make_clinic, make_patient
from tests.phone.client import Phone
from tests.services.running import Running
from tests.services.valkey import Valkey

pytestmark = pytest.mark.both_databases

MANY = 60


def addresses(phone: Phone) -> dict[str, object]:
    """Point a process at the stand-in provider, with a quick beat."""
    return {
        "TWILIO_API_BASE": phone.base_url,
        "EMAIL_PORT": phone.smtp_port,
        "TICK_SECONDS": "0.5",
    }


def count(messages: list[dict[str, Any]]) -> Counter[str]:
    return Counter(message["to"] for message in messages)


def test_what_falls_due_leaves_by_itself_through_beat_and_worker(
    celery_processes: Running, phone: Phone
) -> None:
    treatment = log(patient=make_patient(clinic=make_clinic()))
    celery_processes.worker(addresses(phone))
    celery_processes.beat(addresses(phone))
    phone.wait_for(lambda texts: len(texts) == 1, timeout=15, to="+12025550146")
    assert treatment.reminders.get(rule="handover").attempts.count() == 1


def test_two_workers_and_two_beats_send_each_reminder_once(
    celery_processes: Running, phone: Phone
) -> None:
    clinic = make_clinic()
    for number in range(MANY):
        log(patient=make_patient(clinic=clinic, phone=f"+1202555{1000 + number}"))
    phone.control(latency_ms=20)
    for _ in range(2):
        celery_processes.worker(addresses(phone), pool="prefork")
        celery_processes.beat(addresses(phone))
    phone.wait_for(lambda texts: len(texts) >= MANY, timeout=30)
    stats = phone.stats(brief=True)
    assert (stats["calls"], stats["created"]) == (MANY, MANY)
    assert set(count(phone.messages()).values()) == {1}
    assert Attempt.objects.count() == MANY


def test_the_rows_say_what_the_provider_saw(celery_processes: Running, phone: Phone) -> None:
    clinic = make_clinic()
    for number in range(5):
        log(patient=make_patient(clinic=clinic, phone=f"+1202555{1000 + number}"))
    worker = celery_processes.worker(addresses(phone))
    celery_processes.beat(addresses(phone))
    phone.wait_for(lambda texts: len(texts) == 5, timeout=15)
    celery_processes.stop()
    assert worker.poll() is not None
    states = Reminder.objects.filter(rule="handover").values_list("state", flat=True)
    assert set(states) <= {State.SENT, State.DELIVERED}


def test_what_is_logged_while_the_broker_is_away_leaves_when_it_returns(
    celery_processes: Running, valkey: Valkey, phone: Phone
) -> None:
    celery_processes.worker(addresses(phone))
    celery_processes.beat(addresses(phone))
    patient = make_patient(clinic=make_clinic())
    valkey.stop()
    try:
        treatment = log(patient=patient)
        assert treatment.reminders.count() == 9
        assert phone.messages() == []
    finally:
        valkey.start()
    phone.wait_for(lambda texts: len(texts) == 1, timeout=60, to="+12025550146")

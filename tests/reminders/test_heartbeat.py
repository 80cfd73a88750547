"""After a long silence: the machine was off, or the database was restored and has forgotten."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from patients.models import Clinic, Patient
from patients.models.patient import Channel
from reminders import circuits, dispatch, settle, tasks
from reminders.channels import NotSent
from reminders.claim import claim_due
from reminders.heartbeat import TICK
from reminders.models import Attempt, Circuit, Concern, Heartbeat, Receipt, Reminder, State
from reminders.outcomes import Result, record
from reminders.receipts import record_receipt
from tests.builders import log, make_clinic, make_patient
from tests.faults.cohort import noon_zone
from tests.phone.client import Phone

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

HOUR = timedelta(hours=1)
NUMBERS = [f"+1202555010{digit}" for digit in range(1, 6)]
MAIL = "maria@example.org"


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture
def clinic(db: None) -> Clinic:
    """Where it is noon: the provider keeps the real time, and no test may hang on the hour."""
    return make_clinic(zone=noon_zone())


@pytest.fixture
def provider(provider: Phone) -> Phone:
    provider.control(delays=0, receipts=False)
    return provider


def tick(**later: float) -> None:
    with time_machine.travel(timezone.now() + timedelta(**later)):
        tasks.drain()
        tasks.settle()


def log_all(clinic: Clinic, numbers: list[str]) -> None:
    for number in numbers:
        log(patient=make_patient(clinic=clinic, phone=number))


def log_mail(clinic: Clinic) -> None:
    log(patient=make_patient(clinic=clinic, phone="", email=MAIL, channel=Channel.EMAIL))


def restore(backup_at: datetime) -> None:
    """Bring the database back to before anything was sent; the phones and the cache stay."""
    Concern.objects.all().delete()
    called = list(Attempt.objects.values_list("reminder", flat=True))
    Receipt.objects.all().delete()
    Attempt.objects.all().delete()
    Reminder.objects.filter(pk__in=called).update(
        state=State.PLANNED, skip_reason="", state_at=backup_at, leaves_at=F("due_at"), claim=None
    )
    Heartbeat.objects.update(at=backup_at, doubt_until=None, restored=False)


def states() -> list[State]:
    rows = Reminder.objects.filter(rule="handover").order_by("id")
    return [State(row.state) for row in rows]


def doubled(provider: Phone) -> int:
    stats = provider.stats(brief=True)
    total: int = stats["doubled_texts"] + stats["doubled_mails"]
    return total


def created(provider: Phone) -> int:
    total: int = provider.stats(brief=True)["created"]
    return total


def test_after_a_plain_outage_what_fell_due_in_it_is_sent_at_once(
    clinic: Clinic, provider: Phone
) -> None:
    tick(hours=-1)
    with time_machine.travel(timezone.now() - timedelta(minutes=30)):
        log_all(clinic, NUMBERS[:2])
    tasks.drain()
    assert states() == [State.SENT] * 2
    assert provider.stats(brief=True)["lookups"] == {}
    assert Heartbeat.objects.get(name=TICK).doubt_until is None


def test_a_restored_database_sends_nothing_that_the_provider_has(
    clinic: Clinic, provider: Phone
) -> None:
    log_all(clinic, NUMBERS[:3])
    tick()
    log_all(clinic, NUMBERS[3:])
    restore(timezone.now() - HOUR)
    tick(seconds=1)
    assert states()[:3] == [State.DELIVERED] * 3
    tick(seconds=10)
    tick(minutes=20)
    assert (created(provider), doubled(provider)) == (5, 0)
    assert set(states()) <= {State.SENT, State.DELIVERED}
    assert provider.stats(brief=True)["calls"] == 5


def test_what_is_logged_after_the_restore_is_not_in_doubt(clinic: Clinic, provider: Phone) -> None:
    tick()
    restore(timezone.now() - HOUR)
    tick(seconds=1)
    with time_machine.travel(timezone.now() + timedelta(seconds=10)):
        log_all(clinic, NUMBERS[:1])
        tasks.drain()
    assert states() == [State.SENT]


def test_an_email_that_a_restored_database_may_have_sent_goes_to_a_nurse(
    clinic: Clinic, provider: Phone
) -> None:
    log_mail(clinic)
    tick()
    restore(timezone.now() - HOUR)
    for minutes in (1, 5, 50):
        tick(minutes=minutes)
    assert Concern.objects.get(closed_at=None).kind == Concern.Kind.UNKNOWN
    assert states() == [State.UNKNOWN]
    assert len(provider.messages(MAIL)) == 1


@pytest.mark.parametrize("had_it", [True, False])
def test_with_the_cache_lost_as_well_the_provider_is_asked(
    clinic: Clinic, provider: Phone, had_it: bool
) -> None:
    log_all(clinic, NUMBERS[:1])
    if had_it:
        tick()
    else:
        Heartbeat.objects.create(name=TICK, at=timezone.now())
    restore(timezone.now() - HOUR)
    cache.clear()
    tick(seconds=1)
    tick(seconds=5)
    assert provider.stats(brief=True)["lookups"]["list"] >= 1
    assert provider.stats(brief=True)["calls"] == 1


def test_with_the_cache_lost_an_email_is_sent(clinic: Clinic, provider: Phone) -> None:
    tick(hours=-1)
    cache.clear()
    log_mail(clinic)
    tasks.drain()
    assert states() == [State.SENT]


def test_a_cache_that_is_away_puts_the_gap_in_doubt_and_stops_nothing(
    clinic: Clinic, provider: Phone, settings: Settings
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:9",
        }
    }
    tick(hours=-1)
    log_all(clinic, NUMBERS[:1])
    tick(seconds=1)
    assert Heartbeat.objects.get(name=TICK).doubt_until is not None
    tick(seconds=5)
    assert states() == [State.SENT]


def test_while_the_provider_cannot_be_asked_after_a_restore_nothing_is_sent_blind(
    clinic: Clinic, provider: Phone
) -> None:
    log_all(clinic, NUMBERS[:1])
    tick()
    restore(timezone.now() - HOUR)
    provider.control(auth_fails=True)
    tick(seconds=1)
    tick(minutes=30)
    assert states() == [State.UNKNOWN]
    provider.control(auth_fails=False)
    tick(minutes=32)
    assert states() == [State.DELIVERED]
    assert provider.stats(brief=True)["calls"] == 1


# --- what holds a reminder back must not end the doubt about it ---


def test_a_reminder_that_waits_for_its_senders_pace_stays_in_doubt(
    clinic: Clinic, provider: Phone
) -> None:
    log_all(clinic, NUMBERS[:4])
    tick()
    clinic.sms_per_second = 1
    clinic.save(update_fields=["sms_per_second"])
    restore(timezone.now() - HOUR)
    tick(seconds=1)
    tick(seconds=20)
    assert doubled(provider) == 0


def test_a_reminder_that_a_circuit_holds_stays_in_doubt(clinic: Clinic, provider: Phone) -> None:
    log_all(clinic, NUMBERS[:2])
    tick()
    restore(timezone.now() - HOUR)
    circuits.trip(("sms", "account", ""), code="20003", clinics=[clinic], now=timezone.now())
    tick(seconds=1)
    Circuit.objects.all().delete()
    tick(minutes=2)
    assert doubled(provider) == 0


def test_a_reminder_that_the_night_holds_stays_in_doubt(clinic: Clinic, provider: Phone) -> None:
    in_zone_where_it_is(12, clinic)
    log_all(clinic, NUMBERS[:1])
    Reminder.objects.exclude(rule="handover").delete()
    Reminder.objects.update(rule="first-hour", not_after=timezone.now() + timedelta(days=1))
    tick()
    assert created(provider) == 1
    restore(timezone.now() - HOUR)
    in_zone_where_it_is(21, clinic)
    tick(seconds=1)
    tick(hours=12)
    assert doubled(provider) == 0


def in_zone_where_it_is(hour: int, clinic: Clinic) -> None:
    ahead = (hour - timezone.now().hour + 11) % 24 - 11
    clinic.zone = f"Etc/GMT{-ahead:+d}"  # their sign is the other way round
    clinic.save(update_fields=["zone"])
    assert timezone.now().astimezone(clinic.tz).hour == hour


def test_what_was_overdue_when_the_backup_was_made_is_in_doubt_as_well(
    clinic: Clinic, provider: Phone
) -> None:
    with time_machine.travel(timezone.now() - 2 * HOUR):
        log_all(clinic, NUMBERS[:1])
    tick()
    restore(timezone.now() - HOUR)
    tick(seconds=1)
    assert doubled(provider) == 0


def test_a_callback_for_a_forgotten_attempt_does_not_hide_its_message(
    clinic: Clinic, provider: Phone
) -> None:
    log_all(clinic, NUMBERS[:1])
    tick()
    (text,) = provider.messages()
    restore(timezone.now() - HOUR)
    record_receipt(token=uuid.uuid4(), provider_id=text["sid"], status="delivered", error_code="")
    for seconds in (1, 5, 30):
        tick(seconds=seconds)
    assert states() == [State.DELIVERED]
    assert doubled(provider) == 0


def test_a_worker_that_slept_through_the_window_moves_nothing_when_it_wakes(clinic: Clinic) -> None:
    log_all(clinic, NUMBERS[:1])
    claim = claim_due(now=timezone.now())
    ((ready,),) = dispatch._begin(claim)
    tick(minutes=2)
    Reminder.objects.update(not_after=timezone.now())
    until = timezone.now()
    Attempt.objects.update(looks=2, look_at=until)
    settle._write(settle.Answer(settle.Look(ready.attempt, "", until), []), now=timezone.now())
    assert states() == [State.SKIPPED]
    record([Result(ready.attempt, NotSent("lease"))], now=timezone.now())
    assert states() == [State.SKIPPED]


def test_a_backup_of_two_minutes_ago_is_noticed_as_well(clinic: Clinic, provider: Phone) -> None:
    log_all(clinic, NUMBERS[:1])
    tick()
    restore(timezone.now() - timedelta(minutes=2))
    tick(seconds=1)
    assert states() == [State.DELIVERED]
    assert provider.stats(brief=True)["calls"] == 1


def test_a_text_in_doubt_that_cannot_be_written_stops_no_other(
    clinic: Clinic, provider: Phone
) -> None:
    log_all(clinic, NUMBERS[:2])
    Patient.objects.filter(phone=NUMBERS[0]).update(zone="Nowhere/Land")
    Reminder.objects.update(gate_at=timezone.now() + HOUR)  # its words state an hour of that zone
    tick()
    restore(timezone.now() - HOUR)
    tick(seconds=1)
    assert states() == [State.FAILED, State.DELIVERED]

"""What machines ask of the site: is it alive, ready, and how is it?"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from patients.models import Clinic
from patients.models.patient import Channel
from reminders import heartbeat, letterbox
from reminders.concerns import raise_concern
from reminders.gauges import Gauges
from reminders.models import Alarm, Attempt, Circuit, Concern, Reminder, State
from tests.builders import log, make_attempt, make_patient, reminder_of, set_state
from tests.services.valkey import Valkey

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

TOKEN = "a-token-of-the-monitoring"


@pytest.fixture
def scraper(settings: Settings) -> Client:
    settings.METRICS_TOKEN = TOKEN
    return Client(headers={"Authorization": f"Bearer {TOKEN}"})


def figures(scraper: Client) -> dict[str, float]:
    answer = scraper.get("/metrics")
    assert answer.status_code == 200
    lines = answer.content.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name.removeprefix("aftercare_"): float(value) for name, value in pairs}


def reasons(path: str = "/readyz") -> list[str]:
    answer = Client().get(path)
    found: list[str] = answer.json()["reasons"]
    assert answer.status_code == (503 if found else 200)
    assert answer.json()["ready"] is not bool(found)
    return found


def test_alive_is_said_without_a_look_at_the_database(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"alive\n")
    assert "no-store" in answer["Cache-Control"]


def test_ready_when_everything_works(
    valkey: Valkey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    heartbeat.beat(now=timezone.now())
    with django_assert_num_queries(4):
        assert reasons() == []


def test_each_thing_that_is_missing_is_named_in_plain_words(
    valkey: Valkey, clinic: Clinic, settings: Settings
) -> None:
    assert reasons() == ["No worker has ever looked for due reminders."]
    heartbeat.beat(now=timezone.now() - timedelta(seconds=200))
    assert reasons() == ["No worker has looked for due reminders for 200 s."]
    heartbeat.beat(now=timezone.now())
    treatment = log(patient=make_patient(clinic=clinic))
    treatment.reminders.update(leaves_at=timezone.now() - timedelta(minutes=10))
    assert reasons() == ["The oldest due reminder is 600 s late."]
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert reasons()[0] == "Valkey or Redis (REDIS_URL) does not answer."


def test_a_migration_that_is_not_applied_is_said(valkey: Valkey) -> None:
    heartbeat.beat(now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE name LIKE '0006%%' AND app = 'reminders'"
        )
    for path in ("/readyz", "/readyz/web"):
        assert reasons(path) == ["1 migrations are not applied. Run: manage.py migrate"]


@pytest.mark.usefixtures("box")
def test_what_was_set_aside_is_said_and_counted(scraper: Client) -> None:
    heartbeat.beat(now=timezone.now())
    assert figures(scraper)["set_aside"] == 0
    letterbox._server().rpush(letterbox.REFUSED, "sealed", "sealed")
    assert reasons() == ["Kept webhooks that were set aside and not taken in: 2."]
    assert reasons("/readyz/web") == []
    assert figures(scraper)["set_aside"] == 2


def test_a_dead_worker_takes_no_page_away_from_the_proxy(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        assert reasons("/readyz/web") == []


@pytest.mark.parametrize("given", ["", "Bearer wrong", TOKEN, f"Basic {TOKEN}"])
def test_metrics_are_for_whoever_knows_the_token(settings: Settings, given: str) -> None:
    client = Client(headers={"Authorization": given} if given else {})
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics")
    assert answer.status_code == 403
    assert b"aftercare_" not in answer.content


def test_without_a_token_in_the_settings_an_empty_one_opens_nothing(settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert Client(headers={"Authorization": "Bearer "}).get("/metrics").status_code == 404


def test_an_empty_site_has_its_figures(scraper: Client, valkey: Valkey) -> None:
    found = figures(scraper)
    assert found["queue_depth"] >= 0
    del found["queue_depth"]
    assert set(found.values()) == {0.0}
    assert "tick_age_seconds" not in found  # nothing ever ticked


def test_every_figure_is_as_the_rows_say(scraper: Client, clinic: Clinic) -> None:
    now = timezone.now()
    heartbeat.beat(now=now - timedelta(seconds=7))
    treatment = log(patient=make_patient(clinic=clinic), logged_at=now - timedelta(minutes=2))
    treatment.reminders.filter(state=State.SKIPPED).update(state_at=now - timedelta(hours=2))
    handover, first_hour, day2, day3, week1 = (
        reminder_of(treatment, rule)
        for rule in ("handover", "first-hour", "cleanse", "day-3", "week-1")
    )
    Reminder.objects.filter(pk=handover.pk).update(leaves_at=now - timedelta(seconds=90))
    Reminder.objects.filter(pk=first_hour.pk).update(leaves_at=now + timedelta(minutes=58))
    for row, state in (
        (day2, State.UNKNOWN), (day3, State.NO_RECEIPT), (week1, State.FAILED)
    ):  # fmt: skip
        set_state(row, state, at=now - timedelta(minutes=5))
    make_attempt(week1, outcome=Attempt.Outcome.ACCEPTED, error_code="30005")
    raise_concern(Concern.Kind.FAILED, reminder=week1, now=now - timedelta(minutes=4))
    raise_concern(Concern.Kind.UNKNOWN, reminder=day2, now=now)
    Concern.objects.filter(kind=Concern.Kind.UNKNOWN).update(acknowledged_at=now)
    Circuit.objects.create(
        channel=Channel.SMS, scope="account", code="20003", opened_at=now, closes_at=now
    )
    Alarm.objects.create(clinic=clinic, kind=Alarm.Kind.FAILURES, began_at=now)
    found = figures(scraper)
    assert 7 <= found.pop("tick_age_seconds") < 60
    assert 90 <= found.pop("overdue_oldest_seconds") < 150
    assert 300 <= found.pop("unknown_oldest_seconds") < 360
    assert 240 <= found.pop("concerns_oldest_seconds") < 300
    assert found.pop("planned_ahead") >= 1
    found.pop("queue_depth", None)
    assert {name: value for name, value in found.items() if value} == {
        "due": 1.0,
        "overdue": 1.0,
        "unknown": 1.0,
        "no_receipt": 1.0,
        "circuits_open": 1.0,
        'ended{channel="sms",state="failed"}': 1.0,
        'ended{channel="sms",state="no receipt"}': 1.0,
        'failed{channel="sms",code="30005"}': 1.0,
        "concerns_open": 2.0,
        "concerns_unacknowledged": 1.0,
        'alarms{kind="failures"}': 1.0,
    }


def test_the_metrics_ask_twelve_questions_of_one_treatment_or_of_thirty(
    scraper: Client, clinic: Clinic, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        log(patient=make_patient(clinic=clinic, phone=f"+120255501{number:02}"))
        if number in (0, 29):
            with django_assert_num_queries(12):
                figures(scraper)


def test_the_metrics_read_through_no_whole_table(clinic: Clinic) -> None:
    """Every question about reminders goes through an index, however many there are."""
    log(patient=make_patient(clinic=clinic))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        list(Gauges(now=timezone.now()).collect())
        heartbeat.oldest_overdue(now=timezone.now())
    about = [one["sql"] for one in asked if "reminders_reminder" in one["sql"]]
    assert len(about) >= 9
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # a table of a few rows is read whole
        for sql in about:
            explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            cursor.execute(f"{explain} {sql}")
            plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
            whole = r"Seq Scan on reminders_reminder|SCAN reminders_reminder(?! USING INDEX)"
            assert not re.search(whole, plan), f"{sql}\n{plan}"

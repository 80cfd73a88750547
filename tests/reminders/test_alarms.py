"""Staff are told, once, that the site itself is in trouble, and once more when it is over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.utils import timezone

from patients.acts import report_signs
from patients.models import Clinic
from patients.protocol import TierAction
from reminders import alarms, heartbeat, tasks
from reminders.models import Alarm, Alert, Reminder, State
from reminders.watch import Watch
from tests.builders import log, make_clinic, make_patient
from tests.phone.client import Phone
from tests.services.running import Running
from tests.services.runtime import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

PHONE, MAIL = "+12025550177", "lead@lakeside.example"
NOW = timezone.now().replace(microsecond=0)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def clinic(db: None) -> Clinic:
    cache.clear()
    made = make_clinic()
    made.alert_phone, made.alert_email = PHONE, MAIL
    made.save(update_fields=["alert_phone", "alert_email"])
    return made


def words() -> list[str]:
    return list(Alert.objects.order_by("id").values_list("words", flat=True))


def sent(provider: Phone) -> tuple[list[str], int]:
    """The texts, and how many mails."""
    return [one["body"] for one in provider.messages(PHONE)], len(provider.messages(MAIL))


# --- the dispatcher -------------------------------------------------------------------------------


def test_a_dead_dispatcher_is_told_by_another_process_once_by_text_and_mail_with_an_all_clear(
    provider: Phone,
) -> None:
    began = timezone.now() - timedelta(hours=1)
    heartbeat.beat(now=timezone.now() - 3 * MINUTE)
    watches = [Watch(now=began), Watch(now=began)]
    for _ in range(3):
        for watch in watches:
            watch.look(now=timezone.now())
    texts, mails = sent(provider)
    assert (len(texts), mails) == (1, 1)
    assert texts[0].startswith("Aftercare: No reminder can leave: no worker has run since ")
    heartbeat.beat(now=timezone.now())
    for watch in watches:
        watch.look(now=timezone.now())
    tasks.settle()  # the worker that is back sends it
    texts, mails = sent(provider)
    assert texts[1:] == ["Aftercare: All clear: reminders leave again."]
    assert mails == 2
    heartbeat.beat(now=timezone.now() - 3 * MINUTE)  # and dies again
    watches[0].look(now=timezone.now() + 3 * MINUTE)
    assert len(sent(provider)[0]) == 3


def test_it_is_told_after_two_minutes_and_not_before() -> None:
    heartbeat.beat(now=NOW)
    assert not alarms.watch_dispatcher(now=NOW + 2 * MINUTE, since=NOW - timedelta(days=1))
    assert words() == []
    late = NOW + 2 * MINUTE + timedelta(seconds=1)
    assert alarms.watch_dispatcher(now=late, since=NOW - timedelta(days=1))
    assert len(words()) == 1


def test_a_site_that_starts_after_a_night_gives_its_worker_time_to_start() -> None:
    heartbeat.beat(now=NOW - timedelta(hours=9))
    assert not alarms.watch_dispatcher(now=NOW + MINUTE, since=NOW)
    assert alarms.watch_dispatcher(now=NOW + 3 * MINUTE, since=NOW)


def test_a_web_server_that_starts_anew_does_not_clear_an_alarm_that_still_holds() -> None:
    heartbeat.beat(now=NOW - timedelta(hours=9))
    alarms.watch_dispatcher(now=NOW, since=NOW - timedelta(hours=1))
    alarms.watch_dispatcher(now=NOW + MINUTE, since=NOW)
    assert Alarm.objects.filter(ended_at=None).count() == len(words()) == 1


def test_while_the_worker_is_dead_a_report_still_reaches_the_nurse(
    provider: Phone, clinic: Clinic
) -> None:
    heartbeat.beat(now=timezone.now() - 3 * MINUTE)
    clinic.nurse_phone = "+12025550188"
    clinic.save(update_fields=["nurse_phone"])
    treatment = log(patient=make_patient(clinic=clinic))
    report_signs(treatment=treatment, tier=TierAction.PAGE_NURSE, signs=["pus"], now=timezone.now())
    Watch(now=timezone.now() - timedelta(hours=1)).look(now=timezone.now())
    assert len(provider.messages("+12025550188")) == 1


def test_every_clinic_is_told_once_however_many_processes_notice(clinic: Clinic) -> None:
    make_clinic(slug="harbour", name="Harbour Skin", sms_sender="+12025550110")
    heartbeat.beat(now=NOW - 3 * MINUTE)

    def look(_: int) -> None:
        try:
            alarms.watch_dispatcher(now=NOW, since=NOW - timedelta(hours=1))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(look, range(8)))
    assert Alert.objects.count() == Alarm.objects.count() == 2


def test_a_running_web_server_tells_that_no_worker_runs(
    celery_processes: Running, provider: Phone
) -> None:
    """The real thing: gunicorn, its own thread, its own texts."""
    heartbeat.beat(now=timezone.now() - timedelta(hours=1))
    celery_processes.site(
        {
            "ALARM_SECONDS": 1,
            "TWILIO_API_BASE": provider.base_url,
            "EMAIL_PORT": provider.smtp_port,
        }
    )
    wait_for(lambda: provider.messages(PHONE), seconds=40, what="staff are told")
    wait_for(lambda: provider.messages(MAIL), seconds=10, what="by mail, too")


def test_beat_watches_as_well(celery_processes: Running, provider: Phone) -> None:
    heartbeat.beat(now=timezone.now() - timedelta(hours=1))
    celery_processes.beat({"ALARM_SECONDS": 1, "TWILIO_API_BASE": provider.base_url})
    wait_for(lambda: provider.messages(PHONE), seconds=40, what="staff are told")


# --- the database ---------------------------------------------------------------------------------


def test_a_database_that_is_away_is_told_at_the_addresses_last_seen(provider: Phone) -> None:
    heartbeat.beat(now=timezone.now())
    now = timezone.now()
    watches = [Watch(now=now), Watch(now=now)]
    for watch in watches:
        watch.look(now=now)
    connection.close()
    name = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = f"{name}/nowhere"
    try:
        for seconds in (15, 119, 121, 136):
            for watch in watches:
                watch.look(now=now + timedelta(seconds=seconds))
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
    said = "Aftercare: The database does not answer: pages and reminders stand still."
    assert sent(provider) == ([f"{said} Start PostgreSQL."], 1)
    for watch in watches:
        watch.look(now=now + timedelta(seconds=151))
    assert sent(provider)[0][1:] == ["Aftercare: All clear: the database answers again."]


# --- the messages ---------------------------------------------------------------------------------


def ended(clinic: Clinic, **numbers: int) -> None:
    """So many reminders in each state, half an hour ago."""
    for state, number in numbers.items():
        for _ in range(number):
            serial = Reminder.objects.count()
            treatment = log(patient=make_patient(clinic=clinic, phone=f"+1202556{serial:04}"))
            treatment.reminders.exclude(rule="handover").update(state_at=NOW - timedelta(days=1))
            treatment.reminders.filter(rule="handover").update(
                state=State[state.upper()], state_at=NOW - 30 * MINUTE
            )


@pytest.mark.parametrize(
    ("failed", "delivered", "told"),
    [(4, 0, False), (5, 20, True), (5, 21, False), (0, 9, False)],
)
def test_failures_are_told_when_they_pass_a_rate(
    clinic: Clinic, failed: int, delivered: int, told: bool
) -> None:
    ended(clinic, failed=failed, delivered=delivered)
    alarms.watch_messages(now=NOW)
    alarms.watch_messages(now=NOW)
    if told:
        assert words() == [
            "5 of 25 messages of the last hour failed. See why: http://localhost:8000/board/"
        ]
        alarms.watch_messages(now=NOW + timedelta(hours=1))
        assert words()[1:] == ["All clear: 0 of 0 messages of the last hour failed."]
    else:
        assert words() == []


def test_one_clinics_failures_are_not_told_to_another(clinic: Clinic) -> None:
    make_clinic(slug="harbour", name="Harbour Skin", sms_sender="+12025550110")
    ended(clinic, failed=6)
    alarms.watch_messages(now=NOW)
    assert [one.clinic for one in Alert.objects.all()] == [clinic]


def test_an_hour_in_which_nothing_was_delivered_that_should_have_been_is_told(
    clinic: Clinic,
) -> None:
    ended(clinic, sent=4)
    alarms.watch_messages(now=NOW)
    assert words() == []
    ended(clinic, sent=1)
    alarms.watch_messages(now=NOW - 25 * MINUTE)  # they have had no time to arrive
    assert words() == []
    for _ in range(2):
        alarms.watch_messages(now=NOW)
    said = "Nothing was delivered in the last hour: 5 texts went out unconfirmed, 0 due reminders"
    assert words() == [f"{said} did not leave. Look at the provider's console."]
    alarms.watch_messages(now=NOW + timedelta(hours=5))  # a quiet night proves nothing
    assert len(words()) == 1
    ended(clinic, delivered=1)
    alarms.watch_messages(now=NOW)
    assert words()[1:] == ["All clear: texts are delivered again."]


def test_what_is_due_and_does_not_leave_counts_as_not_delivered(clinic: Clinic) -> None:
    for number in range(5):
        treatment = log(patient=make_patient(clinic=clinic, phone=f"+120255501{number:02}"))
        treatment.reminders.filter(rule="handover").update(leaves_at=NOW - 11 * MINUTE)
    alarms.watch_messages(now=NOW)
    assert "5 due reminders did not leave" in words()[0]


def test_an_hour_without_any_message_is_no_alarm(clinic: Clinic) -> None:
    alarms.watch_messages(now=NOW)
    ended(clinic, delivered=1, sent=9)
    alarms.watch_messages(now=NOW)
    assert words() == []


def test_every_alarm_fits_into_two_segments_of_plain_letters(clinic: Clinic) -> None:
    heartbeat.beat(now=NOW - timedelta(days=1))
    alarms.watch_dispatcher(now=NOW, since=NOW - timedelta(hours=1))
    ended(clinic, sent=5, failed=5)
    alarms.watch_messages(now=NOW)
    assert len(words()) == 3
    for said in words():
        assert said.isascii()
        assert len(f"Aftercare: {said}") <= 2 * 153

"""Webhooks that meet each other, staff or the dispatcher in the middle: all of them get through."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from patients.acts import stop_messages
from patients.models import OptOut, Patient, StaffUser, Treatment
from patients.models.patient import Channel
from reminders.amending import correct_time
from reminders.by_email import send_page_by_email
from reminders.channels import Accepted, Rejected
from reminders.channels.codes import Means
from reminders.claim import claim_due, open_attempts
from reminders.inbox import receive_text
from reminders.models import Attempt, Concern, InboundText, Receipt, Reminder, State
from reminders.moments import Skip
from reminders.outcomes import Result, record
from reminders.receipts import record_receipt
from tests.builders import (
    SENDER,
    log,
    make_attempt,
    make_clinic,
    make_patient,
    make_staff,
    reminder_of,
    set_state,
)
from tests.reminders.crossing import cross
from tests.reminders.test_mail_events import BOUNCE, MESSAGE, SECRET, tell
from tests.reminders.test_webhooks import INBOUND, form, post
from tests.services.runtime import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

NUMBER = "+12025550146"
SID = "SM" + "5" * 32
REMINDER_MOVES = 'UPDATE "reminders_reminder"'


@pytest.fixture
def treatment() -> Treatment:
    """Logged, and its handover text is out."""
    treatment = log(patient=make_patient(clinic=make_clinic(), email="maria@example.org"))
    make_attempt(set_state(reminder_of(treatment, "handover"), State.SENT))
    return treatment


@pytest.fixture
def staff(treatment: Treatment) -> StaffUser:
    return make_staff(clinic=treatment.patient.clinic)


def text(body: str, number: int = 1, sender: str = NUMBER) -> str:
    return receive_text(provider_id=f"SM{number:032}", sender=sender, recipient=SENDER, body=body)


def fail(reminder: Reminder, code: str) -> None:
    token = reminder.attempts.get().token
    record_receipt(token=token, provider_id=SID, status="undelivered", error_code=code)


@pytest.mark.parametrize("code", ["30005", "21610"])
def test_a_failed_receipt_and_a_start_both_get_through(treatment: Treatment, code: str) -> None:
    text("STOP", 1)
    handover = reminder_of(treatment, "handover")
    cross(lambda: fail(handover, code), lambda: text("START", 2), after=REMINDER_MOVES)
    handover.refresh_from_db()
    assert handover.state == State.FAILED
    assert InboundText.objects.count() == 2
    assert Concern.objects.filter(kind=Concern.Kind.FAILED).exists()


def test_a_failed_receipt_and_a_correction_both_get_through(
    treatment: Treatment, staff: StaffUser
) -> None:
    handover = reminder_of(treatment, "handover")
    earlier = treatment.treated_at - timedelta(minutes=20)
    cross(
        lambda: fail(handover, "30005"),
        lambda: correct_time(treatment=treatment, treated_at=earlier, reason="Typo", by=staff),
        after=REMINDER_MOVES,
    )
    handover.refresh_from_db()
    assert handover.state == State.FAILED
    assert Treatment.objects.get().treated_at == earlier


def test_an_answer_by_text_and_the_page_by_email_both_get_through(
    treatment: Treatment, staff: StaffUser
) -> None:
    check_in = set_state(reminder_of(treatment, "day-3"), State.SENT)
    Reminder.objects.filter(pk=check_in.pk).update(leaves_at=timezone.now())
    cross(
        lambda: text("yes"),
        lambda: send_page_by_email(
            treatment=treatment, email="new@example.org", by=staff, now=timezone.now()
        ),
        after='SELECT "patients_patient"',
    )
    assert Patient.objects.get().email == "new@example.org"
    assert treatment.check_ins.count() == 1


@pytest.mark.parametrize("sender", [NUMBER, "+12025550177"])
def test_the_same_text_delivered_twice_at_once_is_one(treatment: Treatment, sender: str) -> None:
    def once() -> str:
        return text("STOP", sender=sender)

    cross(once, once, after='FROM "reminders_inboundtext"')
    assert OptOut.objects.count() == InboundText.objects.count() == 1


@pytest.mark.only_postgres
def test_a_text_that_waited_too_long_for_a_lock_is_taken_in_at_the_second_try(
    treatment: Treatment,
) -> None:
    refused = threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(Patient.objects.select_for_update(no_key=True))
            refused.wait(10)

    def tell_when_refused(execute: Callable[..., Any], *call: Any) -> Any:
        try:
            return execute(*call)
        except OperationalError:
            refused.set()
            raise

    def arrive() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        with connection.execute_wrapper(tell_when_refused):
            return post(INBOUND, form())

    assert cross(hold, arrive, after='SELECT "patients_patient"')[1] == 200
    assert OptOut.objects.get().stopped


@pytest.mark.only_postgres
def test_a_stop_on_the_page_locks_whom_it_reaches_in_the_order_of_a_text(
    treatment: Treatment,
) -> None:
    """Two on one number, and the later one lies first on the disk: crossed, they would deadlock."""
    first = treatment.patient
    second = make_patient(clinic=first.clinic, first_name="Ana", phone=NUMBER)
    Patient.objects.filter(pk=first.pk).update(first_name="Mariana")  # written anew, behind it
    sessions: list[int] = []

    def press() -> None:
        connection.ensure_connection()
        sessions.append(connection.connection.info.backend_pid)
        stop_messages(treatment=treatment, now=timezone.now())
        connection.close()

    pressing = threading.Thread(target=press)
    with transaction.atomic():
        Patient.objects.select_for_update(no_key=True).get(pk=first.pk)
        pressing.start()
        wait_for(
            lambda: sessions and waits(sessions[0]), seconds=30, what="the press waits for the lock"
        )
        Patient.objects.select_for_update(no_key=True, nowait=True).get(pk=second.pk)
    pressing.join()
    assert OptOut.objects.get(address=NUMBER).stopped


def waits(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s))", [pid])
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("first", "after"),
    [
        ("webhook", 'FROM "reminders_attempt"'),
        ("record", 'INSERT INTO "reminders_receipt"'),
        ("record", 'FROM "reminders_receipt"'),
    ],
)
def test_a_bounce_that_meets_the_record_of_its_mail_is_placed(
    settings: Settings, first: str, after: str
) -> None:
    settings.EMAIL_PROVIDER, settings.ANYMAIL = "postmark", {"WEBHOOK_SECRET": SECRET}
    patient = make_patient(
        clinic=make_clinic(), channel=Channel.EMAIL, email="maria@example.org", phone=""
    )
    mail = set_state(reminder_of(log(patient=patient), "handover"), State.SENDING)
    attempt = make_attempt(mail, outcome=Attempt.Outcome.OPEN)
    taken = [Result(attempt, Accepted(MESSAGE, "sent"))]
    acts: dict[str, Callable[[], Any]] = {
        "webhook": lambda: tell(**BOUNCE),
        "record": lambda: record(taken, now=timezone.now()),
    }
    cross(acts.pop(first), acts.popitem()[1], after=after)
    mail.refresh_from_db()
    assert mail.state == State.FAILED
    assert not Receipt.objects.filter(attempt=None).exists()
    assert Concern.objects.get().kind == Concern.Kind.FAILED


@pytest.mark.only_postgres
def test_a_connection_that_broke_unseen_is_replaced_and_the_webhook_taken_in(
    treatment: Treatment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not asked beforehand whether it lives: every receipt would pay for that."""
    asked: list[bool] = []
    is_usable = connection.is_usable

    def ask() -> bool:
        asked.append(is_usable())
        return asked[-1]

    monkeypatch.setattr(connection, "is_usable", ask)
    token = reminder_of(treatment, "handover").attempts.get().token
    told = [(f"/webhooks/twilio/status/{token}", form(), 204), (INBOUND, form(), 200)]
    for path, data, answer in told:
        connection.ensure_connection()
        look_first()
        before = connection.connection.info.backend_pid
        in_thread(end_session, before)
        assert post(path, data) == answer
        assert connection.connection.info.backend_pid != before
        assert len(asked) == 1  # once it had failed
        look_first()
        assert post(path, data) == answer
        assert len(asked) == 1
        asked.clear()
    assert reminder_of(treatment, "handover").state == State.DELIVERED
    assert OptOut.objects.get().stopped


def look_first() -> None:
    """As at the begin of a request: what uses the connection first asks whether it lives."""
    connection.health_check_enabled = True  # type: ignore[attr-defined] # (not in the stubs)
    connection.health_check_done = False  # type: ignore[attr-defined]


def end_session(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    connection.close()


def in_thread(act: Callable[[int], None], pid: int) -> None:
    thread = threading.Thread(target=act, args=(pid,))
    thread.start()
    thread.join()


def test_no_claim_commits_after_a_refusal_that_means_stop(
    noon: time_machine.Traveller, treatment: Treatment
) -> None:
    now = timezone.now()
    Reminder.objects.filter(rule="handover").update(state=State.PLANNED)
    Attempt.objects.update(outcome=Attempt.Outcome.NOT_SENT)
    claim = claim_due(now=now)
    opened = open_attempts(
        claim,
        [
            Attempt(reminder=one, called_at=now, lease_until=claim.lease_until, to_address=NUMBER)
            for one in claim.reminders
        ],
    )
    refused = [Result(one, Rejected("21610", Means.OPTED_OUT)) for one in opened]
    Reminder.objects.filter(rule="first-hour").update(leaves_at=now)
    _, crossing = cross(
        lambda: record(refused, now=now),
        lambda: claim_due(now=now),
        after='INSERT INTO "patients_optout"',
    )
    assert crossing.reminders == []
    assert reminder_of(treatment, "first-hour").skip_reason == Skip.OPTED_OUT.value
    assert reminder_of(treatment, "handover").skip_reason == Skip.OPTED_OUT.value

"""What is not known is asked of the provider, and never sent again on a guess."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from patients.models import Clinic
from patients.models.clinic import Role
from patients.models.patient import Channel
from reminders import settle as settling
from reminders.channels import Accepted, Listed, sms
from reminders.claim import LEASE, claim_due, open_attempts, release_expired
from reminders.dispatch import drain
from reminders.models import Attempt, Concern, Receipt, Reminder, State
from reminders.moments import Skip
from reminders.outcomes import Result, record
from reminders.receipts import record_receipt
from reminders.treatments import correct_time
from tests.builders import OFFICE, SENDER, log, make_patient, make_staff, reminder_of, set_state
from tests.phone.client import Phone

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

NUMBER = "+12025550101"
LOOKS = (102, 302, 602)  # seconds: a sixth, half and the whole of the window, and a little
SID = "SM" + "3" * 32
Outcome = Attempt.Outcome


@pytest.fixture
def provider(provider: Phone) -> Phone:
    """Its statuses move at once and it never calls back: here we ask."""
    provider.control(delays=0, receipts=False, hang_s=0.05)
    return provider


def send(clinic: Clinic, *, number: str = NUMBER) -> Reminder:
    """The handover to this number, after the call."""
    treatment = log(patient=make_patient(clinic=clinic, phone=number))
    drain()
    return reminder_of(treatment, "handover")


def at(seconds: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds))


def settle_at(*looks: float) -> None:
    for seconds in looks:
        with at(seconds):
            settling.settle()


def state_of(reminder: Reminder) -> State:
    reminder.refresh_from_db()
    return State(reminder.state)


def calls(provider: Phone) -> int:
    made: int = provider.stats(brief=True)["calls"]
    return made


def say(attempt: Attempt, status: str, *, sid: str = SID) -> None:
    record_receipt(token=attempt.token, provider_id=sid, status=status, error_code="")


# --- found ---


@pytest.mark.parametrize("fault", ["500_after", "reset", "timeout", "garbage"])
def test_an_unknown_that_the_provider_has_ends_accepted_and_is_not_sent_again(
    clinic: Clinic, provider: Phone, fault: str
) -> None:
    provider.control(next={fault: 1})
    reminder = send(clinic)
    assert reminder.state == State.UNKNOWN
    settle_at(LOOKS[0])
    attempt = reminder.attempts.get()
    (text,) = provider.messages(NUMBER)
    assert (state_of(reminder), attempt.outcome) == (State.DELIVERED, Outcome.ACCEPTED)
    assert attempt.receipts.get().provider_id == text["sid"]
    with at(3600):
        drain()
    assert calls(provider) == 1


def test_what_the_list_shows_late_is_found_within_the_window(
    clinic: Clinic, provider: Phone
) -> None:
    provider.control(next={"500_after": 1}, list_lag_s=3600)
    reminder = send(clinic)
    settle_at(*LOOKS[:2])
    assert state_of(reminder) == State.UNKNOWN
    provider.control(list_lag_s=0)
    settle_at(LOOKS[2])
    assert state_of(reminder) == State.DELIVERED


def test_a_message_is_found_behind_several_pages_of_others(clinic: Clinic, provider: Phone) -> None:
    provider.control(next={"500_after": 1})
    reminder = send(clinic)
    for number in range(sms.LIST_PAGE + 5):
        sms.client().messages.create(to=NUMBER, from_=SENDER, body=f"Another text, {number}")
    settle_at(LOOKS[0])
    assert state_of(reminder) == State.DELIVERED


def test_two_unknowns_with_the_same_words_to_one_number_take_two_sids(
    clinic: Clinic, provider: Phone
) -> None:
    provider.control(rates={"500_after": 1})
    first = send(clinic)
    second = resend(first)
    drain()
    settle_at(LOOKS[0])
    assert (state_of(first), state_of(second)) == (State.DELIVERED, State.DELIVERED)
    taken = {receipt.provider_id for receipt in Receipt.objects.all()}
    assert taken == {text["sid"] for text in provider.messages(NUMBER)}
    assert len(taken) == 2


def resend(reminder: Reminder) -> Reminder:
    """What staff do: the same words once more, as a second occurrence."""
    again = Reminder.objects.get(pk=reminder.pk)
    again.pk, again._state.adding, again.occurrence = None, True, 2
    return set_state(again, State.PLANNED) if again.save() else again


def test_of_two_unknowns_with_the_same_words_each_finds_its_own(clinic: Clinic) -> None:
    # The first one's list shows both messages, the second one's only its own.
    first, second = (unknown(clinic, occurrence=n) for n in (1, 2))
    words = next(settling._words_of(first))
    hers, his = (
        Listed(sid, "sent", "", words, first.called_at + timedelta(minutes=minute))
        for minute, sid in enumerate(("SM" + "4" * 32, SID))
    )
    for attempt, found in ((first, [his, hers]), (second, [his])):
        settling._write(settling.Answer(settling.Look(attempt, ""), found), now=timezone.now())
    for attempt in (first, second):
        attempt.refresh_from_db()
        assert attempt.outcome == Outcome.ACCEPTED


def unknown(clinic: Clinic, *, occurrence: int = 1) -> Attempt:
    """The call of a worker that died in it; nobody had it."""
    if occurrence == 1:
        log(patient=make_patient(clinic=clinic, phone=NUMBER))
    else:
        resend(Reminder.objects.get(rule="handover"))
    claim = claim_due(now=timezone.now())
    (reminder,) = claim.reminders
    now = timezone.now()
    body = "Your recovery page."
    to = reminder.treatment.patient.address(reminder.channel)
    attempt = Attempt(
        reminder=reminder, called_at=now, lease_until=now + LEASE, to_address=to, body=body
    )
    (opened,) = open_attempts(claim, [attempt])
    with at(LEASE.total_seconds() + 1):
        release_expired(now=timezone.now())
    return Attempt.objects.select_related("reminder__treatment").get(pk=opened.pk)


# --- not found ---


@pytest.mark.parametrize("fault", ["500", "reset_before"])
def test_what_three_looks_do_not_find_is_sent_once_more(
    clinic: Clinic, provider: Phone, fault: str
) -> None:
    provider.control(next={fault: 1})
    reminder = send(clinic)
    settle_at(*LOOKS[:2])
    assert state_of(reminder) == State.UNKNOWN
    settle_at(LOOKS[2])
    assert state_of(reminder) == State.PLANNED
    with at(LOOKS[2] + 5):
        drain()
    assert state_of(reminder) == State.SENT
    assert [one.outcome for one in reminder.attempts.order_by("id")] == ["not sent", "accepted"]
    assert len(provider.messages(NUMBER)) == 1


def test_what_is_absent_and_no_longer_useful_goes_to_a_nurse(
    clinic: Clinic, provider: Phone
) -> None:
    provider.control(next={"500": 1})
    reminder = send(clinic)
    Reminder.objects.filter(pk=reminder.pk).update(not_after=timezone.now() + timedelta(minutes=5))
    settle_at(*LOOKS)
    assert state_of(reminder) == State.SKIPPED
    assert reminder.skip_reason == Skip.NOT_USEFUL.value
    assert Concern.objects.get(closed_at=None).kind == Concern.Kind.UNKNOWN
    with at(LOOKS[2] + 5):
        drain()
    assert calls(provider) == 1


def test_an_older_message_with_the_same_words_is_not_taken_for_this_one(
    clinic: Clinic, provider: Phone
) -> None:
    first = send(clinic)
    body = provider.messages(NUMBER)[0]["body"]
    sms.client().messages.create(to=NUMBER, from_=SENDER, body=body)  # a sid we do not know
    second = resend(first)
    provider.control(next={"500": 1})
    with at(3600):
        drain()
        settle_at(*LOOKS)
    assert state_of(second) == State.PLANNED


def test_a_provider_that_does_not_answer_has_not_been_looked_at(
    clinic: Clinic, provider: Phone
) -> None:
    provider.control(next={"500_after": 1})
    reminder = send(clinic)
    provider.control(auth_fails=True)
    settle_at(*LOOKS, 3600, 7200)
    assert state_of(reminder) == State.UNKNOWN
    assert reminder.attempts.get().looks == 0
    provider.control(auth_fails=False)
    settle_at(7300)
    assert state_of(reminder) == State.DELIVERED


def test_a_provider_that_cannot_be_reached_has_not_been_looked_at(
    clinic: Clinic, settings: Settings
) -> None:
    attempt = unknown(clinic)
    settle_at(*(look + 91 for look in LOOKS))
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.looks) == (Outcome.UNKNOWN, 0)


def test_an_unknown_email_ends_before_a_nurse_and_is_not_sent_again(
    clinic: Clinic, provider: Phone
) -> None:
    log(patient=make_patient(clinic=clinic, phone="", email="m@x.org", channel=Channel.EMAIL))
    claim = claim_due(now=timezone.now())
    (reminder,) = claim.reminders
    now = timezone.now()
    attempt = Attempt(
        reminder=reminder, called_at=now, lease_until=claim.lease_until, to_address="m@x.org"
    )
    open_attempts(claim, [attempt])
    for seconds in (91, *(91 + look for look in LOOKS), 7200):
        with at(seconds):
            drain()
            settling.settle()
    assert Concern.objects.get(closed_at=None).kind == Concern.Kind.UNKNOWN
    assert (state_of(reminder), provider.messages()) == (State.UNKNOWN, [])


def test_an_unknown_whose_treatment_was_corrected_does_not_leave_for_the_old_time(
    clinic: Clinic, provider: Phone
) -> None:
    provider.control(next={"500": 1})
    reminder = send(clinic)
    Reminder.objects.filter(pk=reminder.pk).update(rule="cleanse")
    Reminder.objects.exclude(pk=reminder.pk).delete()
    by = make_staff(clinic=clinic, role=Role.DESK)
    later = timezone.now() - timedelta(hours=2)
    correct_time(treatment=reminder.treatment, treated_at=later, reason="x", by=by)
    settle_at(*LOOKS)
    with at(LOOKS[2] + 1):
        claimed = [one.rule for one in claim_due(now=timezone.now()).reminders]
    assert "cleanse" not in claimed

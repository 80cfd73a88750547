"""What is not known is asked of the provider, and never sent again on a guess."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from patients.models import Clinic
from patients.models.patient import Channel
from reminders import dispatch
from reminders import settle as settling
from reminders.channels import Accepted, Listed, NotSent, Unknown, sms
from reminders.claim import LEASE, claim_due, open_attempts
from reminders.dispatch import drain
from reminders.leases import release_expired
from reminders.models import Attempt, Concern, Receipt, Reminder, State
from reminders.moments import Skip
from reminders.outcomes import Result, record
from reminders.receipts import record_receipt
from tests.builders import SENDER, log, make_patient, reminder_of
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
    with at(3500):  # before the next one is due
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
    again.pk, again.occurrence, again.state = None, 2, State.PLANNED
    again.save(force_insert=True)
    return again


def test_of_two_unknowns_with_the_same_words_each_finds_its_own(clinic: Clinic) -> None:
    # The first one's list shows both messages, the second one's only its own.
    first, second = unknown(clinic), unknown(clinic, again=True)
    hers, his = (
        Listed(sid, "sent", "", "x", first.called_at + timedelta(minutes=minute))
        for minute, sid in enumerate(("SM" + "4" * 32, SID))
    )
    for attempt, found in ((first, [his, hers]), (second, [his])):
        assert attempt.look_at is not None
        look = settling.Look(attempt, "", attempt.look_at)
        settling._write(settling.Answer(look, found), now=timezone.now())
        attempt.refresh_from_db()
    assert [first.outcome, second.outcome] == [Outcome.ACCEPTED] * 2


def test_what_was_sent_again_later_is_not_taken_for_the_first_call(clinic: Clinic) -> None:
    # Else the second would count as absent and leave a third time.
    first = unknown(clinic)
    with at(300):
        second = unknown(clinic, again=True)
    sent = Listed(SID, "sent", "", "x", second.called_at + timedelta(seconds=1))
    for attempt in (first, second):
        assert attempt.look_at is not None
        look = settling.Look(attempt, "", attempt.look_at)
        settling._write(settling.Answer(look, [sent]), now=second.called_at)
        attempt.refresh_from_db()
    assert [first.outcome, second.outcome] == [Outcome.UNKNOWN, Outcome.ACCEPTED]


def unknown(clinic: Clinic, *, by_mail: bool = False, again: bool = False) -> Attempt:
    """The call of a worker that died in it; the provider had nothing."""
    if again:
        resend(Reminder.objects.get(rule="handover"))
    elif by_mail:
        log(patient=make_patient(clinic=clinic, phone="", email="m@x.org", channel=Channel.EMAIL))
    else:
        log(patient=make_patient(clinic=clinic, phone=NUMBER))
    now = timezone.now()
    claim = claim_due(now=now)
    (row,) = claim.reminders
    to = row.treatment.patient.address(row.channel)
    attempt = Attempt(reminder=row, called_at=now, lease_until=now + LEASE, to_address=to, body="x")
    open_attempts(claim, [attempt])
    with at(LEASE.total_seconds() + 1):
        release_expired(now=timezone.now())
    return Attempt.objects.select_related("reminder__treatment").get(pk=attempt.pk)


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
    with at(3 * 3600):  # beyond what two clocks may differ
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


def test_a_look_whose_worker_died_is_not_counted(clinic: Clinic, provider: Phone) -> None:
    provider.control(next={"500": 1})
    reminder = send(clinic)
    for seconds in (LOOKS[0], LOOKS[0] + 61):  # two workers take it and die
        with at(seconds):
            assert settling._take_looks(now=timezone.now())
    settle_at(LOOKS[0] + 122)
    assert (state_of(reminder), reminder.attempts.get().looks) == (State.UNKNOWN, 1)


def test_three_late_answers_in_one_moment_count_for_one(clinic: Clinic, provider: Phone) -> None:
    provider.control(next={"500": 1})
    reminder = send(clinic)
    settle_at(3600, 3601, 3602)
    assert (state_of(reminder), reminder.attempts.get().looks) == (State.UNKNOWN, 1)
    settle_at(3705, 3810)
    assert state_of(reminder) == State.PLANNED


def test_an_answer_slower_than_another_workers_is_dropped(clinic: Clinic) -> None:
    unknown(clinic)
    with at(400):
        (slow,) = settling._take_looks(now=timezone.now())
    with at(400 + 61):
        (quick,) = settling._take_looks(now=timezone.now())
        settling._write(settling.Answer(quick, []), now=timezone.now())
        settling._write(settling.Answer(slow, []), now=timezone.now())
    assert Attempt.objects.get().looks == 1


def test_an_answer_that_cannot_be_read_stops_no_other_look(
    clinic: Clinic, provider: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.control(rates={"500_after": 1})
    broken, whole = send(clinic), send(clinic, number="+12025550102")
    provider.control(rates={})
    listed = sms.listed

    def unreadable(*, to: str, since: datetime) -> list[Listed]:
        if to == NUMBER:
            raise TypeError("date_created was null")
        return listed(to=to, since=since)

    monkeypatch.setattr(sms, "listed", unreadable)
    settle_at(LOOKS[0])
    assert (state_of(broken), state_of(whole)) == (State.UNKNOWN, State.DELIVERED)


@pytest.mark.only_postgres
def test_an_answer_that_cannot_be_written_takes_no_other_with_it(
    clinic: Clinic, provider: Phone
) -> None:
    provider.control(rates={"500_after": 1})
    stuck, whole = send(clinic), send(clinic, number="+12025550102")
    provider.control(rates={})
    Attempt.objects.filter(reminder=stuck).update(look_at=timezone.now())  # the first of the two
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Reminder.objects.select_for_update(no_key=True).get(pk=stuck.pk)
            held.set()
            over.wait(60)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    try:
        settle_at(LOOKS[0])
    finally:
        over.set()
        holder.join()
        connection.close()
    assert (state_of(stuck), state_of(whole)) == (State.UNKNOWN, State.DELIVERED)
    settle_at(LOOKS[0] + 61)
    assert state_of(stuck) == State.DELIVERED


def test_a_worker_that_slept_frees_nothing_that_another_has_called_for(
    clinic: Clinic, provider: Phone
) -> None:
    log(patient=make_patient(clinic=clinic, phone=NUMBER))
    ((asleep,),) = dispatch._begin(claim_due(now=timezone.now()))
    Attempt.objects.update(outcome=Outcome.NOT_SENT, error_code="absent")  # after three looks
    Reminder.objects.filter(pk=asleep.attempt.reminder_id).update(state=State.PLANNED)
    provider.control(next={"500_after": 1})
    drain()
    record([Result(asleep.attempt, NotSent("lease"))], now=timezone.now())
    assert state_of(asleep.attempt.reminder) == State.UNKNOWN


def test_a_worker_that_slept_takes_nothing_that_another_holds_into_doubt(clinic: Clinic) -> None:
    log(patient=make_patient(clinic=clinic, phone=NUMBER))
    ((asleep,),) = dispatch._begin(claim_due(now=timezone.now()))
    Attempt.objects.update(outcome=Outcome.NOT_SENT, error_code="absent", look_at=None)
    Reminder.objects.filter(pk=asleep.attempt.reminder_id).update(state=State.PLANNED)
    assert claim_due(now=timezone.now()).reminders
    record([Result(asleep.attempt, Unknown("no answer"))], now=timezone.now())
    assert state_of(asleep.attempt.reminder) == State.SENDING


def test_an_answer_that_comes_after_all_is_asked_about_to_its_end(clinic: Clinic) -> None:
    log(patient=make_patient(clinic=clinic, phone=NUMBER))
    ((asleep,),) = dispatch._begin(claim_due(now=timezone.now()))
    Attempt.objects.update(outcome=Outcome.NOT_SENT, error_code="absent", look_at=None)
    record([Result(asleep.attempt, Accepted(SID, "queued"))], now=timezone.now())
    attempt = Attempt.objects.get()
    assert attempt.outcome == Outcome.ACCEPTED
    assert attempt.look_at is not None


def test_two_different_final_words_are_both_kept_and_shown_to_a_nurse(
    clinic: Clinic, provider: Phone
) -> None:
    reminder = send(clinic)
    attempt = reminder.attempts.get()
    sid = attempt.receipts.get().provider_id
    say(attempt, "delivered", sid=sid)
    record_receipt(token=attempt.token, provider_id=sid, status="undelivered", error_code="30007")
    attempt.refresh_from_db()
    assert (state_of(reminder), attempt.error_code) == (State.DELIVERED, "")
    assert attempt.receipts.count() == 3
    assert Concern.objects.get().detail == "contradicted"


def test_an_unknown_email_ends_before_a_nurse_and_is_not_sent_again(
    clinic: Clinic, provider: Phone
) -> None:
    attempt = unknown(clinic, by_mail=True)
    for seconds in (*(91 + look for look in LOOKS), 3500):  # before the next one is due
        with at(seconds):
            drain()
            settling.settle()
    assert Concern.objects.get(closed_at=None).kind == Concern.Kind.UNKNOWN
    assert (state_of(attempt.reminder), provider.messages()) == (State.UNKNOWN, [])


# --- the provider calls back ---


def test_a_callback_before_the_look_leaves_nothing_to_ask(clinic: Clinic, provider: Phone) -> None:
    provider.control(next={"500_after": 1})
    reminder = send(clinic)
    say(reminder.attempts.get(), "delivered")
    settle_at(*LOOKS)
    assert state_of(reminder) == State.DELIVERED
    assert provider.stats(brief=True)["lookups"] == {}


@pytest.mark.parametrize("word", ["sent", "delivered"])
@pytest.mark.parametrize("found", [[], None])
def test_a_callback_while_the_provider_is_asked_is_not_undone(
    clinic: Clinic, word: str, found: list[Listed] | None
) -> None:
    attempt = unknown(clinic)
    with at(400):
        (look,) = settling._take_looks(now=timezone.now())
    say(attempt, word)
    settling._write(settling.Answer(look, found), now=timezone.now())
    settle_at(*LOOKS)
    assert state_of(attempt.reminder) == word


def test_a_callback_after_the_list_was_read_only_moves_on(clinic: Clinic, provider: Phone) -> None:
    provider.control(next={"500_after": 1}, delays=3600)
    reminder = send(clinic)
    settle_at(LOOKS[0])
    assert state_of(reminder) == State.SENT
    say(reminder.attempts.get(), "delivered", sid=provider.messages(NUMBER)[0]["sid"])
    say(reminder.attempts.get(), "sent", sid=provider.messages(NUMBER)[0]["sid"])
    assert state_of(reminder) == State.DELIVERED


def test_a_late_callback_for_what_counted_as_absent_keeps_it_from_leaving_again(
    clinic: Clinic, provider: Phone
) -> None:
    provider.control(next={"500": 1})
    reminder = send(clinic)
    settle_at(*LOOKS)
    say(reminder.attempts.get(), "sent")
    assert state_of(reminder) == State.SENT
    with at(3500):  # before the next one is due
        drain()
    assert calls(provider) == 1

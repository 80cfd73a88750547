"""How fast a sender sends, over all claims and workers; how often the provider is asked."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from patients.models import Clinic
from patients.models.patient import Channel
from reminders.channels import Accepted
from reminders.claim import LEASE, Claim, claim_due, open_attempts
from reminders.dispatch import drain
from reminders.models import Attempt, Reminder, State
from reminders.outcomes import BACKOFF_LIMIT, Result, record
from reminders.receipts import record_receipt
from reminders.settle import settle
from tests.builders import log, make_clinic, make_patient
from tests.phone.client import Phone

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

T = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)  # Friday noon in Chicago
SECOND = timedelta(seconds=1)


def paced(clinic: Clinic, rate: int) -> Clinic:
    clinic.sms_per_second = rate
    clinic.save(update_fields=["sms_per_second"])
    return clinic


def lakeside(rate: int) -> Clinic:
    return paced(make_clinic(), rate)


def harbour(sender: str = "+12025550110") -> Clinic:
    return make_clinic(slug="harbour", name="Harbour Skin", sms_sender=sender)


def waiting(clinic: Clinic, count: int, *, urgent: bool = True, due_at: datetime = T) -> None:
    """So many handovers of a clinic that are due; not urgent ones are like any other reminder."""
    for number in range(count):
        patient = make_patient(clinic=clinic, phone=f"+120255501{number + 20:02}")
        handover = log(patient=patient, treated_at=due_at).reminders.filter(rule="handover")
        handover.update(urgent=urgent)
    Reminder.objects.exclude(rule="handover").delete()


def count_of(claim: Claim, clinic: Clinic) -> int:
    return sum(row.treatment.patient.clinic_id == clinic.pk for row in claim.reminders)


@pytest.mark.parametrize("rate", [1, 3, 6, 7])
def test_a_clinic_without_backlog_sends_its_rate_each_second(db: None, rate: int) -> None:
    clinic = lakeside(rate)
    waiting(clinic, 3 * rate)
    claims = [claim_due(now=T + second * SECOND) for second in range(4)]
    assert [count_of(claim, clinic) for claim in claims] == [rate, rate, rate, 0]


def test_two_claims_in_one_second_share_its_rate(db: None) -> None:
    clinic = lakeside(5)
    waiting(clinic, 3)
    assert count_of(claim_due(now=T), clinic) == 3
    waiting(clinic, 6)
    assert count_of(claim_due(now=T), clinic) == 2


def test_many_claims_a_second_never_go_over_the_rate(db: None) -> None:
    clinic = lakeside(4)
    waiting(clinic, 30)
    taken = sum(count_of(claim_due(now=T + tick * SECOND / 10), clinic) for tick in range(51))
    assert taken <= 4 * 5 + 4  # five seconds, and the one second that the bucket holds
    assert taken >= 4 * 5


def test_what_waits_is_still_planned_and_says_when_it_can_go(db: None) -> None:
    clinic = lakeside(2)
    waiting(clinic, 5)
    claim = claim_due(now=T)
    assert claim.again_at == T + SECOND
    held = Reminder.objects.filter(state=State.PLANNED).order_by("leaves_at")
    assert [row.leaves_at - T for row in held] == [SECOND, SECOND, 2 * SECOND]


def test_two_senders_have_a_rate_each(db: None) -> None:
    one, other = lakeside(2), paced(harbour(), 3)
    waiting(one, 5)
    waiting(other, 5)
    claim = claim_due(now=T)
    assert (count_of(claim, one), count_of(claim, other)) == (2, 3)


def test_two_clinics_with_one_sender_share_its_rate(db: None) -> None:
    one = lakeside(3)
    other = paced(harbour(sender=one.sms_sender.as_e164), 3)
    waiting(one, 3)
    waiting(other, 3)
    assert len(claim_due(now=T).reminders) == 3


def test_a_clinic_without_a_rate_does_not_wait(db: None) -> None:
    one, other = lakeside(1), harbour()
    waiting(one, 5)
    waiting(other, 5)
    claim = claim_due(now=T)
    assert (count_of(claim, one), count_of(claim, other)) == (1, 5)


def test_mail_is_not_paced(db: None) -> None:
    clinic = lakeside(1)
    for number in range(3):
        address = f"p{number}@example.org"
        log(
            patient=make_patient(clinic=clinic, phone="", email=address, channel=Channel.EMAIL),
            treated_at=T,
        )
    assert len(claim_due(now=T).reminders) == 3


def test_somebody_who_stands_at_the_desk_goes_before_an_older_backlog(db: None) -> None:
    clinic = lakeside(2)
    waiting(clinic, 6, urgent=False, due_at=T - timedelta(hours=1))
    claim_due(now=T)
    waiting(clinic, 1)
    claim = claim_due(now=T + SECOND)
    assert [row.urgent for row in claim.reminders] == [True, False]


def test_another_senders_reminder_is_reached_behind_a_long_queue(db: None) -> None:
    one, other = lakeside(1), harbour()
    waiting(one, 12, due_at=T - timedelta(hours=1))
    waiting(other, 1)
    claims = [claim_due(now=T, limit=5) for _ in range(3)]
    assert [claim.more for claim in claims] == [True, True, False]
    assert sum(count_of(claim, other) for claim in claims) == 1


def test_a_reminder_that_waits_for_its_turn_beyond_its_use_is_skipped(db: None) -> None:
    clinic = lakeside(1)
    waiting(clinic, 3)
    Reminder.objects.update(not_after=T)
    claims = [claim_due(now=T + second * SECOND) for second in (0, 1, 120)]
    assert [len(claim.reminders) for claim in claims] == [1, 1, 0]
    assert Reminder.objects.filter(state=State.SKIPPED).count() == 1


def test_one_drain_sends_a_paced_queue_to_its_end(db: None, provider: Phone) -> None:
    clinic = lakeside(10)
    waiting(clinic, 14, due_at=timezone.now())
    began = timezone.now()
    drain()
    assert timezone.now() - began > timedelta(seconds=0.9)
    created = sorted(text["created_at"] for text in provider.messages())
    assert len(created) == 14
    assert created[10] - created[0] > 0.4


def test_what_waited_for_hours_still_leaves_at_its_rate(db: None) -> None:
    clinic = lakeside(2)
    waiting(clinic, 6)
    with time_machine.travel(T + timedelta(hours=6)):
        taken = [len(claim_due(now=timezone.now()).reminders) for _ in range(3)]
    assert taken == [2, 0, 0]


def test_a_provider_away_for_a_whole_day_is_tried_every_quarter_of_an_hour(clinic: Clinic) -> None:
    attempt = sent(clinic, "+12025550101")
    for _ in range(100):
        attempt.pk, attempt.token = None, uuid.uuid4()
        attempt.save(force_insert=True)
    with time_machine.travel(timezone.now() + timedelta(minutes=50)):
        drain()
        row = Reminder.objects.get(pk=attempt.reminder_id)
        assert row.state == State.PLANNED
        assert timezone.now() < row.leaves_at <= timezone.now() + BACKOFF_LIMIT


def test_a_clock_set_back_silences_no_sender(clinic: Clinic, provider: Phone) -> None:
    Clinic.objects.update(sms_per_second=1)
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        sent(clinic, "+12025550101")
    log(patient=make_patient(clinic=clinic, phone="+12025550102"))
    drain()
    assert Attempt.objects.count() == 2


# --- how often the provider is asked about what it has said no final word of ---

POLLS = [timedelta(minutes=minutes) for minutes in (2, 10, 60, 360, 1440, 4320)]
MARGIN = timedelta(seconds=2)
SID = "SM" + "3" * 32


def sent(clinic: Clinic, number: str) -> Attempt:
    log(patient=make_patient(clinic=clinic, phone=number))
    drain()
    return Attempt.objects.select_related("reminder").get()


def settle_after(*delays: timedelta) -> None:
    for delay in delays:
        with time_machine.travel(timezone.now() + delay):
            settle()


def say(attempt: Attempt, status: str) -> None:
    sid = attempt.receipts.values_list("provider_id", flat=True).first() or SID
    record_receipt(token=attempt.token, provider_id=sid, status=status, error_code="")


def state_of(attempt: Attempt) -> str:
    attempt.refresh_from_db()
    return Reminder.objects.get(pk=attempt.reminder_id).state


def test_a_message_without_a_final_word_is_asked_for_six_times(
    clinic: Clinic, provider: Phone
) -> None:
    attempt = sent(clinic, "+12025550196")
    for number, delay in enumerate(POLLS):
        settle_after(delay - MARGIN)
        assert (state_of(attempt), attempt.looks) == (State.SENT, number)
        settle_after(delay + MARGIN)
        assert (state_of(attempt) == State.NO_RECEIPT) == (attempt.looks == 6)
        assert attempt.looks == number + 1
    assert provider.stats(brief=True)["lookups"] == {"fetch": 6}
    say(attempt, "delivered")
    assert state_of(attempt) == State.DELIVERED


def test_a_final_word_that_was_only_missed_is_fetched(clinic: Clinic, provider: Phone) -> None:
    provider.control(delays=0, receipts=False)
    attempt = sent(clinic, "+12025550101")
    assert state_of(attempt) == State.SENT
    settle_after(POLLS[0] + MARGIN, POLLS[-1] + MARGIN)
    assert state_of(attempt) == State.DELIVERED
    assert provider.stats(brief=True)["lookups"] == {"fetch": 1}


def test_what_was_called_back_before_the_answer_is_still_asked_for(
    clinic: Clinic, provider: Phone
) -> None:
    log(patient=make_patient(clinic=clinic))
    now = timezone.now()
    claim = claim_due(now=now)
    (reminder,) = claim.reminders
    attempt = Attempt(reminder=reminder, called_at=now, lease_until=now + LEASE, to_address="x")
    open_attempts(claim, [attempt])
    say(attempt, "queued")
    record([Result(attempt, Accepted(SID, "queued"))], now=timezone.now())
    settle_after(*(delay + MARGIN for delay in POLLS))
    assert state_of(attempt) == State.NO_RECEIPT


def test_what_counted_as_absent_and_was_called_back_is_asked_for(
    clinic: Clinic, provider: Phone
) -> None:
    attempt = sent(clinic, "+12025550198")  # never created
    window = timedelta(seconds=settings.SETTLE_SECONDS) + MARGIN
    settle_after(window / 6, window / 2, window)
    assert state_of(attempt) == State.PLANNED
    say(attempt, "sent")
    settle_after(*(delay + window for delay in POLLS))
    assert state_of(attempt) == State.NO_RECEIPT

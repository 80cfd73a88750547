"""What follows a message that failed: one more try, the other channel, a nurse, an alert."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from patients.models import Clinic, Consent, OptOut, Patient, Treatment
from patients.models.patient import Channel
from reminders.amending import correct_time
from reminders.channels import NotSent
from reminders.channels.codes import CODES, Means
from reminders.claim import Claim, claim_due, open_attempts
from reminders.dispatch import drain
from reminders.failures import ONE_MORE_AFTER
from reminders.models import Alert, Attempt, Concern, Reminder, State
from reminders.outcomes import Result, record
from reminders.receipts import record_receipt
from reminders.settle import settle
from tests.builders import log, make_attempt, make_patient, make_staff, reminder_of
from tests.phone.client import Phone
from tests.reminders.crossing import cross

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

T = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)  # Friday noon in Chicago
MAIL = "maria@example.org"
UNHEARD_OF = "39999"


def codes_that_mean(*means: Means) -> list[str]:
    return sorted(code for code, meaning in CODES.items() if meaning in means and code.isdigit())


@pytest.fixture
def provider(provider: Phone) -> Phone:
    provider.control(delays=0, receipts=False)
    return provider


def handover(clinic: Clinic, *, phone: str = "+12025550101", email: str = MAIL) -> Reminder:
    """Logged and called; `failed` says what the provider makes of it later."""
    treatment = log(patient=make_patient(clinic=clinic, phone=phone, email=email))
    drain()
    return Reminder.objects.get(treatment=treatment, rule="handover", occurrence=1, channel="sms")


def failed(reminder: Reminder, code: str, *, status: str = "undelivered") -> Reminder:
    attempt = reminder.attempts.get()
    sid = attempt.receipts.values_list("provider_id", flat=True)[0]
    record_receipt(token=attempt.token, provider_id=sid, status=status, error_code=code)
    reminder.refresh_from_db()
    return reminder


def more_of(reminder: Reminder) -> list[tuple[str, int, State]]:
    rows = reminder.treatment.reminders.filter(rule=reminder.rule).exclude(pk=reminder.pk)
    return [(row.channel, row.occurrence, State(row.state)) for row in rows.order_by("id")]


def concerns() -> list[tuple[str, str]]:
    return list(Concern.objects.filter(closed_at=None).values_list("kind", "detail"))


def drain_later(**later: float) -> None:
    with time_machine.travel(timezone.now() + timedelta(**later)):
        drain()


# --- by class of code, as a receipt ---


def test_a_number_or_words_refused_go_by_mail_at_once_and_before_a_nurse(
    clinic: Clinic, provider: Phone
) -> None:
    codes = codes_that_mean(Means.NUMBER, Means.NEVER_SAME)
    for number, code in enumerate(codes, start=20):
        reminder = failed(handover(clinic, phone=f"+120255501{number}"), code)
        assert reminder.state == State.FAILED
        assert more_of(reminder) == [("email", 1, State.PLANNED)]
    assert concerns() == [("failed", code) for code in codes]


@pytest.mark.parametrize("code", codes_that_mean(Means.ONCE_MORE))
def test_one_more_try_later_and_then_the_other_channel_and_a_nurse(
    clinic: Clinic, provider: Phone, code: str
) -> None:
    reminder = failed(handover(clinic), code)
    assert more_of(reminder) == [("sms", 2, State.PLANNED)]
    assert concerns() == []
    drain_later(minutes=9)
    assert provider.stats(brief=True)["calls"] == 1
    drain_later(minutes=11)
    again = Reminder.objects.get(again_of=reminder)
    assert (again.state, provider.stats(brief=True)["calls"]) == (State.SENT, 2)
    failed(again, code)
    assert more_of(reminder) == [("sms", 2, State.FAILED), ("email", 1, State.PLANNED)]
    assert concerns() == [("failed", code)]


def test_a_second_try_that_comes_too_late_is_before_a_nurse_again(
    clinic: Clinic, provider: Phone
) -> None:
    reminder = failed(handover(clinic), "30003")
    Reminder.objects.filter(again_of=reminder).update(not_after=timezone.now())
    drain_later(minutes=12)
    assert more_of(reminder) == [("sms", 2, State.SKIPPED)]
    assert concerns() == [("failed", "unrepeated")]


def test_an_unknown_code_is_tried_once_more_and_told_once(clinic: Clinic, provider: Phone) -> None:
    reminder = failed(handover(clinic), UNHEARD_OF)
    assert more_of(reminder) == [("sms", 2, State.PLANNED)]
    assert UNHEARD_OF in Alert.objects.get().words
    drain_later(minutes=11)
    failed(Reminder.objects.get(again_of=reminder), UNHEARD_OF)
    failed(handover(clinic, phone="+12025550102"), UNHEARD_OF)
    assert Alert.objects.count() == 1


def test_an_opt_out_that_comes_as_a_receipt_stops_the_number(
    clinic: Clinic, provider: Phone
) -> None:
    reminder = handover(clinic)
    Patient.objects.update(phone="+12025550199")  # corrected since: not the number that said stop
    failed(reminder, "21610")
    assert OptOut.objects.get().address == "+12025550101"


def test_one_more_try_takes_a_number_nobody_has(clinic: Clinic, provider: Phone) -> None:
    reminder = handover(clinic)
    log_again = Reminder.objects.create(
        treatment=reminder.treatment,
        rule=reminder.rule,
        channel=Channel.SMS,
        occurrence=3,
        due_at=T,
        leaves_at=T,
        not_after=T,
        treated_at=T,
        state=State.DELIVERED,
        state_at=T,
    )
    failed(reminder, "30003")
    assert more_of(reminder) == [
        ("sms", log_again.occurrence, State.DELIVERED),
        ("sms", 4, State.PLANNED),
    ]


def test_of_two_that_fail_at_one_moment_neither_is_lost(clinic: Clinic, provider: Phone) -> None:
    reminder = handover(clinic, email="")
    asked_again = Reminder.objects.create(
        treatment=reminder.treatment,
        rule=reminder.rule,
        channel=Channel.SMS,
        occurrence=2,
        due_at=reminder.due_at,
        leaves_at=reminder.due_at,
        not_after=reminder.not_after,
        treated_at=reminder.treated_at,
        state=State.SENT,
        state_at=reminder.due_at,
    )
    make_attempt(asked_again, provider_id="SM" + "7" * 32)
    cross(
        lambda: failed(reminder, "30003"),
        lambda: failed(asked_again, "30003"),
        after='INSERT INTO "reminders_reminder"',
    )
    repeated = set(
        Reminder.objects.filter(again_of__isnull=False).values_list("again_of", flat=True)
    )
    before_a_nurse = set(Concern.objects.values_list("reminder", flat=True))
    assert repeated | before_a_nurse == {reminder.pk, asked_again.pk}


def test_the_same_failure_told_twice_has_one_consequence(clinic: Clinic, provider: Phone) -> None:
    reminder = handover(clinic)
    for _ in range(3):
        failed(reminder, "30005")
        failed(reminder, "30003", status="failed")
    assert more_of(reminder) == [("email", 1, State.PLANNED)]
    assert len(concerns()) == 1


# --- by class of code, as the answer to the call ---


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("21211", State.FAILED),
        ("21612", State.FAILED),
        ("21614", State.FAILED),
        ("21610", State.SKIPPED),
        ("20429", State.PLANNED),
        ("20003", State.PLANNED),
        ("20500", State.UNKNOWN),
        ("21617", State.FAILED),
    ],
)
def test_the_answer_to_the_call_has_the_same_meaning(
    clinic: Clinic, provider: Phone, fault: str, state: State
) -> None:
    provider.control(next={fault: 1})
    reminder = handover(clinic)
    assert reminder.state == state
    more = {State.FAILED: [("email", 1, State.PLANNED)]}.get(state, [])
    if fault == "21617":  # not in the table
        more = [("sms", 2, State.PLANNED)]
    assert more_of(reminder) == more
    assert bool(concerns()) == (fault in ("21211", "21612", "21614"))


def test_the_mail_that_takes_over_really_leaves(clinic: Clinic, provider: Phone) -> None:
    reminder = handover(clinic, phone="+12025550190")
    drain()
    assert len(provider.messages(MAIL)) == 1
    assert more_of(reminder) == [("email", 1, State.SENT)]


def test_a_mailbox_that_refuses_for_good_goes_by_text(clinic: Clinic, provider: Phone) -> None:
    patient = make_patient(clinic=clinic, email="bounce@x.org", channel=Channel.EMAIL)
    treatment = log(patient=patient)
    drain()
    drain()
    rows = treatment.reminders.filter(rule="handover").order_by("id")
    assert [(row.channel, row.state) for row in rows] == [("email", "failed"), ("sms", "sent")]
    assert concerns() == [("failed", "550")]


# --- the other channel only where that is right ---


def test_without_an_address_nothing_else_is_tried(clinic: Clinic, provider: Phone) -> None:
    reminder = handover(clinic, phone="+12025550190", email="")
    assert (more_of(reminder), concerns()) == ([], [("failed", "21211")])


def test_without_consent_to_mail_nothing_else_is_tried(clinic: Clinic, provider: Phone) -> None:
    reminder = handover(clinic)
    Consent.objects.create(
        patient=reminder.treatment.patient,
        scope="recovery",
        channel="email",
        given=False,
        wording="x",
        how=Consent.How.PAGE,
        recorded_at=timezone.now(),
    )
    failed(reminder, "30005")
    assert (more_of(reminder), concerns()) == ([], [("failed", "30005")])


def test_an_address_that_opted_out_is_not_written_to(clinic: Clinic, provider: Phone) -> None:
    reminder = handover(clinic)
    OptOut.objects.create(
        clinic=clinic, channel="email", address=MAIL, stopped=True, how="x", recorded_at=T
    )
    failed(reminder, "30005")
    assert (more_of(reminder), concerns()) == ([], [("failed", "30005")])


@pytest.mark.parametrize("code", ["30005", "30003"])
def test_nothing_more_is_sent_of_what_has_passed(
    clinic: Clinic, provider: Phone, code: str
) -> None:
    reminder = handover(clinic)
    Reminder.objects.filter(pk=reminder.pk).update(not_after=timezone.now() - timedelta(minutes=1))
    failed(reminder, code)
    assert (more_of(reminder), concerns()) == ([], [("failed", code)])


# --- filtered texts ---


def test_filtered_texts_are_told_once_a_day_when_they_are_over_a_hundredth(
    clinic: Clinic, provider: Phone
) -> None:
    rows = [handover(clinic, phone=f"+12025550{number}", email="") for number in range(120, 127)]
    for row in rows[:4]:
        failed(row, "30007")
    assert Alert.objects.count() == 0
    for row in rows[4:]:
        failed(row, "30007")
    assert "30007" in Alert.objects.get().words


# --- what waits for another try ---


@pytest.fixture
def first_hour(patient: Patient, provider: Phone) -> Iterator[Reminder]:
    """The text about the first hour, due now."""
    treatment = log(patient=patient, treated_at=T)
    Reminder.objects.filter(rule="handover").update(state=State.DELIVERED)
    with time_machine.travel(T + timedelta(hours=1)):
        yield reminder_of(treatment, "first-hour")


def rules_claimed_after_correcting(treatment: Treatment, *, later: timedelta) -> list[str]:
    """The treatment ended 50 minutes later than was typed."""
    by, ended_at = make_staff(clinic=treatment.patient.clinic), T + timedelta(minutes=50)
    correct_time(treatment=treatment, treated_at=ended_at, reason="Typed wrong", by=by)
    with time_machine.travel(timezone.now() + later):
        settle()
        return [row.rule for row in claim_due(now=timezone.now()).reminders]


def test_a_repeat_does_not_leave_for_a_time_that_was_corrected(first_hour: Reminder) -> None:
    drain()
    failed(first_hour, "30003")
    later = ONE_MORE_AFTER + timedelta(seconds=5)
    assert rules_claimed_after_correcting(first_hour.treatment, later=later) == []


def test_what_turns_out_to_be_absent_does_not_leave_for_a_time_that_was_corrected(
    first_hour: Reminder, provider: Phone
) -> None:
    provider.control(next={"500": 1})
    drain()
    Attempt.objects.update(looks=2)  # the next look is the last
    later = timedelta(minutes=12)
    assert rules_claimed_after_correcting(first_hour.treatment, later=later) == []


def test_what_is_planned_anew_leaves_the_rest_of_its_treatment_as_it_was(patient: Patient) -> None:
    # The handover was under way during the correction; washing is due by the new time.
    treatment = log(patient=patient, treated_at=T)
    claim = claim_due(now=T)
    attempt = attempt_of(claim)
    by, ended_at = make_staff(clinic=patient.clinic), T - timedelta(hours=5, minutes=58)
    with time_machine.travel(T):
        correct_time(treatment=treatment, treated_at=ended_at, reason="Typed wrong", by=by)
    record([Result(attempt, NotSent("no connection"))], now=T)
    later = T + timedelta(minutes=3)
    claimed = {row.rule for tries in range(3) for row in claim_due(now=later).reminders}
    assert claimed == {"handover", "cleanse"}


def attempt_of(claim: Claim) -> Attempt:
    (row,) = claim.reminders
    attempt = Attempt(reminder=row, called_at=T, lease_until=claim.lease_until, to_address="x")
    return open_attempts(claim, [attempt])[0]

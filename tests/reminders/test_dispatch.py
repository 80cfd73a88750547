"""One reminder from due to recorded, against a provider that answers over HTTP and SMTP."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from patients import links
from patients.models import Clinic, Consent, OptOut, Patient, Treatment
from patients.models.patient import Channel
from reminders import dispatch
from reminders.amending import void_treatment
from reminders.channels import sms
from reminders.claim import LEASE, Claim, claim_due, open_attempts
from reminders.dispatch import drain
from reminders.leases import release_expired
from reminders.models import Attempt, Concern, Receipt, Reminder, State
from reminders.moments import Skip
from tests.builders import log, make_patient, make_staff, reminder_of, set_state
from tests.phone.client import Phone

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

T = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)  # Friday noon in Chicago
Outcome = Attempt.Outcome


def send_handover(clinic: Clinic, phone: str) -> Reminder:
    """Log a treatment for a patient with this number and send what is due."""
    treatment = log(patient=make_patient(clinic=clinic, phone=phone))
    drain()
    return reminder_of(treatment, "handover")


def test_a_due_text_leaves_once_with_its_link_and_is_recorded(
    patient: Patient, provider: Phone
) -> None:
    treatment = log(patient=patient)
    drain()
    drain()
    (text,) = provider.messages("+12025550146")
    assert links.address_of(treatment) in text["body"]
    reminder = reminder_of(treatment, "handover")
    attempt = reminder.attempts.get()
    assert (reminder.state, attempt.outcome) == (State.SENT, Outcome.ACCEPTED)
    assert attempt.receipts.get().provider_id == text["sid"]
    assert str(attempt.token) in text["callback"]


def test_the_stored_text_masks_the_link(patient: Patient, provider: Phone) -> None:
    treatment = log(patient=patient)
    drain()
    body = Attempt.objects.get().body
    assert links.token_of(treatment) not in body
    assert links.MASK in body


def test_an_email_leaves_with_both_parts_and_a_fixed_message_id(
    clinic: Clinic, provider: Phone
) -> None:
    patient = make_patient(clinic=clinic, channel=Channel.EMAIL, email="maria@example.org")
    treatment = log(patient=patient)
    drain()
    (mail,) = provider.messages("maria@example.org")
    assert mail["subject"] == "Your recovery page from Lakeside Skin Clinic"
    assert links.address_of(treatment) in mail["text"]
    assert links.address_of(treatment) in mail["html"]
    reminder = reminder_of(treatment, "handover")
    assert reminder.state == State.SENT
    assert Receipt.objects.get().provider_id == f"<reminder.{reminder.pk}@clinic.example>"


@pytest.mark.parametrize(
    ("number", "state", "outcome", "code"),
    [
        ("+12025550190", State.FAILED, Outcome.REJECTED, "21211"),
        ("+12025550192", State.FAILED, Outcome.REJECTED, "21614"),
        ("+12025550197", State.PLANNED, Outcome.NOT_SENT, "20429"),
        ("+12025550186", State.UNKNOWN, Outcome.UNKNOWN, "no answer"),
        ("+12025550187", State.UNKNOWN, Outcome.UNKNOWN, "no answer"),
        ("+12025550188", State.UNKNOWN, Outcome.UNKNOWN, "no answer"),
        ("+12025550198", State.UNKNOWN, Outcome.UNKNOWN, "20500"),
        ("+12025550199", State.UNKNOWN, Outcome.UNKNOWN, "20500"),
    ],
)
def test_each_answer_of_the_provider_has_its_one_meaning(
    clinic: Clinic, provider: Phone, number: str, state: State, outcome: Outcome, code: str
) -> None:
    reminder = send_handover(clinic, number)
    attempt = reminder.attempts.get()
    assert (reminder.state, attempt.outcome, attempt.error_code) == (state, outcome, code)


@pytest.mark.parametrize("number", ["+12025550188", "+12025550198", "+12025550199"])
def test_an_unknown_outcome_is_never_sent_again_blind(
    clinic: Clinic, provider: Phone, number: str
) -> None:
    send_handover(clinic, number)
    with time_machine.travel(timezone.now() + timedelta(minutes=50)):
        drain()
    assert provider.stats(brief=True)["calls"] == 1


def test_a_provider_that_never_answers_is_waited_for_once_and_not_for_long(
    clinic: Clinic, provider: Phone, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (sms.CONNECT_SECONDS, sms.READ_SECONDS, settings.EMAIL_TIMEOUT) == (3, 10, 10)
    monkeypatch.setattr(sms, "READ_SECONDS", 0.5)
    settings.EMAIL_TIMEOUT = 0.5
    provider.control(hang_s=20, slow_mail_s=20)
    by_mail = make_patient(clinic=clinic, channel=Channel.EMAIL, email="slow@example.org", phone="")
    mailed = log(patient=by_mail)
    began = time.monotonic()
    texted = send_handover(clinic, "+12025550189")
    assert time.monotonic() - began < 5
    for reminder in (texted, reminder_of(mailed, "handover")):
        assert (reminder.state, reminder.attempts.get().error_code) == (State.UNKNOWN, "no answer")
    assert provider.stats(brief=True)["calls"] == 1


def test_what_was_certainly_not_sent_leaves_later(clinic: Clinic, provider: Phone) -> None:
    provider.control(next={"429": 1})
    reminder = send_handover(clinic, "+12025550101")
    assert reminder.state == State.PLANNED
    assert reminder.leaves_at > timezone.now() + timedelta(seconds=10)
    drain()
    assert provider.messages("+12025550101") == []
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        drain()
    assert len(provider.messages("+12025550101")) == 1
    assert reminder.attempts.count() == 2


def test_a_provider_that_cannot_be_reached_loses_nothing(clinic: Clinic) -> None:
    reminder = send_handover(clinic, "+12025550101")
    assert reminder.state == State.PLANNED
    assert reminder.attempts.get().error_code == "no connection"


def test_wrong_credentials_mark_no_patient_as_failed(clinic: Clinic, provider: Phone) -> None:
    provider.control(auth_fails=True)
    assert send_handover(clinic, "+12025550101").state == State.PLANNED


def test_a_number_the_provider_knows_as_opted_out_is_recorded_as_such(
    clinic: Clinic, provider: Phone
) -> None:
    reminder = send_handover(clinic, "+12025550191")
    assert (reminder.state, reminder.skip_reason) == (State.SKIPPED, Skip.OPTED_OUT.value)
    assert OptOut.objects.get().address == "+12025550191"


@pytest.mark.parametrize(
    ("address", "state"),
    [("bounce@example.org", State.FAILED), ("later@example.org", State.PLANNED)],
)
def test_a_mail_server_that_refuses_for_good_or_for_now(
    clinic: Clinic, provider: Phone, address: str, state: State
) -> None:
    treatment = log(
        patient=make_patient(clinic=clinic, channel=Channel.EMAIL, email=address, phone=""),
    )
    drain()
    assert reminder_of(treatment, "handover").state == state


# --- the checks at claim ---


def claimed_rules(now: datetime) -> list[str]:
    return [reminder.rule for reminder in claim_due(now=now).reminders]


def test_nothing_is_claimed_before_it_is_due_and_all_of_it_when_due(patient: Patient) -> None:
    log(patient=patient, treated_at=T)
    assert claimed_rules(T - timedelta(seconds=1)) == []
    assert claimed_rules(T) == ["handover"]
    assert claimed_rules(T + timedelta(minutes=60) - timedelta(seconds=1)) == []
    assert claimed_rules(T + timedelta(minutes=60)) == ["first-hour"]


def test_a_claimed_reminder_is_not_claimed_twice(patient: Patient) -> None:
    log(patient=patient, treated_at=T)
    assert claimed_rules(T) == ["handover"]
    assert claimed_rules(T) == []


def test_one_attempt_at_most_is_open(patient: Patient) -> None:
    log(patient=patient, treated_at=T)
    claim = claim_due(now=T)
    open_attempts(claim, [attempt_of(claim)])
    with pytest.raises(IntegrityError):
        open_attempts(claim, [attempt_of(claim)])


def test_a_worker_that_lost_its_claim_begins_no_call(patient: Patient) -> None:
    log(patient=patient, treated_at=T)
    slow = claim_due(now=T)
    release_expired(now=T + LEASE + timedelta(seconds=1))
    quick = claim_due(now=T + LEASE + timedelta(seconds=2))
    assert open_attempts(slow, [attempt_of(slow)]) == []
    assert len(open_attempts(quick, [attempt_of(quick)])) == 1


def attempt_of(claim: Claim) -> Attempt:
    (reminder,) = claim.reminders
    return Attempt(
        reminder=reminder, called_at=T, lease_until=claim.lease_until, to_address="+12025550146"
    )


def test_consent_taken_back_after_planning_is_seen_at_the_claim(patient: Patient) -> None:
    treatment = log(patient=patient, treated_at=T)
    Consent.objects.create(
        patient=patient,
        scope="recovery",
        channel="sms",
        given=False,
        wording="x",
        how=Consent.How.PAGE,
        recorded_at=T,
    )
    assert claimed_rules(T) == []
    assert reminder_of(treatment, "handover").skip_reason == Skip.NO_CONSENT.value


def test_a_stop_after_planning_is_seen_at_the_claim(patient: Patient) -> None:
    treatment = log(patient=patient, treated_at=T)
    OptOut.objects.create(
        clinic=patient.clinic,
        channel="sms",
        address="+12025550146",
        stopped=True,
        how="text",
        recorded_at=T,
    )
    assert claimed_rules(T) == []
    assert reminder_of(treatment, "handover").skip_reason == Skip.OPTED_OUT.value


def test_a_voided_treatment_sends_nothing(patient: Patient, provider: Phone) -> None:
    treatment = log(patient=patient)
    void_treatment(treatment=treatment, reason="x", by=make_staff(clinic=patient.clinic))
    drain()
    assert provider.messages() == []


def test_a_treatment_voided_behind_the_planners_back_is_still_not_sent(patient: Patient) -> None:
    treatment = log(patient=patient, treated_at=T)
    Treatment.objects.filter(pk=treatment.pk).update(voided_at=T)
    assert claimed_rules(T) == []
    assert reminder_of(treatment, "handover").skip_reason == Skip.VOIDED.value


def test_what_is_no_longer_useful_is_skipped(patient: Patient) -> None:
    treatment = log(patient=patient, treated_at=T)
    set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    assert claimed_rules(T + timedelta(hours=3, minutes=1)) == []
    assert reminder_of(treatment, "first-hour").skip_reason == Skip.NOT_USEFUL.value


def test_a_message_due_at_its_very_last_minute_still_goes(patient: Patient) -> None:
    # Treated at 05:00: the hour is over in quiet hours, 08:00 is both its time and its limit.
    treated_at = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
    treatment = log(patient=patient, treated_at=treated_at)
    set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    row = reminder_of(treatment, "first-hour")
    assert row.due_at == row.not_after
    assert claimed_rules(row.due_at + timedelta(seconds=20)) == ["first-hour"]


def test_what_comes_up_late_in_quiet_hours_waits_for_the_morning(patient: Patient) -> None:
    treatment = log(patient=patient, treated_at=T)
    set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    set_state(reminder_of(treatment, "first-hour"), State.DELIVERED)
    late = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # 21:00 in Chicago; cleanse was due at 18:00
    assert claimed_rules(late) == []
    row = reminder_of(treatment, "cleanse")
    assert (row.state, row.leaves_at) == (
        State.PLANNED,
        datetime(2026, 11, 21, 14, 0, tzinfo=UTC),
    )
    assert claimed_rules(row.leaves_at) == ["cleanse"]


def test_a_handover_leaves_at_once_even_at_night(patient: Patient) -> None:
    night = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # 22:00 in Chicago
    log(patient=patient, treated_at=night)
    assert claimed_rules(night) == ["handover"]


def test_a_worker_that_died_before_its_call_loses_nothing(
    patient: Patient, provider: Phone
) -> None:
    treatment = log(patient=patient)
    claim_due(now=timezone.now())
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        drain()
    assert len(provider.messages()) == 1
    assert reminder_of(treatment, "handover").state == State.SENT


def test_a_worker_that_died_in_its_call_leaves_an_unknown_not_a_second_text(
    patient: Patient, provider: Phone
) -> None:
    treatment = log(patient=patient)
    claim = claim_due(now=timezone.now())
    open_attempts(claim, [attempt_of(claim)])
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        drain()
    assert provider.messages() == []
    assert reminder_of(treatment, "handover").state == State.UNKNOWN
    assert Attempt.objects.get().outcome == Outcome.UNKNOWN


def test_a_claim_costs_the_same_queries_for_one_and_for_many(clinic: Clinic) -> None:
    log(patient=make_patient(clinic=clinic, phone="+12025550101"), treated_at=T)
    drained = [count_claim_queries()]
    for number in range(20):
        log(patient=make_patient(clinic=clinic, phone=f"+120255501{number:02}"), treated_at=T)
    drained.append(count_claim_queries())
    # urgent rows, other rows, treatments' times, clinics, versions, consents, opt-outs, newest
    # treatments, circuits, open reports, the claim itself (and open concerns, where somebody is
    # invited)
    assert drained == [11, 11]


def count_claim_queries() -> int:
    with CaptureQueriesContext(connection) as captured:
        claim = claim_due(now=T)
    assert claim.reminders
    return len([q for q in captured if q["sql"].split()[0] in ("SELECT", "UPDATE", "INSERT")])


def test_the_callback_address_is_the_public_one(patient: Patient, provider: Phone) -> None:
    log(patient=patient)
    drain()
    (text,) = provider.messages()
    assert text["callback"].startswith(settings.PUBLIC_BASE_URL + "/webhooks/twilio/status/")


def test_a_row_that_cannot_be_checked_goes_to_a_nurse_and_stops_no_other(
    clinic: Clinic, provider: Phone
) -> None:
    broken, whole = (make_patient(clinic=clinic, phone=f"+120255501{n}") for n in ("01", "02"))
    with time_machine.travel(T, tick=False):
        hot = [log(patient=patient, treated_at=T) for patient in (broken, whole)]
    Patient.objects.filter(pk=broken.pk).update(zone="Nowhere/Land")
    with time_machine.travel(T + timedelta(hours=1)):
        drain()
    states = [State(reminder_of(treatment, "first-hour").state) for treatment in hot]
    assert states == [State.FAILED, State.SENT]
    assert {row.patient for row in Concern.objects.filter(detail="unchecked")} == {broken}


def test_a_row_whose_plan_cannot_be_read_stops_no_other(clinic: Clinic, provider: Phone) -> None:
    broken, whole = (
        log(patient=make_patient(clinic=clinic, phone=f"+120255501{n}")) for n in ("01", "02")
    )
    Reminder.objects.filter(treatment=broken, rule="handover").update(rule="forgotten")
    drain()
    assert reminder_of(broken, "forgotten").state == State.FAILED
    assert reminder_of(whole, "handover").state == State.SENT


def test_a_handover_that_waited_for_hours_does_not_ring_at_night(
    patient: Patient, provider: Phone
) -> None:
    with time_machine.travel(T, tick=False):
        treatment = log(patient=patient, treated_at=T)
    with time_machine.travel(T + timedelta(hours=13)):  # 1 am in Chicago
        drain()
    handover = reminder_of(treatment, "handover")
    assert (handover.state, handover.leaves_at) == (State.PLANNED, T + timedelta(hours=20))


def test_a_handover_overtakes_what_is_claimed_already(
    clinic: Clinic, provider: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "SLICE", 1)
    monkeypatch.setattr(dispatch, "LOOK_FOR_URGENT", 0.0)
    for number in range(3):
        log(patient=make_patient(clinic=clinic, phone=f"+1202555011{number}"))
    Reminder.objects.update(urgent=False)
    begun = dispatch._begin_due(time.monotonic() + 10)
    (first,) = next(begun)
    urgent = log(patient=make_patient(clinic=clinic, phone="+12025550199"))
    (second,) = next(begun)
    assert first.attempt.reminder.urgent is False
    assert second.attempt.reminder.treatment == urgent
    assert len(list(begun)) == 2

"""An open report holds, a nurse's close releases, "not normal yet" asks again, three times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from patients.acts import answer
from patients.models import CheckIn, Patient, Report, StaffUser, Treatment
from patients.page_answers import feels_normal
from reminders import page_acts
from reminders.check_ins import close_report
from reminders.claim import claim_due
from reminders.inbox import receive_text
from reminders.models import Concern, InboundText, Reminder, State
from reminders.moments import Skip
from tests.builders import SENDER, log, make_patient, make_staff, reminder_of, set_state

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

T = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # Friday 09:00 in Chicago
DAY_2 = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)


@pytest.fixture
def treatment(patient: Patient) -> Treatment:
    """Logged, with everything of day 1 sent."""
    treatment = log(patient=patient, treated_at=T)
    for rule in ("handover", "first-hour", "cleanse"):
        set_state(reminder_of(treatment, rule), State.DELIVERED)
    return treatment


@pytest.fixture
def nurse(patient: Patient) -> StaffUser:
    return make_staff(clinic=patient.clinic)


def report(treatment: Treatment, tier: Report.Tier) -> Report:
    return Report.objects.create(treatment=treatment, tier=tier, opened_at=DAY_2)


def claimed(now: datetime) -> list[str]:
    return [reminder.rule for reminder in claim_due(now=now).reminders]


@pytest.mark.parametrize("tier", [Report.Tier.EMERGENCY, Report.Tier.PAGE_NURSE])
def test_an_open_report_of_the_upper_tiers_holds_everything(
    treatment: Treatment, tier: Report.Tier
) -> None:
    report(treatment, tier)
    assert claimed(DAY_2) == []
    assert reminder_of(treatment, "day-2").state == State.PLANNED


@pytest.mark.parametrize("tier", [Report.Tier.CALL_CLINIC, Report.Tier.BEFORE_NEXT])
def test_a_report_of_the_lower_tiers_holds_nothing(treatment: Treatment, tier: Report.Tier) -> None:
    report(treatment, tier)
    assert claimed(DAY_2) == ["day-2"]


def test_a_handover_is_never_held(patient: Patient, treatment: Treatment) -> None:
    report(treatment, Report.Tier.EMERGENCY)
    log(patient=patient, treated_at=DAY_2)
    assert claimed(DAY_2) == ["handover"]


def test_a_nurses_close_releases_what_is_still_useful(
    treatment: Treatment, nurse: StaffUser
) -> None:
    one = report(treatment, Report.Tier.PAGE_NURSE)
    claim_due(now=DAY_2)
    close_report(report=one, by=nurse, now=DAY_2 + timedelta(minutes=1))
    assert claimed(DAY_2 + timedelta(minutes=1)) == ["day-2"]


def test_a_close_after_its_usefulness_sends_nothing(treatment: Treatment, nurse: StaffUser) -> None:
    one = report(treatment, Report.Tier.PAGE_NURSE)
    claim_due(now=DAY_2)
    late = DAY_2 + timedelta(hours=26)
    close_report(report=one, by=nurse, now=late)
    assert claimed(late) == []
    assert reminder_of(treatment, "day-2").skip_reason == Skip.NOT_USEFUL.value


def test_an_invitation_is_skipped_while_a_concern_is_open(treatment: Treatment) -> None:
    invite = reminder_of(treatment, "results")
    Reminder.objects.exclude(pk=invite.pk).update(state=State.DELIVERED, skip_reason="")
    Concern.objects.create(
        clinic=treatment.patient.clinic,
        patient=treatment.patient,
        kind=Concern.Kind.TEXT,
        opened_at=DAY_2,
    )
    assert claimed(invite.due_at) == []
    assert reminder_of(treatment, "results").skip_reason == Skip.CONCERN_OPEN.value


# --- check-ins ---


def answer_check_in(*, treatment: Treatment, rule: str, normal: bool, now: datetime) -> None:
    """Answered on the page, and taken up by the next tick."""
    trend = "better" if normal else "same"
    answer(
        treatment=treatment,
        rule=rule,
        feels_normal=normal,
        trend=trend,
        wants_call=False,
        now=now,
    )
    page_acts.take_up(now=now)


def is_normal(treatment: Treatment) -> bool:
    return feels_normal(treatment.version.protocol, list(treatment.check_ins.order_by("id")))


def ask(treatment: Treatment, number: int) -> Reminder:
    return Reminder.objects.get(treatment=treatment, rule="week-1", occurrence=number)


def test_not_normal_yet_asks_again_in_three_days_three_times_and_then_a_nurse(
    treatment: Treatment,
) -> None:
    for number in (1, 2, 3, 4):
        row = set_state(ask(treatment, number), State.DELIVERED)
        answered_at = row.due_at + timedelta(hours=2)
        answer_check_in(treatment=treatment, rule="week-1", normal=False, now=answered_at)
        if number < 4:
            following = ask(treatment, number + 1)
            assert following.due_at == row.due_at + timedelta(days=3)
            assert following.state == State.PLANNED
    assert not Reminder.objects.filter(rule="week-1", occurrence=5).exists()
    assert Concern.objects.get().kind == Concern.Kind.NOT_NORMAL


def test_two_answers_are_one_more_ask(treatment: Treatment) -> None:
    row = set_state(ask(treatment, 1), State.DELIVERED)
    for _ in range(2):
        answer_check_in(treatment=treatment, rule="week-1", normal=False, now=row.due_at)
    assert Reminder.objects.filter(rule="week-1").count() == 2


def test_feels_normal_opens_the_gate_and_asks_no_more(treatment: Treatment) -> None:
    row = set_state(ask(treatment, 1), State.DELIVERED)
    answer_check_in(treatment=treatment, rule="week-1", normal=True, now=row.due_at)
    assert is_normal(treatment)
    assert Reminder.objects.filter(rule="week-1").count() == 1


def test_the_latest_answer_holds(treatment: Treatment) -> None:
    row = set_state(ask(treatment, 1), State.DELIVERED)
    answer_check_in(treatment=treatment, rule="day-3", normal=True, now=T)
    answer_check_in(treatment=treatment, rule="week-1", normal=False, now=row.due_at)
    assert not is_normal(treatment)


# --- by one word ---

NUMBER = "+12025550146"


def texted(word: str, at: datetime, number: int = 1) -> str:
    with time_machine.travel(at, tick=False):
        said = receive_text(
            provider_id=f"SM{number:032}", sender=NUMBER, recipient=SENDER, body=word
        )
        page_acts.take_up(now=at)
    return said


def asked(treatment: Treatment, rule: str) -> datetime:
    """The check-in has been texted; half an hour later."""
    row = set_state(reminder_of(treatment, rule), State.DELIVERED)
    return row.due_at + timedelta(minutes=30)


@pytest.mark.parametrize("word", ["YES", "yes.", " Sí ", "si", "OK"])
def test_yes_to_week_one_opens_the_gate(treatment: Treatment, word: str) -> None:
    said = texted(word, asked(treatment, "week-1"))
    assert "thank you, good to hear" in said
    assert is_normal(treatment)
    assert InboundText.objects.get().meaning == InboundText.Meaning.ANSWER
    assert not Concern.objects.exists()


@pytest.mark.parametrize("word", ["NO", "Not yet", "todavía no"])
def test_no_to_week_one_asks_again_and_keeps_it_closed(treatment: Treatment, word: str) -> None:
    said = texted(word, asked(treatment, "week-1"))
    assert "We ask again." in said
    assert not is_normal(treatment)
    assert ask(treatment, 2).state == State.PLANNED


def test_the_last_no_to_week_one_promises_no_other_ask(treatment: Treatment) -> None:
    at, said = asked(treatment, "week-1"), []
    for number in range(1, 5):
        Reminder.objects.filter(rule="week-1").update(state=State.DELIVERED, leaves_at=at)
        said.append(texted("no", at, number))
        at += timedelta(days=3)
    assert ["We ask again." in one for one in said] == [True, True, True, False]
    assert "a nurse sees this" in said[-1]
    assert Concern.objects.get().kind == Concern.Kind.NOT_NORMAL


def test_no_to_day_three_goes_before_a_nurse_with_whom_to_call(treatment: Treatment) -> None:
    said = texted("No", asked(treatment, "day-3"))
    assert "Call (855) 383-7546 now. Emergency: call 911." in said
    assert Concern.objects.get().kind == Concern.Kind.CHECK_IN


def test_yes_to_day_three_opens_nothing(treatment: Treatment) -> None:
    texted("yes", asked(treatment, "day-3"))
    assert CheckIn.objects.get().trend == "better"
    assert not is_normal(treatment)


def test_a_word_that_answers_nothing_is_read_by_people(treatment: Treatment) -> None:
    at = asked(treatment, "week-1")
    texted("yes", at)
    texted("yes", at + timedelta(hours=1), number=2)  # once is enough
    texted("no", at + timedelta(days=9), number=3)
    assert CheckIn.objects.count() == 1
    assert Concern.objects.filter(kind=Concern.Kind.TEXT).count() == 2


def test_on_a_shared_number_nobody_can_tell_who_answers(
    patient: Patient, treatment: Treatment
) -> None:
    daughter = log(patient=make_patient(clinic=patient.clinic, first_name="Ana"), treated_at=T)
    asked(daughter, "week-1")
    texted("yes", asked(treatment, "week-1"))
    assert not CheckIn.objects.exists()
    assert Concern.objects.filter(kind=Concern.Kind.TEXT).count() == 2


def test_stop_is_still_stop_while_something_is_asked(treatment: Treatment) -> None:
    texted("Stop", asked(treatment, "week-1"))
    assert InboundText.objects.get().meaning == InboundText.Meaning.STOP

"""An open report holds, a nurse's close releases, "not normal yet" asks again, three times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from patients.acts import answer
from patients.models import Patient, Report, StaffUser, Treatment
from patients.page_answers import feels_normal
from reminders import page_acts
from reminders.check_ins import close_report
from reminders.claim import claim_due
from reminders.models import Concern, Reminder, State
from reminders.moments import Skip
from tests.builders import log, make_staff, reminder_of, set_state

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

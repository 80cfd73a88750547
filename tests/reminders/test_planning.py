"""Moments become rows, and rows move with a correction until they are sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients.inserting import insert_all
from patients.models import Clinic, Consent, Correction, OptOut, Patient, Treatment
from patients.models.patient import Channel
from patients.models.protocol_version import publish
from patients.protocol import Session
from reminders.amending import correct_time, void_treatment
from reminders.models import Reminder, State
from reminders.moments import Skip
from reminders.planning import plan, plan_new, said_by
from reminders.treatments import TreatmentRefused, guess_session
from tests.builders import log, make_patient, make_staff, reminder_of, set_state, shipped

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

# A Friday, 08:30 in Chicago (winter: UTC-6).
T = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


def rows(treatment: Treatment) -> dict[str, Reminder]:
    return {row.rule: row for row in treatment.reminders.all()}


def test_a_logged_treatment_has_a_row_for_every_rule(patient: Patient) -> None:
    planned = rows(log(patient=patient, treated_at=T))
    assert len(planned) == 9
    assert planned["first-hour"].due_at == T + timedelta(hours=1)
    assert planned["cleanse"].due_at == T + timedelta(hours=6)
    assert planned["day-3"].due_at == datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
    assert planned["maintenance"].skip_reason == Skip.NOT_THIS_SESSION.value


def test_planning_costs_the_same_queries_for_any_protocol_length(patient: Patient) -> None:
    treatment = log(patient=patient, treated_at=T)
    Reminder.objects.all().delete()
    with CaptureQueriesContext(connection) as captured:
        plan(treatment, now=T)
    # lock the rows, consents, opt-outs, one insert, read back
    assert len([q for q in captured if "SAVEPOINT" not in q["sql"]]) == 5


def test_planning_twice_changes_nothing(patient: Patient) -> None:
    treatment = log(patient=patient, treated_at=T)
    before = list(treatment.reminders.order_by("id").values("id", "due_at", "state"))
    plan(treatment, now=T)
    assert list(treatment.reminders.order_by("id").values("id", "due_at", "state")) == before


def test_without_consent_the_treatment_is_saved_and_every_row_says_why(patient: Patient) -> None:
    treatment = log(patient=patient, treated_at=T, recovery=False, rebooking=False)
    planned = rows(treatment)
    assert planned.pop("maintenance").skip_reason == Skip.NO_CONSENT.value
    assert {row.skip_reason for row in planned.values()} == {Skip.NO_CONSENT.value}


def test_rebooking_needs_its_own_consent(patient: Patient) -> None:
    planned = rows(log(patient=patient, treated_at=T, rebooking=False))
    assert planned["day-2"].state == State.PLANNED
    assert planned["results"].skip_reason == Skip.NO_CONSENT.value
    assert Consent.objects.filter(patient=patient, scope="rebooking", given=False).count() == 2


def test_without_a_number_texts_are_skipped_with_the_reason(clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic, phone="", email="maria@example.org")
    Patient.objects.filter(pk=patient.pk).update(channel=Channel.SMS)
    patient.refresh_from_db()
    treatment = log(patient=patient, treated_at=T)
    assert {row.skip_reason for row in rows(treatment).values()} == {Skip.NO_CONTACT.value}


def test_a_correction_moves_what_is_unsent_and_leaves_what_was_sent(patient: Patient) -> None:
    staff = make_staff(clinic=patient.clinic)
    with time_machine.travel(T + timedelta(minutes=70), tick=False):
        treatment = log(patient=patient, treated_at=T)
        set_state(reminder_of(treatment, "handover"), State.DELIVERED)
        sent = set_state(reminder_of(treatment, "first-hour"), State.DELIVERED)
        correct_time(
            treatment=treatment,
            treated_at=T + timedelta(minutes=30),
            reason="Typed the wrong time",
            by=staff,
        )
    planned = rows(treatment)
    assert planned["cleanse"].due_at == T + timedelta(hours=6, minutes=30)
    assert planned["cleanse"].treated_at == T + timedelta(minutes=30)
    assert planned["first-hour"].due_at == sent.due_at
    assert planned["first-hour"].treated_at == T
    correction = Correction.objects.get()
    assert (correction.old_treated_at, correction.new_treated_at) == (
        T,
        T + timedelta(minutes=30),
    )


def test_a_correction_into_the_past_sends_nothing_in_a_burst(patient: Patient) -> None:
    staff = make_staff(clinic=patient.clinic)
    with time_machine.travel(T + timedelta(minutes=10), tick=False):
        treatment = log(patient=patient, treated_at=T)
        set_state(reminder_of(treatment, "handover"), State.SENT)
        correct_time(
            treatment=treatment, treated_at=T - timedelta(hours=8), reason="It was 8 h", by=staff
        )
    planned = rows(treatment)
    assert planned["cleanse"].skip_reason == Skip.PASSED.value
    assert planned["first-hour"].skip_reason == Skip.LOGGED_LATE.value
    assert not treatment.reminders.filter(state=State.PLANNED, due_at__lte=T).exists()


def test_a_correction_can_make_a_skipped_moment_useful_again(patient: Patient) -> None:
    staff = make_staff(clinic=patient.clinic)
    with time_machine.travel(T, tick=False):
        treatment = log(patient=patient, treated_at=T - timedelta(hours=7), logged_at=T)
        assert reminder_of(treatment, "cleanse").skip_reason == Skip.PASSED.value
        correct_time(treatment=treatment, treated_at=T, reason="It was just now", by=staff)
    again = reminder_of(treatment, "cleanse")
    assert (again.state, again.due_at) == (State.PLANNED, T + timedelta(hours=6))


def test_a_later_treatment_replaces_what_the_earlier_one_had_still_to_send(
    patient: Patient,
) -> None:
    first = log(patient=patient, treated_at=T)
    sent = set_state(reminder_of(first, "handover"), State.DELIVERED)
    second = log(patient=patient, treated_at=T + timedelta(days=2), session=Session.SECOND)
    earlier = rows(first)
    assert earlier["handover"].state == sent.state
    assert earlier["day-3"].skip_reason == Skip.LATER_TREATMENT.value
    assert rows(second)["day-3"].state == State.PLANNED


def test_an_older_treatment_logged_later_never_takes_over(patient: Patient) -> None:
    newer = log(patient=patient, treated_at=T)
    older = log(patient=patient, treated_at=T - timedelta(days=2), logged_at=T)
    assert {row.state for row in older.reminders.all()} == {State.SKIPPED}
    assert rows(newer)["day-3"].state == State.PLANNED


def test_voiding_brings_the_earlier_treatment_back(patient: Patient) -> None:
    staff = make_staff(clinic=patient.clinic)
    first = log(patient=patient, treated_at=T)
    later = T + timedelta(hours=30)
    with time_machine.travel(later, tick=False):
        mistake = log(patient=patient, treated_at=later)
        void_treatment(treatment=mistake, reason="Wrong patient", by=staff)
    assert {row.skip_reason for row in mistake.reminders.all()} <= {
        Skip.VOIDED.value,
        Skip.NOT_THIS_SESSION.value,
    }
    assert rows(first)["day-3"].state == State.PLANNED
    assert rows(first)["day-2"].skip_reason == Skip.PASSED.value


def test_a_voided_treatment_can_be_neither_corrected_nor_voided_again(patient: Patient) -> None:
    staff = make_staff(clinic=patient.clinic)
    with time_machine.travel(T, tick=False):
        treatment = log(patient=patient, treated_at=T)
        void_treatment(treatment=treatment, reason="Wrong patient", by=staff)
        with pytest.raises(TreatmentRefused, match="voided"):
            correct_time(treatment=treatment, treated_at=T, reason="x", by=staff)
        with pytest.raises(TreatmentRefused, match="voided"):
            void_treatment(treatment=treatment, reason="x", by=staff)


def test_changing_the_channel_moves_what_waits_and_resends_nothing(patient: Patient) -> None:
    treatment = log(patient=patient, treated_at=T)
    set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    patient.channel = Channel.EMAIL
    patient.save()
    plan(treatment, now=T + timedelta(minutes=1))
    by_email = treatment.reminders.filter(channel=Channel.EMAIL)
    assert not by_email.filter(rule="handover").exists()
    assert by_email.get(rule="cleanse").state == State.PLANNED
    assert (
        treatment.reminders.get(rule="cleanse", channel=Channel.SMS).skip_reason
        == Skip.OTHER_CHANNEL.value
    )


def test_an_import_plans_no_handover(clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic)
    treatment = log(patient=patient, treated_at=T)
    Reminder.objects.all().delete()
    plan(treatment, now=T, handover=False)
    plan(treatment, now=T)  # a later correction remembers
    assert reminder_of(treatment, "handover").skip_reason == Skip.NO_HANDOVER.value


def test_many_are_planned_like_one_in_the_same_number_of_queries(clinic: Clinic) -> None:
    silent = make_patient(clinic=clinic, phone="+12025550100")
    OptOut.objects.create(
        clinic=clinic, channel=Channel.SMS, address="+12025550100", stopped=True, recorded_at=T
    )
    people = [silent, *(make_patient(clinic=clinic, phone=f"+120255501{n}") for n in range(10, 30))]
    treatments = [log(patient=patient, treated_at=T) for patient in people]
    one_by_one = [plain(treatment) for treatment in treatments]
    for few in (treatments[:2], treatments):
        Reminder.objects.all().delete()
        with CaptureQueriesContext(connection) as captured:
            said = said_by(treatment.patient for treatment in few)
            rows = plan_new(few, said, now=T, handover=True)
        assert len(rows) == 9 * len(few)
        assert len(captured) == 2  # consents, opt-outs
        insert_all(rows)
        assert [plain(treatment) for treatment in few] == one_by_one[: len(few)]


def plain(treatment: Treatment) -> list[tuple[object, ...]]:
    names = ("rule", "channel", "occurrence", "due_at", "leaves_at", "not_after", "gate_at")
    more = ("treated_at", "state", "skip_reason", "urgent")
    return list(treatment.reminders.order_by("rule").values_list(*names, *more))


@pytest.mark.parametrize(
    ("delta", "message"),
    [(timedelta(minutes=6), "in the future"), (timedelta(days=-30, minutes=-1), "30 days")],
)
def test_an_impossible_time_is_refused_with_its_reason(
    patient: Patient, delta: timedelta, message: str
) -> None:
    with pytest.raises(TreatmentRefused, match=message):
        log(patient=patient, treated_at=T + delta, logged_at=T)
    assert not Treatment.objects.exists()


def test_the_session_is_guessed_from_what_was_logged(patient: Patient) -> None:
    expected = [Session.FIRST, Session.SECOND, Session.THIRD, Session.MAINTENANCE]
    for number, session in enumerate([*expected, Session.MAINTENANCE]):
        assert guess_session(patient, "microneedling") is session
        log(patient=patient, treated_at=T + timedelta(days=30 * number), session=session)


def test_a_treatment_keeps_the_version_it_was_logged_under(patient: Patient) -> None:
    treatment = log(patient=patient, treated_at=T)
    first = shipped(patient.clinic)
    source = type(first).objects.values_list("source", flat=True).get(pk=first.pk)
    publish(clinic=patient.clinic, source=source.replace("“Rescue”", "“Calm”"))
    treatment.refresh_from_db()
    assert treatment.version.number == 1
    assert "Rescue" in treatment.version.protocol.words("en").steps["B3"].text
    assert "Calm" in shipped(patient.clinic).protocol.words("en").steps["B3"].text

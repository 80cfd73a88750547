"""The board: who got which reminders, of one clinic, at the same price for 3 patients and 300."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from patients.models import Clinic, Patient, StaffUser, Treatment
from patients.models.clinic import Role
from patients.models.patient import Channel
from reminders.grid import PAGE, Board
from reminders.models import State
from reminders.optouts import stop
from reminders.treatments import correct_time
from tests.builders import log, make_clinic, make_patient, make_staff, reminder_of, set_state, void
from tests.reminders.conftest import NOON
from tests.reminders.desk_form import text_of

# session, user, clinic, trouble, what is due, how many treatments, a page of them, their reminders
QUERIES = 9


@pytest.fixture
def nurse(noon: time_machine.Traveller, clinic: Clinic, client: Client) -> Client:
    client.force_login(make_staff(clinic=clinic, role=Role.NURSE, name="Imani Brooks"))
    return client


def board_of(nurse: Client, query: str = "") -> Board:
    board = nurse.get(reverse("board") + query).context["board"]
    assert isinstance(board, Board)
    return board


def treated(clinic: Clinic, name: str, hours_ago: float, **more: Any) -> Treatment:
    at = NOON - timedelta(hours=hours_ago)
    return log(patient=make_patient(clinic=clinic, first_name=name, **more), treated_at=at)


def cell(board: Board, column: str, row: int = 0) -> tuple[str, str, str]:
    shown = board.rows[row].cells[board.columns.index(column)]
    assert shown is not None
    return shown.look.word, shown.when, shown.channel


@pytest.mark.parametrize("patients", [1, 3, 300])
def test_the_board_costs_the_same_number_of_queries_for_any_number_of_patients(
    nurse: Client,
    clinic: Clinic,
    patients: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first = treated(clinic, "Maria", 1)
    _copy(first, patients - 1)
    board_of(nurse)  # the plan's text is read once a process
    with django_assert_num_queries(QUERIES):
        board = board_of(nurse)
    assert len(board.rows) == min(patients, PAGE)
    assert board.page.paginator.count == patients


def _copy(treatment: Treatment, times: int) -> None:
    """As many more patients with the same plan, in three inserts."""
    patients = Patient.objects.bulk_create(
        Patient(clinic_id=treatment.patient.clinic_id, first_name="Ana", last_name=str(number))
        for number in range(times)
    )
    rows = Treatment.objects.bulk_create(
        Treatment(
            patient=patient,
            version=treatment.version,
            treated_at=treatment.treated_at,
            session=treatment.session,
            logged_at=treatment.logged_at,
            link_hash=patient.pk.to_bytes(32),
            link_expires_at=treatment.link_expires_at,
        )
        for patient in patients
    )
    plan = list(treatment.reminders.all())
    copies = []
    for row in rows:
        for reminder in plan:
            values = {f.attname: getattr(reminder, f.attname) for f in reminder._meta.fields}
            copies.append(type(reminder)(**values | {"id": None, "treatment_id": row.pk}))
    type(plan[0]).objects.bulk_create(copies)


def test_a_row_shows_every_reminder_of_the_plan_with_state_time_and_channel(
    nurse: Client, clinic: Clinic
) -> None:
    treatment = treated(clinic, "Maria", 2)
    set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    board = board_of(nurse)
    assert board.columns[:4] == ("Handover", "1 hour", "Gentle wash", "Day 2")
    assert cell(board, "Handover") == ("Delivered", "10:00 am", "sms")
    assert cell(board, "Gentle wash") == ("Planned", "4:00 pm", "sms")
    assert cell(board, "Day 2") == ("Planned", "Tue 9:00 am", "sms")
    assert cell(board, "Maintenance") == ("Skipped", "other session", "")


def test_what_went_by_email_says_so(nurse: Client, clinic: Clinic) -> None:
    treatment = treated(clinic, "Grace", 2, channel=Channel.EMAIL, email="grace@example.org")
    set_state(reminder_of(treatment, "handover"), State.SENT)
    assert cell(board_of(nurse), "Handover") == ("Sent", "10:00 am", "email")
    assert "by email" in text_of(nurse.get(reverse("board")))


def test_trouble_comes_first_then_the_latest(nurse: Client, clinic: Clinic) -> None:
    failed, unknown = treated(clinic, "Devon", 30), treated(clinic, "Uma", 40)
    treated(clinic, "Maria", 1)
    treated(clinic, "Ana", 5)
    set_state(reminder_of(failed, "handover"), State.FAILED)
    set_state(reminder_of(unknown, "handover"), State.UNKNOWN)
    names = [row.name.split()[0] for row in board_of(nurse).rows]
    assert names == ["Devon", "Uma", "Maria", "Ana"]


def test_trouble_of_long_ago_asks_for_nothing_any_more(nurse: Client, clinic: Clinic) -> None:
    old = treated(clinic, "Devon", 24 * 20)
    set_state(reminder_of(old, "handover"), State.FAILED)
    treated(clinic, "Maria", 1)
    board = board_of(nurse)
    assert [row.name for row in board.rows] == ["Maria Gomez", "Devon Gomez"]
    assert {counter.key: counter.number for counter in board.counters}["failed"] == 0


def test_each_counter_is_the_number_of_rows_its_filter_leaves(
    nurse: Client, clinic: Clinic
) -> None:
    failed = treated(clinic, "Devon", 30, phone="+12025550101")
    unknown = treated(clinic, "Uma", 31, phone="+12025550102")
    treated(clinic, "Maria", 0.5, phone="+12025550103")
    treated(clinic, "Tom", 50, phone="+12025550104")
    set_state(reminder_of(failed, "handover"), State.FAILED)
    set_state(reminder_of(failed, "first-hour"), State.FAILED)
    set_state(reminder_of(unknown, "handover"), State.UNKNOWN)
    for treatment in (failed, unknown, *Treatment.objects.filter(patient__first_name="Tom")):
        treatment.reminders.filter(state=State.PLANNED, due_at__lt=NOON).update(state="delivered")
    stop(clinic, "+12025550104")
    for counter in board_of(nurse).counters:
        board = board_of(nurse, f"?show={counter.key}")
        assert (counter.key, counter.number) == (counter.key, len(board.rows)), counter.key
        assert (counter.key, counter.number) == (counter.key, 1)


def test_a_filter_nobody_knows_shows_everybody(nurse: Client, clinic: Clinic) -> None:
    treated(clinic, "Maria", 1)
    assert len(board_of(nurse, "?show=everything&page=minus-one").rows) == 1


def test_what_was_sent_for_an_earlier_treatment_time_is_marked(
    nurse: Client, clinic: Clinic
) -> None:
    treatment = treated(clinic, "Maria", 0.5)
    set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    by = StaffUser.objects.get()
    correct_time(treatment=treatment, treated_at=NOON - timedelta(hours=1), reason="x", by=by)
    assert "sent for an earlier treatment time" in text_of(nurse.get(reverse("board")))


def test_a_patient_in_another_zone_is_shown_in_it_and_it_is_named(
    nurse: Client, clinic: Clinic
) -> None:
    treated(clinic, "Maria", 2, zone="America/New_York")
    board = board_of(nurse)
    assert cell(board, "Gentle wash") == ("Planned", "5:00 pm", "sms")
    assert "EST time" in board.rows[0].detail


def test_voided_treatments_and_other_clinics_are_not_on_the_board(
    nurse: Client, clinic: Clinic
) -> None:
    void(treated(clinic, "Wrong", 1), by=StaffUser.objects.get())
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    foreign = treated(other, "Foreign", 1)
    set_state(reminder_of(foreign, "handover"), State.FAILED)
    board = board_of(nurse)
    assert board.rows == ()
    assert {counter.number for counter in board.counters} == {0}


def test_an_empty_board_teaches_what_it_will_show(nurse: Client) -> None:
    page = text_of(nurse.get(reverse("board")))
    assert "Nobody has been logged yet" in page
    assert "the phone has confirmed it" in page


def test_changes_wait_to_be_asked_for(nurse: Client, clinic: Clinic) -> None:
    maria, ana = treated(clinic, "Maria", 1), treated(clinic, "Ana", 2)
    changes = reverse("board-changes")
    since = NOON.isoformat()
    assert nurse.get(changes, {"since": since}).status_code == 204
    later = NOON + timedelta(seconds=5)
    set_state(reminder_of(maria, "handover"), State.SENT, at=later)
    set_state(reminder_of(maria, "first-hour"), State.SENT, at=later)
    set_state(reminder_of(ana, "handover"), State.SENT, at=later)
    assert "2 changes: show" in text_of(nurse.get(changes, {"since": since}))


@pytest.mark.parametrize("since", ["", "yesterday", "2026-11-23T12:00:00", "2026-99-99T00:00Z"])
def test_a_since_that_is_no_moment_changes_nothing(nurse: Client, since: str) -> None:
    assert nurse.get(reverse("board-changes"), {"since": since}).status_code == 204


def test_no_staff_page_is_kept_by_the_browser(nurse: Client) -> None:
    assert "no-store" in nurse.get(reverse("board"))["Cache-Control"]

"""The page of open tasks: everybody's, one's own, and those that are late."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from patients.models import AuditRow, Clinic, Patient, StaffUser
from patients.models.clinic import Role
from reminders.models import Note, Task
from reminders.to_do import MANY, ToDos
from reminders.trail import MANY as OF_A_STORY
from reminders.trail import trail
from tests.builders import log, make_clinic, make_patient, make_staff, void
from tests.reminders.conftest import NOON
from tests.reminders.desk_form import text_of

pytestmark = pytest.mark.both_databases


@pytest.fixture
def imani(noon: time_machine.Traveller, clinic: Clinic) -> StaffUser:
    return make_staff(clinic=clinic, role=Role.NURSE, name="Imani Brooks")


@pytest.fixture
def park(clinic: Clinic) -> StaffUser:
    return make_staff(clinic=clinic, role=Role.LEAD, name="Dr. Park")


@pytest.fixture
def nurse(imani: StaffUser, client: Client) -> Client:
    client.force_login(imani)
    return client


def give(patient: Patient, text: str, *, to: StaffUser, due_at: datetime, **more: object) -> Task:
    return Task.objects.create(
        clinic=patient.clinic, patient=patient, text=text, owner=to, made_by=to, due_at=due_at,
        made_at=NOON, **more,
    )  # fmt: skip


def found(nurse: Client, show: str = "") -> ToDos:
    shown = nurse.get(reverse("tasks"), {"show": show}).context["found"]
    assert isinstance(shown, ToDos)
    return shown


@pytest.fixture
def three(imani: StaffUser, park: StaffUser, patient: Patient) -> list[Task]:
    """One of hers that is late, one of hers for tomorrow, one of her colleague's; and one done."""
    log(patient=patient)
    give(patient, "Done long ago", to=imani, due_at=NOON, done_at=NOON, done_by=imani)
    return [
        give(patient, "Send the photo", to=imani, due_at=NOON + timedelta(hours=21)),
        give(patient, "Look at 202 555 0177", to=imani, due_at=NOON - timedelta(minutes=5)),
        give(patient, "Sign it", to=park, due_at=NOON + timedelta(hours=1)),
    ]


def test_each_filter_counts_and_lists_what_it_names_the_most_pressing_first(
    nurse: Client, three: list[Task]
) -> None:
    assert [(one.words, one.number) for one in found(nurse).filters] == [
        ("open", 3), ("mine", 2), ("late", 1),
    ]  # fmt: skip
    listed = {show: [one.text for one in found(nurse, show).tasks] for show in ("", "mine", "late")}
    assert listed == {
        "": ["Look at 202 555 0177", "Sign it", "Send the photo"],
        "mine": ["Look at 202 555 0177", "Send the photo"],
        "late": ["Look at 202 555 0177"],
    }
    assert found(nurse, "nonsense").show == ""
    late, other, _ = found(nurse).tasks
    assert (late.late, late.owner, late.due) == (True, "you", "11:55 am today")
    assert (other.late, other.owner) == (False, "Dr. Park")
    page = text_of(nurse.get(reverse("tasks")))
    assert 'aria-current="page">Tasks' in page
    assert "Maria Gomez" in page


def test_who_looked_at_whose_tasks_is_on_the_record(nurse: Client, three: list[Task]) -> None:
    found(nurse, "late")
    row = AuditRow.objects.latest("pk")
    assert (row.act, row.patient_id, row.about) == ("tasks", three[0].patient_id, "late")


def test_done_leads_back_to_the_list_it_was_pressed_on(nurse: Client, three: list[Task]) -> None:
    here = f"http://testserver{reverse('tasks')}?show=mine"
    done = reverse("task-done", args=[three[0].pk])
    assert nurse.post(done, headers={"referer": here})["Location"] == here
    assert [one.text for one in found(nurse, "mine").tasks] == ["Look at 202 555 0177"]
    elsewhere = nurse.post(done, headers={"referer": "https://elsewhere.example/"})
    assert elsewhere["Location"].startswith("/treatments/")


def test_a_list_that_is_empty_says_so_and_where_tasks_come_from(nurse: Client) -> None:
    assert "A task is given from a patient’s story." in text_of(nurse.get(reverse("tasks")))
    assert "Nothing is yours to do." in text_of(nurse.get(reverse("tasks"), {"show": "mine"}))
    assert "Nothing is late." in text_of(nurse.get(reverse("tasks"), {"show": "late"}))


def test_another_clinics_tasks_are_not_there(nurse: Client, three: list[Task]) -> None:
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550109")
    patient = make_patient(clinic=other)
    give(patient, "Foreign", to=make_staff(clinic=other), due_at=NOON)
    assert len(found(nurse).tasks) == found(nurse).filters[0].number == 3


def test_a_task_leads_to_the_newest_treatment_that_stands(
    nurse: Client, three: list[Task], patient: Patient, imani: StaffUser
) -> None:
    stands = log(patient=patient, treated_at=NOON - timedelta(days=1))
    for treatment in patient.treatments.exclude(pk=stands.pk):
        void(treatment, by=imani)
    assert {one.treatment for one in found(nurse).tasks} == {stands.pk}


def test_what_is_too_much_for_a_page_is_counted(
    nurse: Client, imani: StaffUser, patient: Patient
) -> None:
    for number in range(MANY + 2):
        give(patient, f"Number {number}", to=imani, due_at=NOON + timedelta(minutes=number))
    assert "2 more are open; end some of these to see them." in text_of(nurse.get(reverse("tasks")))


@pytest.mark.parametrize("patients", [2, 9])
def test_it_costs_the_same_number_of_queries_for_any_number_of_tasks(
    nurse: Client,
    clinic: Clinic,
    imani: StaffUser,
    patients: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(patients):
        patient = make_patient(clinic=clinic, phone=f"+1202555010{number}")
        log(patient=patient)
        give(patient, "Call", to=imani, due_at=NOON)
    found(nurse)
    # session, user, clinic; how many, which; the audit row and its group
    with django_assert_num_queries(7):
        found(nurse)


def test_no_open_task_falls_off_a_story_however_much_is_written_after_it(
    nurse: Client, imani: StaffUser, patient: Patient
) -> None:
    treatment = log(patient=patient)
    give(patient, "Of last year", to=imani, due_at=NOON + timedelta(hours=1))
    Note.objects.bulk_create(
        Note(patient=patient, by=imani, text=f"Note {number}", written_at=NOON + timedelta(hours=1))
        for number in range(OF_A_STORY + 10)
    )
    entries = trail(patient, now=NOON)
    assert entries[0].text == "Of last year"
    assert entries[0].task is not None
    page = text_of(nurse.get(reverse("story", args=[treatment.pk])))
    assert "Of last year" in page
    assert f"What is older than these {OF_A_STORY} is kept" in page

"""Taking in a list as somebody at the desk does it, page by page."""

from __future__ import annotations

import io
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import Clinic, ImportFile, Patient, Treatment
from reminders import heartbeat, imports
from reminders.import_progress import SILENT_FOR, tell
from tests.builders import make_clinic, make_staff
from tests.reminders.desk_form import text_of
from tests.reminders.test_imports import HEADER, line, sheet


def send(desk: Client, content: io.BytesIO) -> Any:
    file = SimpleUploadedFile("november.csv", content.getvalue(), content_type="text/csv")
    return desk.post(reverse("imports"), {"file": file}, follow=True)


def columns(**changes: str) -> dict[str, str]:
    names = {
        "first_name": "First name",
        "last_name": "Last name",
        "phone": "Mobile",
        "treated_at": "Treated on",
        "time": "Time",
        "recovery": "Consent",
        "source": "Consent source",
    }
    guessed = {key: str(HEADER.index(name)) for key, name in names.items()}
    return guessed | {"days": "month"} | changes


def test_a_list_is_taken_in_page_by_page(desk: Client, clinic: Clinic) -> None:
    page = text_of(send(desk, sheet([line(1), line(2, Mobile="12"), line(3)])))
    assert "What is in which column?" in page
    assert "Mobile: 2025550001, 12, 2025550003" in page
    file = ImportFile.objects.get()
    checked = desk.post(reverse("import-columns", args=[file.pk]), columns(), follow=True)
    assert "2 rows can be taken in</b>, 1 would be left out. Nothing is saved yet." in text_of(
        checked
    )
    assert "“12” is too short for a US number" in text_of(checked)
    assert not Patient.objects.exists()
    wrong = desk.post(reverse("import-accept", args=[file.pk]), {"only": "all"})
    assert "Write row numbers like 2-40, 57." in text_of(wrong)
    accepted = desk.post(reverse("import-accept", args=[file.pk]), {}, follow=True)
    assert "It begins in a moment" in text_of(accepted)
    progress = reverse("import-progress", args=[file.pk])
    tell(file.pk, 1)
    assert "1 of 2 rows are ready" in text_of(desk.get(progress))
    imports.take_in_accepted()
    assert desk.get(progress)["HX-Refresh"] == "true"
    done = text_of(desk.get(reverse("import-file", args=[file.pk])))
    assert "<b>Taken in:</b> 2 treatments, 2 new patients. Left out: 1." in done
    assert set(Treatment.objects.values_list("import_file", flat=True)) == {file.pk}
    again = text_of(send(desk, sheet([line(1), line(2, Mobile="12"), line(3)])))
    assert "This file has been here before." in again
    assert "Taken in:" in again


def test_of_two_desks_that_accept_one_list_the_second_is_told(desk: Client) -> None:
    send(desk, sheet([line(1)]))
    file = ImportFile.objects.get()
    desk.post(reverse("import-columns", args=[file.pk]), columns())
    desk.post(reverse("import-accept", args=[file.pk]), {})
    told = text_of(desk.post(reverse("import-accept", args=[file.pk]), {}, follow=True))
    assert "A colleague was quicker" in told


def test_a_list_whose_worker_was_killed_is_tried_again_at_once(
    desk: Client, noon: time_machine.Traveller
) -> None:
    send(desk, sheet([line(1)]))
    file = ImportFile.objects.get()
    desk.post(reverse("import-columns", args=[file.pk]), columns())
    desk.post(reverse("import-accept", args=[file.pk]), {})
    ImportFile.objects.update(claimed_at=timezone.now())  # a worker has it, and is killed
    again, shown = (reverse(f"import-{name}", args=[file.pk]) for name in ("again", "progress"))
    noon.shift(SILENT_FOR / 2)
    tell(file.pk, 1)
    noon.shift(SILENT_FOR)  # it was heard of just now
    assert "Try again now" not in text_of(desk.get(shown))
    desk.post(again)
    assert not imports.take_in_accepted()
    noon.shift(1)
    assert "Try again now" in text_of(desk.get(shown))
    desk.post(again)
    assert "Try again now" not in text_of(desk.get(shown))
    assert imports.take_in_accepted()
    assert Treatment.objects.count() == 1
    assert "on its way again" in text_of(desk.post(again, follow=True))  # pressed twice


def test_a_list_no_worker_takes_up_says_so_and_can_be_taken_back(
    desk: Client, noon: time_machine.Traveller
) -> None:
    heartbeat.beat(now=timezone.now())
    send(desk, sheet([line(1)]))
    file = ImportFile.objects.get()
    desk.post(reverse("import-columns", args=[file.pk]), columns())
    accept, back, shown = (
        reverse(f"import-{name}", args=[file.pk]) for name in ("accept", "back", "file")
    )
    page = text_of(desk.post(accept, {}, follow=True))
    assert "It begins in a moment" in page
    assert "is not running" not in page
    noon.shift(60)
    page = text_of(desk.get(shown))
    assert "The program that takes lists in is not running, since 12:00 pm today." in page
    assert "Do not take it in for now" in page
    assert "1 row can be taken in" in text_of(desk.post(back, follow=True))
    assert not imports.take_in_accepted()
    desk.post(accept, {})
    assert imports.take_in_accepted()
    assert "It had begun already" in text_of(desk.post(back, follow=True))
    assert Treatment.objects.count() == 1


def test_columns_changed_after_a_colleague_accepted_change_nothing(desk: Client) -> None:
    send(desk, sheet([line(1)]))
    file = ImportFile.objects.get()
    assert imports.check(file, columns=file.columns, day_first=False)
    desk.post(reverse("import-accept", args=[file.pk]), {})
    assert not imports.check(file, columns={"first_name": 1}, day_first=True)  # was under way
    file.refresh_from_db()
    assert (file.state, file.day_first) == (ImportFile.State.ACCEPTED, False)


def test_the_preview_counts_the_treatments_whose_plan_is_over(desk: Client) -> None:
    old = {"Treated on": "3/2/2026", "Time": ""}
    send(desk, sheet([line(1), line(2, **old), line(3, **old)]))
    file = ImportFile.objects.get()
    page = text_of(desk.post(reverse("import-columns", args=[file.pk]), columns(), follow=True))
    assert "3 rows can be taken in" in page
    assert "2 of them were treated more than 30 days ago." in page


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"first_name": ""}, "Say in which column this is."),
        ({"phone": ""}, "Without a mobile or an email nobody can be reached."),
        ({"last_name": "0"}, "That column is “First name” already."),
        ({"source": "99"}, "Select a valid choice."),
    ],
)
def test_columns_that_cannot_be_are_refused_in_words(
    desk: Client, changes: dict[str, str], answer: str
) -> None:
    send(desk, sheet([line(1)]))
    address = reverse("import-columns", args=[ImportFile.objects.get().pk])
    assert answer in text_of(desk.post(address, columns(**changes)))


def test_what_is_left_out_is_downloaded_with_reasons_and_runs_no_formula(desk: Client) -> None:
    send(desk, sheet([line(1, Mobile="12", **{"Last name": "=cmd|' /c calc'!A1"})]))
    file = ImportFile.objects.get()
    desk.post(reverse("import-columns", args=[file.pk]), columns())
    answer: Any = desk.get(reverse("import-bad", args=[file.pk]))
    text = b"".join(answer.streaming_content).decode()
    assert "'=cmd" in text
    assert "too short for a US number" in text
    assert ",2," in text


def test_a_list_thrown_away_leaves_nothing(desk: Client) -> None:
    send(desk, sheet([line(1)]))
    file = ImportFile.objects.get()
    page = text_of(desk.post(reverse("import-forget", args=[file.pk]), follow=True))
    assert "The list is thrown away. Nothing of it was taken in." in page
    assert not ImportFile.objects.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04\0", b"a,b\n"])
def test_a_file_that_is_no_list_is_answered_beside_the_field(desk: Client, content: bytes) -> None:
    page = text_of(send(desk, io.BytesIO(content)))
    assert 'class="errorlist"' in page
    assert not ImportFile.objects.exists()


def test_the_same_file_of_two_clinics_is_two_lists(desk: Client, client: Client) -> None:
    send(desk, sheet([line(1)]))
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    hillside = Client()
    hillside.force_login(make_staff(clinic=other))
    send(hillside, sheet([line(1)]))
    assert ImportFile.objects.count() == 2

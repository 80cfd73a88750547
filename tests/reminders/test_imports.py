"""A list of patients and treatments: judged row by row, taken in wholly or not at all, once."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from patients.models import Clinic, Consent, ImportFile, OptOut, Patient, StaffUser, Treatment
from patients.models.clinic import Role
from patients.models.patient import latest_consents
from reminders import import_saving, imports
from reminders.amending import correct_time
from reminders.claim import claim_due
from reminders.import_reading import MOST_ROWS, ImportRefused, ranges_of
from reminders.models import Reminder, State
from reminders.moments import Skip
from tests.builders import log, make_clinic, make_patient, make_staff, void
from tests.reminders.conftest import CHICAGO, NOON
from tests.services.environment import process_environment

pytestmark = pytest.mark.thorough

HEADER = (
    "First name,Last name,Mobile,Email,Treated on,Time,Session,Consent,Marketing consent,"
    "Consent source,Consent date"
).split(",")
BAD = {
    "The first name is missing.": {"First name": ""},
    "“(202) 555-01” is too short for a US number: 8 digits, it needs 10.": {
        "Mobile": "(202) 555-01"
    },
    "This is not an email address. One looks like ana@example.org.": {"Email": "ana@"},
    "It has neither a mobile nor an email.": {"Mobile": "", "Email": ""},
    "“32/13/2026 9:00” is no day and time we can read.": {
        "Treated on": "32/13/2026",
        "Time": "9:00",
    },
    "“11/22/2026” has no time: the plan counts hours from it.": {"Time": ""},
    "“noon” is no time of day we can read.": {"Time": "noon"},
    "That time is in the future. When did the treatment end?": {"Treated on": "11/24/2026"},
    "The day of the consent is “soon”: we cannot read that.": {"Consent date": "soon"},
    "The consent is of 11/24/2026: that day is still to come.": {"Consent date": "11/24/2026"},
    "The session is “4”: write 1, 2, 3 or maintenance.": {"Session": "4"},
    "“maybe” is neither yes nor no.": {"Consent": "maybe"},
}


@pytest.fixture
def staff(noon: time_machine.Traveller, clinic: Clinic) -> StaffUser:
    return make_staff(clinic=clinic)


def line(number: int, **changes: str) -> dict[str, str]:
    row = dict.fromkeys(HEADER, "") | {
        "First name": "Ana",
        "Last name": f"Petrov{number}",
        "Mobile": f"202555{number:04}",
        "Treated on": "11/22/2026",
        "Time": "4:05 pm",
        "Consent": "yes",
        "Consent source": "paper form",
    }
    return row | changes


def sheet(rows: Iterable[dict[str, str]]) -> io.BytesIO:
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER)
    writer.writeheader()
    writer.writerows(rows)
    return io.BytesIO(text.getvalue().encode())


def uploaded(rows: Iterable[dict[str, str]], staff: StaffUser) -> ImportFile:
    """Uploaded and checked, by the columns that were guessed."""
    file = imports.upload(clinic=staff.clinic, file=sheet(rows), name="list.csv", by=staff)
    imports.check(file, columns=file.columns, day_first=False)
    return file


def take_in(file: ImportFile, *, handover: bool = False, only: str = "") -> ImportFile:
    assert imports.accept(file, handover=handover, only=only, by=file.uploaded_by)  # type: ignore[arg-type]
    imports.take_in_accepted()
    file.refresh_from_db()
    assert file.state == ImportFile.State.DONE
    return file


def problems(file: ImportFile) -> dict[int, str]:
    return dict(file.rows.exclude(problem="").values_list("number", "problem"))


# --- Judged ------------------------------------------------------------------------------------


def test_the_columns_are_guessed_from_the_header(staff: StaffUser) -> None:
    file = imports.upload(clinic=staff.clinic, file=sheet([line(1)]), name="a.csv", by=staff)
    assert {key: HEADER[at] for key, at in file.columns.items()} == {
        "first_name": "First name",
        "last_name": "Last name",
        "phone": "Mobile",
        "email": "Email",
        "treated_at": "Treated on",
        "time": "Time",
        "session": "Session",
        "recovery": "Consent",
        "rebooking": "Marketing consent",
        "source": "Consent source",
        "said_on": "Consent date",
    }


def test_every_bad_row_is_named_with_its_reason_and_the_good_ones_are_taken_in(
    staff: StaffUser,
) -> None:
    rows = [line(number, **bad) for number, bad in enumerate(BAD.values())]
    file = uploaded([*rows, line(90)], staff)
    assert problems(file) == dict(enumerate(BAD, start=2))
    take_in(file)
    assert [one.last_name for one in Patient.objects.all()] == ["Petrov90"]


@pytest.mark.parametrize(
    ("written", "clock", "day_first"),
    [
        ("11/22/2026", "4:05 pm", False),
        ("22/11/2026", "16:05", True),
        ("22.11.26", "16:05", True),
        ("2026-11-22", "16:05:00", False),
        ("2026-11-22T16:05", "", False),
        ("11/22/2026 4:05PM", "", False),
    ],
)
def test_days_and_times_are_read_as_lists_write_them(
    staff: StaffUser, written: str, clock: str, day_first: bool
) -> None:
    row = line(1, **{"Treated on": written, "Time": clock})
    file = imports.upload(clinic=staff.clinic, file=sheet([row]), name="a.csv", by=staff)
    imports.check(file, columns=file.columns, day_first=day_first)
    take_in(file)
    assert Treatment.objects.get().treated_at == datetime(2026, 11, 22, 16, 5, tzinfo=CHICAGO)


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (b"", "The file is empty."),
        (b"First name,Last name\n", "There is no row below the header."),
        (b"PK\x03\x04\0\0", "This is no CSV file."),
        (b"a,b\n" + b"1,2\n" * (MOST_ROWS + 1), "The file has over 20,000 rows. Split it."),
        (b"a\n" + b"," * 99, "Row 2 has over 60 columns."),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_words(
    staff: StaffUser, content: bytes, answer: str
) -> None:
    with pytest.raises(ImportRefused, match=answer):
        imports.upload(clinic=staff.clinic, file=io.BytesIO(content), name="a.csv", by=staff)
    assert not ImportFile.objects.exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("First name;Last name;Mobile\nÉlodie;Martín;2025550146".encode(), "Élodie Martín"),
        ("﻿First name\tLast name\tMobile\nÉlodie\tMartín\t2025550146".encode(), "Élodie Martín"),
        ("First name,Last name,Mobile\nÉlodie,Martín,2025550146".encode("cp1252"), "Élodie Martín"),
        (
            b'First name,Last name,Mobile\n"Ana, Maria","O\'Hara",\'+12025550146\n',
            "Ana, Maria O'Hara",
        ),
    ],
)
def test_separators_and_letters_are_understood_as_spreadsheets_save_them(
    staff: StaffUser, content: bytes, name: str
) -> None:
    file = imports.upload(clinic=staff.clinic, file=io.BytesIO(content), name="a.csv", by=staff)
    imports.check(file, columns=file.columns, day_first=False)
    take_in(file)
    patient = Patient.objects.get()
    assert (patient.full_name, patient.phone) == (name, "+12025550146")
    assert not Treatment.objects.exists()


# --- Once --------------------------------------------------------------------------------------


def test_the_same_file_again_is_the_file_it_was(staff: StaffUser) -> None:
    first = take_in(uploaded([line(1)], staff))
    again = imports.upload(clinic=staff.clinic, file=sheet([line(1)]), name="b.csv", by=staff)
    assert (again, again.state) == (first, ImportFile.State.DONE)
    assert not imports.accept(again, handover=False, only="", by=staff)


def test_rows_known_from_elsewhere_make_no_second_patient_and_no_second_treatment(
    staff: StaffUser, clinic: Clinic
) -> None:
    take_in(uploaded([line(1), line(2)], staff))
    maria = make_patient(clinic=clinic)
    log(patient=maria, treated_at=datetime(2026, 11, 22, 14, 0, tzinfo=CHICAGO), logged_at=NOON)
    who = {"First name": "MARIA", "Last name": "Gómez", "Mobile": "(202) 555-0146"}
    other = [line(1), line(3), line(3), line(4, **who), line(5, **who, Time="9:00 am")]
    file = uploaded(other, staff)
    assert problems(file) == {
        2: "This treatment is logged already.",
        4: "It is the same as row 3.",
        5: "This treatment is logged already.",
    }
    take_in(file)
    assert (Patient.objects.count(), Treatment.objects.count()) == (4, 5)


def test_what_was_logged_at_the_desk_since_the_preview_is_left_out_and_named(
    staff: StaffUser, clinic: Clinic
) -> None:
    file = uploaded([line(1), line(2)], staff)
    patient = make_patient(
        clinic=clinic, first_name="Ana", last_name="Petrov1", phone="+12025550001"
    )
    log(patient=patient, treated_at=datetime(2026, 11, 22, 16, 0, tzinfo=CHICAGO), logged_at=NOON)
    take_in(file)
    assert problems(file) == {2: "This treatment is logged already."}
    assert (file.bad, file.treatments_added, Treatment.objects.count()) == (1, 1, 2)


def test_a_treatment_that_was_voided_or_corrected_since_is_not_logged_again(
    staff: StaffUser,
) -> None:
    take_in(uploaded([line(1), line(2)], staff))
    first, second = Treatment.objects.order_by("patient__last_name")
    void(first, by=staff)
    correct_time(
        treatment=second, treated_at=second.treated_at - timedelta(hours=9), reason="am", by=staff
    )
    file = uploaded([line(1), line(2), line(3)], staff)
    corrected = "This treatment is logged already, and was corrected or voided since."
    assert problems(file) == {2: corrected, 3: corrected}
    take_in(file)
    assert Treatment.objects.count() == 3


def test_two_visits_of_one_person_make_one_patient_whose_newest_plan_runs(
    staff: StaffUser,
) -> None:
    earlier = line(1, **{"Treated on": "11/1/2026"})
    take_in(uploaded([earlier, line(1)], staff))
    assert Patient.objects.count() == 1
    first, second = Treatment.objects.order_by("treated_at")
    assert (first.session, second.session) == ("1", "2")
    assert not first.reminders.filter(state=State.PLANNED).exists()
    assert second.reminders.filter(state=State.PLANNED).exists()


def test_only_the_rows_named_are_taken_in(staff: StaffUser) -> None:
    file = uploaded([line(number) for number in range(2, 12)], staff)
    take_in(file, only="2-4, 9")
    names = Patient.objects.order_by("pk").values_list("last_name", flat=True)
    assert list(names) == ["Petrov2", "Petrov3", "Petrov4", "Petrov9"]
    with pytest.raises(ImportRefused, match="Write row numbers like 2-40, 57"):
        ranges_of("two")


# --- What goes out ------------------------------------------------------------------------------


def handovers() -> list[tuple[str, str]]:
    rows = Reminder.objects.filter(rule="handover").order_by("treatment")
    return list(rows.values_list("state", "skip_reason"))


def test_no_page_goes_out_unless_it_was_chosen(staff: StaffUser) -> None:
    take_in(uploaded([line(1)], staff))
    assert handovers() == [("skipped", Skip.NO_HANDOVER.value)]
    assert Reminder.objects.filter(state=State.PLANNED).exists()


def test_a_page_goes_out_only_where_consent_and_its_source_stand_in_the_row(
    staff: StaffUser,
) -> None:
    rows = [line(1), line(2, **{"Consent source": ""}), line(3, Consent="no")]
    take_in(uploaded(rows, staff), handover=True)
    assert handovers()[0] == ("planned", "")
    assert {state for state, _ in handovers()[1:]} == {"skipped"}
    assert not Reminder.objects.filter(
        state=State.PLANNED, treatment__patient__last_name__in=["Petrov2", "Petrov3"]
    ).exists()
    consent = Consent.objects.get(patient__last_name="Petrov1", scope="recovery")
    assert (consent.given, consent.how, consent.source) == (True, "import", "paper form")


def test_a_row_without_a_source_takes_back_no_consent_given_at_the_desk(
    staff: StaffUser, clinic: Clinic
) -> None:
    maria = make_patient(clinic=clinic)
    log(patient=maria, treated_at=NOON - timedelta(days=20), logged_at=NOON - timedelta(days=20))
    row = line(1, **{"First name": "Maria", "Last name": "Gomez", "Mobile": "2025550146"})
    take_in(uploaded([row | {"Consent": "", "Consent source": ""}], staff), handover=True)
    newest = Treatment.objects.order_by("-treated_at")[0]
    assert newest.reminders.filter(state=State.PLANNED).exists()
    assert newest.reminders.get(rule="handover").state == State.SKIPPED


def test_no_page_of_an_import_leaves_in_quiet_hours_nor_before_somebody_at_the_desk(
    staff: StaffUser, clinic: Clinic, noon: time_machine.Traveller
) -> None:
    noon.move_to(datetime(2026, 11, 22, 20, 30, tzinfo=CHICAGO))
    file = uploaded([line(1)], staff)
    take_in(file, handover=True)
    assert claim_due(now=timezone.now()).reminders == []
    held = Reminder.objects.get(rule="handover")
    assert (held.state, held.urgent) == (State.PLANNED, False)
    morning = datetime(2026, 11, 23, 8, 0, tzinfo=CHICAGO)
    assert held.leaves_at == morning
    assert [one.rule for one in claim_due(now=morning).reminders] == ["handover"]


# --- What patients have said --------------------------------------------------------------------


def words(patient: Patient) -> list[tuple[str, bool]]:
    """The recovery consents that hold, by channel."""
    rows = latest_consents([patient.pk]).filter(scope="recovery").order_by("channel")
    return [(row.channel, row.given) for row in rows]


def test_a_treatment_of_long_ago_adds_the_patient_and_the_consent_and_plans_nothing(
    staff: StaffUser,
) -> None:
    signed = {"Treated on": "3/2/2026", "Time": "", "Consent date": "3/2/2026"}
    rows = [line(1, **signed), line(1, **signed | {"Treated on": "4/6/2026"}), line(2)]
    file = uploaded(rows, staff)
    assert (file.bad, file.over) == (0, 2)
    take_in(file, handover=True)
    old = Patient.objects.get(last_name="Petrov1")
    assert (Patient.objects.count(), Treatment.objects.count()) == (2, 1)
    assert not Reminder.objects.filter(treatment__patient=old).exists()
    consent = Consent.objects.get(patient=old, scope="recovery")
    assert (consent.given, consent.source, consent.said_on) == (
        True,
        "paper form",
        date(2026, 3, 2),
    )
    assert consent.recorded_at == NOON


@pytest.mark.parametrize(
    ("said", "before", "day", "holds"),
    [
        ("yes", "no", "11/20/2026", True),  # signed after it was refused at the desk
        ("yes", "no", "11/2/2026", False),  # taken back at the desk since
        ("yes", "no", "", False),  # nobody knows which came first
        ("no", "yes", "", False),  # nor here: no is the safe one
        ("no", "yes", "11/2/2026", True),
        ("no", "yes", "11/20/2026", False),
    ],
)
def test_of_what_was_said_at_the_desk_and_on_paper_the_later_holds(
    staff: StaffUser, clinic: Clinic, said: str, before: str, day: str, holds: bool
) -> None:
    ana = make_patient(clinic=clinic, first_name="Ana", last_name="Petrov1", phone="+12025550001")
    at = NOON - timedelta(days=14)
    log(patient=ana, treated_at=at, logged_at=at, recovery=before == "yes")
    take_in(uploaded([line(1, Consent=said, **{"Consent date": day})], staff), handover=True)
    assert words(ana) == [("sms", holds)]
    newest = Treatment.objects.order_by("-treated_at")[0]
    assert newest.reminders.filter(rule="day-3", state=State.PLANNED).exists() is holds


def test_the_same_consent_in_another_list_is_not_kept_twice(staff: StaffUser) -> None:
    signed = line(1, **{"Treated on": "", "Time": "", "Consent date": "3/2/2026"})
    take_in(uploaded([signed], staff))
    take_in(uploaded([signed, line(2)], staff))
    assert Consent.objects.filter(patient__last_name="Petrov1").count() == 2  # one a scope


def test_a_number_that_has_stopped_texts_stays_stopped(staff: StaffUser, clinic: Clinic) -> None:
    OptOut.objects.create(
        clinic=clinic, channel="sms", address="+12025550001", stopped=True, recorded_at=NOON
    )
    take_in(uploaded([line(1, **{"Consent date": "11/20/2026"})], staff), handover=True)
    assert set(Reminder.objects.values_list("skip_reason", flat=True)) >= {Skip.OPTED_OUT.value}
    assert not Reminder.objects.filter(state=State.PLANNED).exists()


# --- In pieces ------------------------------------------------------------------------------------


def test_of_a_row_that_is_done_only_its_mark_stays_in_memory(
    staff: StaffUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_saving, "PIECE", 40)
    peaks = []
    for begin, number in ((0, 40), (1000, 80), (2000, 400)):  # the first loads what is kept
        rows = sheet(line(begin + at) for at in range(number))
        tracemalloc.start()
        file = imports.upload(clinic=staff.clinic, file=rows, name="a.csv", by=staff)
        imports.check(file, columns=file.columns, day_first=False)
        take_in(file)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert Treatment.objects.count() == 520
    # What tells two rows apart is kept; a row with its patient and its plan would be 20 kB.
    assert (peaks[2] - peaks[1]) / 320 < 800, peaks


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_nobody_waits_while_a_list_is_made_ready_and_what_is_logged_meanwhile_is_not_doubled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    staff = make_staff(clinic=make_clinic())
    yesterday = timezone.now().astimezone(CHICAGO) - timedelta(days=1)
    day = {"Treated on": f"{yesterday:%m/%d/%Y}", "Time": "12:00 pm"}
    noon = yesterday.replace(hour=12, minute=0)
    saved: list[Treatment] = []

    def save() -> None:
        ana = make_patient(
            clinic=staff.clinic, first_name="Ana", last_name="Petrov7", phone="+12025550007"
        )
        saved.append(log(patient=ana, treated_at=noon, logged_at=noon))
        connection.close()

    def tell(pk: int, done: int) -> None:
        """All is ready, and nothing is saved: somebody at the desk is quicker."""
        if done == 20 and not connection.in_atomic_block:
            desk = threading.Thread(target=save, daemon=True)
            desk.start()
            desk.join(timeout=60)

    monkeypatch.setattr(import_saving, "tell", tell)
    file = uploaded([line(at, **day) for at in range(20)], staff)
    monkeypatch.setattr(imports, "tell", lambda pk, done: None)
    take_in(file)
    assert len(saved) == 1
    assert problems(file) == {9: "This treatment is logged already."}
    assert (Patient.objects.count(), Treatment.objects.count()) == (20, 20)


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_whoever_saves_while_a_list_is_taken_in_waits_and_is_not_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    staff = make_staff(clinic=make_clinic())
    maria = make_patient(clinic=staff.clinic)
    saved: list[Treatment] = []

    def save() -> None:
        saved.append(log(patient=maria))
        connection.close()

    def tell(pk: int, done: int) -> None:
        if connection.in_atomic_block and not desk.ident:
            desk.start()

    desk = threading.Thread(target=save)
    monkeypatch.setattr(import_saving, "PIECE", 40)
    monkeypatch.setattr(import_saving, "tell", tell)
    today = f"{timezone.now().astimezone(CHICAGO) - timedelta(days=1):%m/%d/%Y}"
    take_in(uploaded([line(at, **{"Treated on": today}) for at in range(400)], staff))
    desk.join()
    assert len(saved) == 1
    assert Treatment.objects.count() == 401


# --- All or nothing -----------------------------------------------------------------------------

KILLED_AT_HALF = """
import os, signal, django
django.setup()
from django.db import connection
from reminders import import_saving, imports
def tell(pk, done):
    if done >= {half} and connection.in_atomic_block == {saving}:
        os.kill(os.getpid(), signal.SIGKILL)
import_saving.tell = tell
imports.take_in_accepted()
"""


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_ten_thousand_rows_with_500_bad_ones_survive_a_kill_at_half(
    database_url: str, request: Any
) -> None:
    number = 10_000 if request.config.getoption("database") == "postgres" else 2_000
    staff = make_staff(clinic=make_clinic(), role=Role.LEAD)
    today = timezone.now().astimezone(CHICAGO).date() - timedelta(days=1)
    day = {"Treated on": f"{today:%m/%d/%Y}"}
    rows = (
        line(at, **day, Email=f"a{at}@example.org", Mobile="12" if at % 20 == 0 else "")
        for at in range(number)
    )
    file = uploaded(rows, staff)
    assert len(problems(file)) == file.bad == number // 20
    assert set(problems(file).values()) == {
        "“12” is too short for a US number: 2 digits, it needs 10."
    }
    assert imports.accept(file, handover=False, only="", by=staff)
    for saving in (False, True):  # as it is made ready, and as it is saved
        killed = subprocess.run(
            [sys.executable, "-c", KILLED_AT_HALF.format(half=number // 2, saving=saving)],
            env=process_environment({"DATABASE_URL": database_url, "CACHE_URL": "locmemcache://"}),
            check=False,
        )
        assert killed.returncode == -9
        assert not Patient.objects.exists()
        assert not Reminder.objects.exists()
        assert not imports.take_in_accepted()  # the dead worker's lease holds yet
        ImportFile.objects.update(claimed_at=timezone.now() - imports.LEASE * 2)
    assert imports.take_in_accepted()
    good = number - number // 20
    file.refresh_from_db()
    assert (file.patients_added, file.treatments_added, file.bad) == (good, good, number // 20)
    assert (Patient.objects.count(), Treatment.objects.count()) == (good, good)
    assert Reminder.objects.count() == 9 * good
    assert not imports.take_in_accepted()
    assert Treatment.objects.count() == good

"""A backup is one sealed file, made while the site runs; a restore is whole, or changes nothing."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path

import psycopg
import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from aftercare import backups, dump_postgres, machine, sealed
from aftercare.dump import DumpError
from patients import audit, audit_chain, patient_index
from patients.audit_wall import TABLES, lowered
from patients.models import AuditAct, AuditRow, Clinic, Patient
from reminders.finding import find_patients
from reminders.models import Reminder
from tests.builders import log, make_clinic, make_patient, make_staff
from tests.services.environment import ROOT

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.both_databases,
    pytest.mark.thorough,
]


@pytest.fixture
def key(tmp_path: Path, settings: Settings) -> Path:
    path = tmp_path / "backup.key"
    sealed.new_key(path)
    settings.BACKUP_KEY_FILE = str(path)
    return path


@pytest.fixture
def clinic(db: None) -> Clinic:
    return make_clinic()


@pytest.fixture
def made(key: Path, clinic: Clinic, tmp_path: Path) -> Path:
    """A backup of a clinic with two patients."""
    for number in ("+12025550146", "+12025550147"):
        log(patient=make_patient(clinic=clinic, phone=number))
    return backup(tmp_path / "a.age")


def backup(path: Path, **options: object) -> Path:
    call_command("backup", path, stdout=StringIO(), **options)
    return path


def restore(path: Path, **options: object) -> str:
    said = StringIO()
    call_command("restore", path, stdout=said, **options)
    return said.getvalue()


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(CommandError) as raised:
        restore(path, **options)
    return str(raised.value)


def fingerprint() -> dict[str, list[object]]:
    """Every row of the tables that hold the clinic's own data."""
    models = (Clinic, Patient, Reminder)
    return {one.__name__: list(one.objects.order_by("pk").values()) for one in models}


def test_what_was_backed_up_comes_back_row_by_row(made: Path, clinic: Clinic) -> None:
    before = fingerprint()
    log(patient=make_patient(clinic=clinic, phone="+12025550148", first_name="Later"))
    Patient.objects.filter(first_name="Maria").update(last_name="Wrong")
    said = restore(made, replace=True)
    assert fingerprint() == before
    assert said.startswith("Restored: 2 patients, made 0.0 hours ago;")


def test_what_is_restored_is_searched_and_written_on(made: Path, clinic: Clinic) -> None:
    """Triggers, indexes and counters came along."""
    restore(made, replace=True)
    added = make_patient(clinic=clinic, first_name="Zoraida", phone="+12025550149")
    assert Patient.objects.filter(patient_index.holds(["zoraida"])).get() == added
    for found in (patient_index.holds([" gomez"]), patient_index.resembles(["gomes"])):
        assert Patient.objects.filter(found).count() == 3


def look(clinic: Clinic, *patients: Patient) -> AuditRow:
    audit.record(AuditAct.BOARD, clinic=clinic, role=AuditRow.Who.SYSTEM, patients=patients)
    return AuditRow.objects.latest("pk")


@pytest.fixture
def trail(key: Path, clinic: Clinic) -> list[AuditRow]:
    """Looks at one patient and at two together, chained but for the last."""
    one, two = make_patient(clinic=clinic), make_patient(clinic=clinic, phone="+12025550147")
    rows = [look(clinic, one), look(clinic, one, two), look(clinic, two)]
    audit_chain.link_new(now=timezone.now())
    return [*rows, look(clinic, one)]


def verify(**options: object) -> None:
    call_command("verify_audit", stdout=StringIO(), stderr=StringIO(), **options)


def test_the_audit_trail_is_whole_after_a_restore_walled_in_again_and_goes_on(
    trail: list[AuditRow], clinic: Clinic, tmp_path: Path
) -> None:
    number, its_hash = audit_chain.head()
    kept = list(AuditRow.objects.order_by("pk").values())
    path = backup(tmp_path / "a.age")
    look(clinic)  # of the hour that is lost
    audit_chain.link_new(now=timezone.now())
    lost = audit_chain.head()
    restore(path, replace=True)
    assert list(AuditRow.objects.order_by("pk").values()) == kept
    verify(holds=f"{number}:{its_hash}")
    with pytest.raises(CommandError, match="not as it was written"):
        verify(holds=f"{lost[0]}:{lost[1]}")  # a link of the lost hour is known no more
    for table in TABLES:
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"DELETE FROM {table}")
    look(clinic)
    audit_chain.link_new(now=timezone.now())
    assert audit_chain.head()[0] == number + 2
    verify(holds=f"{number}:{its_hash}")


@pytest.mark.parametrize("when", ["before the backup", "after the restore"])
@pytest.mark.parametrize("which", [0, -1], ids=["chained", "not chained yet"])
def test_a_row_of_the_trail_that_somebody_altered_is_found_after_the_restore(
    trail: list[AuditRow], tmp_path: Path, when: str, which: int
) -> None:
    row = trail[which]

    def alter() -> None:
        with lowered(connection), connection.cursor() as cursor:
            cursor.execute("UPDATE patients_auditrow SET act = 'desk' WHERE id = %s", [row.pk])

    if when == "before the backup":
        alter()
    restore(backup(tmp_path / "a.age"), replace=True)
    if when == "after the restore":
        verify()
        alter()
    said = StringIO()
    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify_audit", stdout=StringIO(), stderr=said)
    assert said.getvalue().strip() == f"Row {row.pk} is not as it was written."


def test_nobody_can_read_a_backup_without_its_key(made: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    content = made.read_bytes()
    assert content.startswith(b"age-encryption.org/v1\n")
    for secret in (b"Gomez", b"Lakeside", b"patients_patient", b"5550146", b"SQLite", b"PGDMP"):
        assert secret not in content
    other = tmp_path / "other.key"
    sealed.new_key(other)
    assert refusal(made, key=other, replace=True) == (
        "Nothing was restored. It was sealed for another key."
    )


def test_every_flipped_byte_and_every_cut_is_refused_before_anything_is_touched(
    made: Path, tmp_path: Path
) -> None:
    before, content = fingerprint(), made.read_bytes()
    bad = tmp_path / "bad.age"
    size = len(content)
    for place in (0, 30, 60, 150, 250, size // 3, size // 2, size - 1):
        bad.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert refusal(bad, replace=True).startswith("Nothing was restored. It "), place
    for length in (0, 1, 100, 300, size // 2, 65536 * (size // 65536), size - 1):
        bad.write_bytes(content[:length])
        assert refusal(bad, replace=True).startswith("Nothing was restored. It "), length
    bad.write_bytes(content + b"x")
    assert refusal(bad, replace=True).startswith("Nothing was restored. It ")
    assert fingerprint() == before


def test_a_database_that_holds_a_clinic_is_not_replaced_by_mistake(made: Path) -> None:
    Patient.objects.update(last_name="Kept")
    assert "already holds a clinic. With --replace it is given up." in refusal(made)
    assert set(Patient.objects.values_list("last_name", flat=True)) == {"Kept"}


def test_an_empty_database_takes_a_backup_without_more_words(made: Path, clinic: Clinic) -> None:
    before = fingerprint()
    call_command("flush", interactive=False, verbosity=0)
    restore(made)
    assert fingerprint() == before


def test_nothing_is_restored_under_a_running_site(made: Path) -> None:
    before = fingerprint()
    if connection.vendor == "sqlite":
        other = sqlite3.connect(str(connection.settings_dict["NAME"]))
        other.execute("SELECT count(*) FROM patients_patient").fetchone()
    else:
        other = psycopg.connect(_dsn())  # type: ignore[assignment]
    try:
        assert "Stop the site first: web servers, workers and beat." in refusal(made, replace=True)
    finally:
        other.close()
    assert fingerprint() == before


def _dsn() -> str:
    at = connection.settings_dict
    return f"host={at['HOST']} user={at['USER']} dbname={at['NAME']}"


def test_nothing_is_restored_while_the_launcher_has_the_data(made: Path) -> None:
    with machine.only_one(settings.VAR / "up.lock"):
        assert "Aftercare already runs on" in refusal(made, replace=True)


def test_a_backup_holds_one_moment_however_much_is_written_meanwhile(
    key: Path, clinic: Clinic, tmp_path: Path
) -> None:
    """Each pair of patients is written at once: a backup with half a pair tells of two moments."""
    stop, wrote = threading.Event(), threading.Event()
    failed: list[Exception] = []

    def write() -> None:
        try:
            number = 0
            while not stop.is_set():
                Patient.objects.bulk_create(
                    Patient(clinic=clinic, first_name=name, last_name=f"P{number}", phone="")
                    for name in ("One", "Two")
                )
                number += 1
                if number > 5:
                    wrote.set()
        except DatabaseError as error:
            failed.append(error)
        finally:
            wrote.set()
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert wrote.wait(20)
        path = backup(tmp_path / "live.age")
    finally:
        stop.set()
        writer.join()
    assert not failed
    restore(path, replace=True)
    counts = [Patient.objects.filter(first_name=name).count() for name in ("One", "Two")]
    assert counts[0] == counts[1] >= 6
    numbers = Patient.objects.filter(first_name="One").values_list("last_name", flat=True)
    assert set(numbers) == {f"P{index}" for index in range(counts[0])}


def test_a_dump_that_does_not_hold_what_its_header_says_changes_nothing(
    made: Path, key: Path
) -> None:
    before = fingerprint()
    with backups.opened(made, sealed.read_keys(key)) as (header, dump):
        rows = {**header.rows, "patients_patient": 3}
        with pytest.raises(DumpError, match="does not hold what its header says"):
            backups.engine().load(dump, rows, then=[])
    assert fingerprint() == before


def test_a_dump_that_breaks_off_half_way_changes_nothing(made: Path, key: Path) -> None:
    before = fingerprint()
    with backups.opened(made, sealed.read_keys(key)) as (header, dump):
        dump.write_bytes(dump.read_bytes()[: dump.stat().st_size * 2 // 3])
        with pytest.raises(DumpError):
            backups.engine().load(dump, header.rows, then=[])
    assert fingerprint() == before


def resealed(made: Path, key: Path, target: Path, **changes: object) -> Path:
    """The same backup with another header."""
    keys = sealed.read_keys(key)
    with backups.opened(made, keys) as (header, dump), target.open("wb") as file:
        fields = {name: getattr(header, name) for name in header.__slots__}
        line = json.dumps(fields | changes).encode()
        sealed.seal([line + b"\n", dump.read_bytes()], file, keys)
    return target


def test_a_backup_of_a_newer_version_is_refused_and_says_of_which(
    made: Path, key: Path, tmp_path: Path
) -> None:
    newer = resealed(made, key, tmp_path / "n.age", migrations=["reminders.9999_of_tomorrow"])
    assert "made by a newer Aftercare (it knows reminders.9999_of_tomorrow" in refusal(newer)
    other = resealed(made, key, tmp_path / "o.age", database="oracle")
    assert "The backup is of oracle, and DATABASE_URL names" in refusal(other, replace=True)
    strange = resealed(made, key, tmp_path / "s.age", surprise=1)
    assert "It is sealed, but no backup of Aftercare." in refusal(strange, replace=True)


OLDER = {
    "before names had an index": {"patients": "0010", "reminders": "0008"},
    "before there was a trail": {"reminders": "0005", "patients": "0008"},
    "the first": {"reminders": "0001", "patients": "0001"},
}


def go_back(app: str, number: str) -> None:
    """To a release's own tables, without what no migration takes away."""
    gone = []
    if app == "patients" and connection.vendor == "sqlite" and number < "0004":
        gone = [f"DROP TRIGGER patients_search_{when}" for when in ("new", "gone", "changed")]
        gone += ["DROP TABLE patients_search"]
    elif app == "patients" and connection.vendor != "sqlite":
        gone = ["DROP INDEX patients_names", "DROP FUNCTION patients_name_keys"]
    with connection.cursor() as cursor:
        for statement in gone:
            cursor.execute(statement)
    call_command("migrate", app, number, verbosity=0)


@pytest.mark.parametrize("release", list(OLDER))
def test_an_older_backup_is_brought_up_to_date_and_searched(
    key: Path, clinic: Clinic, tmp_path: Path, release: str
) -> None:
    log(patient=make_patient(clinic=clinic, last_name="Gomez"))
    try:
        for app, number in OLDER[release].items():
            go_back(app, number)
        path = backup(tmp_path / "old.age")
    finally:
        call_command("migrate", verbosity=0)
    Patient.objects.update(last_name="Later")
    restore(path, replace=True)
    call_command("migrate", check_unapplied=True, verbosity=0)
    assert find_patients(clinic, "gomez").patients == [Patient.objects.get()]
    assert find_patients(clinic, "gmoez").almost == [Patient.objects.get()]


def test_nobody_stays_signed_in_over_a_restore(key: Path, clinic: Clinic, tmp_path: Path) -> None:
    Client().force_login(make_staff(clinic=clinic))
    path = backup(tmp_path / "a.age")
    assert Session.objects.exists()
    restore(path, replace=True)
    assert not Session.objects.exists()


def test_a_backup_is_checked_without_touching_anything(made: Path) -> None:
    Patient.objects.update(last_name="Kept")
    assert restore(made, check=True) == f"{made} is whole: 2 patients, made 0.0 hours ago.\n"
    assert set(Patient.objects.values_list("last_name", flat=True)) == {"Kept"}


def test_a_machine_with_only_the_public_half_makes_backups_and_cannot_open_them(
    key: Path, clinic: Clinic, tmp_path: Path
) -> None:
    public = tmp_path / "public.key"
    lines = key.read_text().splitlines()
    public.write_text(lines[0].removeprefix("# public key: ") + "\n")
    said = StringIO()
    call_command("backup", tmp_path / "a.age", key=public, stdout=said)
    assert "not read back: the key only seals" in said.getvalue()
    assert "This key only seals." in refusal(tmp_path / "a.age", key=public, replace=True)
    assert restore(tmp_path / "a.age", check=True)


def test_a_folder_keeps_the_newest_backups_only(key: Path, clinic: Clinic, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "aftercare-notes.txt").touch()
    for hour in range(4):
        with time_machine.travel(f"2026-11-26T{hour:02}:00:00Z", tick=False):
            backup(folder, keep=2)
    assert sorted(path.name for path in folder.iterdir()) == [
        "aftercare-2026-11-26-020000.age",
        "aftercare-2026-11-26-030000.age",
        "aftercare-notes.txt",
    ]


@pytest.mark.parametrize(
    ("where", "complaint"),
    [
        ("nowhere/a.age", "cannot be written: No such file or directory."),
        ("", "Say where to write it: manage.py backup FILE"),
    ],
)
def test_a_backup_that_cannot_be_written_says_why(
    key: Path, clinic: Clinic, tmp_path: Path, where: str, complaint: str
) -> None:
    with pytest.raises(CommandError) as raised:
        call_command("backup", *([tmp_path / where] if where else []))
    assert complaint in str(raised.value)


def test_a_key_is_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "k"
    call_command("backup", new_key=path, stdout=StringIO())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    with pytest.raises(CommandError, match="a key is never overwritten"):
        call_command("backup", new_key=path)
    assert path.read_text() == before
    path.write_text("AGE-SECRET-KEY-1NOTAKEY\n")
    with pytest.raises(CommandError, match="holds a line that is no whole key"):
        call_command("backup", tmp_path / "a.age", key=path)


def test_without_a_key_nothing_is_written(clinic: Clinic, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"BACKUP_KEY_FILE is not set\. Make a key with:"):
        backup(tmp_path / "a.age")
    assert not list(tmp_path.iterdir())


@pytest.mark.only_postgres
def test_missing_programs_of_postgresql_are_named_with_their_package(
    key: Path, clinic: Clinic, tmp_path: Path, settings: Settings
) -> None:
    settings.PG_BIN = str(tmp_path)
    with pytest.raises(CommandError) as raised:
        backup(tmp_path / "a.age")
    major = connection.pg_version // 10000  # type: ignore[attr-defined]
    assert str(raised.value) == (
        f"There is no pg_dump in {tmp_path} (PG_BIN). The server is PostgreSQL {major}: install "
        f"its client (Debian: postgresql-client-{major}), or put the client's folder into PG_BIN."
    )


@pytest.mark.only_postgres
def test_the_password_of_the_database_is_on_no_command_line(settings: Settings) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "PASSWORD", "a-secret")
        command, env = dump_postgres._reach(["pg_dump"])
    assert "a-secret" not in " ".join(command)
    assert env["PGPASSWORD"] == "a-secret"


def test_both_commands_run_as_an_operator_types_them(
    made: Path, key: Path, database_url: str, tmp_path: Path
) -> None:
    connection.close()
    env = {**os.environ, "DATABASE_URL": database_url, "BACKUP_KEY_FILE": str(key), "DEMO": "1"}

    def manage(*words: str | Path) -> str:
        command = [sys.executable, "manage.py", *map(str, words)]
        ended = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    said = manage("backup", tmp_path / "b.age")
    assert "MB in" in said
    assert "read back and whole." in said
    assert manage("restore", tmp_path / "b.age", "--replace").startswith("Restored: 2 patients")
    assert Patient.objects.count() == 2

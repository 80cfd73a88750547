"""The audit trail: what leaves a row, that no row changes, and that a change is found."""

from __future__ import annotations

import uuid
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from patients import audit
from patients.address import client_address
from patients.audit_chain import head, link_new, troubles
from patients.audit_wall import TABLES, lowered
from patients.management.commands.audit_grants import grants
from patients.models import AuditAct, AuditLink, AuditMember, AuditRow, Clinic, Patient
from patients.models.clinic import Role
from reminders.claim import claim_due
from reminders.finding import find_patients
from reminders.receipts import record_receipt
from tests.builders import PASSWORD, log, make_clinic, make_patient, make_staff

CHANGES = {
    "UPDATE": "UPDATE {table} SET {key} = {key} + 1000",
    "DELETE": "DELETE FROM {table}",
}


@pytest.fixture
def clinic(db: None) -> Clinic:
    return make_clinic()


@pytest.fixture
def lead(clinic: Clinic, client: Client) -> Client:
    client.force_login(make_staff(clinic=clinic, role=Role.LEAD, name="Helen Park"))
    return client


def write(clinic: Clinic, *patients: Patient, act: AuditAct = AuditAct.STORY) -> AuditRow:
    audit.record(act, clinic=clinic, role=AuditRow.Who.SYSTEM, patients=patients)
    row = AuditRow.objects.order_by("-pk").first()
    assert row is not None
    return row


def found() -> list[str]:
    return list(troubles(now=timezone.now()))


def acts_of(patient: Patient) -> list[str]:
    groups = AuditMember.objects.filter(patient=patient).values("group")
    rows = AuditRow.objects.filter(patient=patient) | AuditRow.objects.filter(group__in=groups)
    return list(rows.order_by("pk").values_list("act", flat=True))


# --- A row --------------------------------------------------------------------------------------


def test_a_row_says_who_what_whom_when_and_from_where_and_names_nobody(
    lead: Client, clinic: Clinic
) -> None:
    treatment = log(patient=make_patient(clinic=clinic))
    before = timezone.now()
    lead.get(reverse("story", args=[treatment.pk]), REMOTE_ADDR="198.51.100.7")
    row = AuditRow.objects.latest("pk")
    assert (row.act, row.patient_id, row.about) == (
        "story", treatment.patient_id, f"treatment {treatment.pk}",
    )  # fmt: skip
    assert row.user is not None
    assert (row.user.name, row.role, row.clinic_id) == ("Helen Park", "lead", clinic.pk)
    assert before <= row.at <= timezone.now()
    assert row.address == "198.51.100.7"
    assert uuid.UUID(row.request).hex == row.request.replace("-", "")
    said = " ".join(str(value) for value in vars(row).values())
    for one in ("Maria", "Gomez", "2025550146", "@", "Helen"):
        assert one not in said.replace(str(row.user), "")


def test_a_role_is_kept_as_it_was(lead: Client, clinic: Clinic) -> None:
    treatment = log(patient=make_patient(clinic=clinic))
    lead.get(reverse("story", args=[treatment.pk]))
    row = AuditRow.objects.latest("pk")
    assert row.user is not None
    row.user.role = Role.DESK
    row.user.save()
    row.refresh_from_db()
    assert row.role == "lead"


@pytest.mark.parametrize(
    ("hops", "forwarded", "seen"),
    [
        (0, "203.0.113.9", "198.51.100.7"),
        (1, "", "198.51.100.7"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "198.51.100.7"),
        (1, "<script>", ""),
        (1, "2001:db8::7", "2001:db8::7"),
    ],
)
def test_a_made_up_forwarded_address_is_not_believed(
    settings: Any, hops: int, forwarded: str, seen: str
) -> None:
    settings.TRUSTED_PROXIES = hops
    sent = {"X-Forwarded-For": forwarded} if forwarded else None
    request = RequestFactory().get("/", REMOTE_ADDR="198.51.100.7", headers=sent)
    assert client_address(request) == seen


def test_many_patients_shown_at_once_are_one_row_that_each_of_them_finds(
    lead: Client, clinic: Clinic
) -> None:
    patients = [make_patient(clinic=clinic, phone=f"+1202555010{n}") for n in range(5)]
    for patient in patients:
        log(patient=patient)
    before = AuditRow.objects.count()
    lead.get(reverse("board"))
    lead.get(reverse("board"))
    assert AuditRow.objects.count() == before + 2
    assert AuditMember.objects.count() == len(patients)  # the same five are kept once
    for patient in patients:
        assert acts_of(patient)[-2:] == ["board", "board"]


def test_a_board_at_rest_writes_nothing(lead: Client, clinic: Clinic) -> None:
    log(patient=make_patient(clinic=clinic))
    page = lead.get(reverse("board"))
    rows = AuditRow.objects.count()
    asked = {"since": page.context["since"].isoformat(), "mark": page.context["mark"]}
    for _ in range(3):
        assert lead.get(reverse("board-changes"), asked).status_code == 204
    assert AuditRow.objects.count() == rows


def test_what_changes_and_its_row_are_kept_together_or_not_at_all(
    lead: Client, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    treatment = log(patient=make_patient(clinic=clinic))

    def broken(*args: object, **kwargs: object) -> None:
        raise DatabaseError("no room left")

    monkeypatch.setattr(AuditRow, "save", broken)
    with pytest.raises(DatabaseError):
        lead.post(reverse("note", args=[treatment.pk]), {"text": "Called her"})
    assert not treatment.patient.notes.exists()


def test_what_cannot_be_recorded_is_not_shown(
    lead: Client, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    treatment = log(patient=make_patient(clinic=clinic))

    def broken(*args: object, **kwargs: object) -> None:
        raise DatabaseError("no room left")

    monkeypatch.setattr(AuditRow, "save", broken)
    answer = lead.get(reverse("story", args=[treatment.pk]))
    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"
    said = answer.content.decode()
    assert "Not shown for now" in said
    assert "Gomez" not in said


# --- A view that forgets ------------------------------------------------------------------------


def forgetful(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Patient.objects.get().full_name)


def answer_of(view: Any, clinic: Clinic) -> HttpResponse:
    request = RequestFactory().get("/somewhere/")
    request.user = make_staff(clinic=clinic, role=Role.NURSE)
    request.resolver_match = type("Match", (), {"func": view, "view_name": "somewhere"})()
    answer = audit.AuditTrail(view)(request)
    assert isinstance(answer, HttpResponse)
    return answer


def test_a_view_that_reads_a_patient_and_does_not_say_so_fails_in_the_tests(clinic: Clinic) -> None:
    make_patient(clinic=clinic)
    with pytest.raises(audit.NotDeclared, match="somewhere"):
        answer_of(forgetful, clinic)


def test_in_production_it_leaves_a_row_all_the_same(clinic: Clinic, settings: Any) -> None:
    settings.AUDIT_STRICT = False
    patient = make_patient(clinic=clinic)
    answer_of(forgetful, clinic)
    assert acts_of(patient) == ["other"]
    assert AuditRow.objects.latest("pk").about == "somewhere"


# --- Signing in ---------------------------------------------------------------------------------


def test_signing_in_and_out_and_failing_to_leave_rows_and_what_was_typed_is_not_kept(
    client: Client, clinic: Clinic
) -> None:
    make_staff(clinic=clinic)
    typed = {"login": "desk@lakeside.example", "password": "a-wrong-one"}
    client.post(reverse("account_login"), typed)
    client.post(reverse("account_login"), typed | {"login": "nobody@lakeside.example"})
    client.post(reverse("account_login"), typed | {"password": PASSWORD})
    client.post(reverse("account_logout"))
    rows = list(AuditRow.objects.order_by("pk"))
    assert [row.act for row in rows] == [
        "sign-in failed", "sign-in failed", "signed in", "signed out",
    ]  # fmt: skip
    assert [row.clinic_id for row in rows] == [clinic.pk, None, clinic.pk, clinic.pk]
    assert not any("@" in row.about for row in rows)


# --- The wall -----------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.parametrize("how", list(CHANGES))
@pytest.mark.parametrize("table", TABLES)
def test_no_row_of_the_trail_can_be_changed_or_removed(
    clinic: Clinic, table: str, how: str
) -> None:
    write(clinic, make_patient(clinic=clinic), make_patient(clinic=clinic))
    link_new(now=timezone.now())
    key = "number" if table.endswith("link") else "id"
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(CHANGES[how].format(table=table, key=key))
    assert found() == []


@pytest.mark.both_databases
def test_the_tables_of_the_trail_cannot_be_emptied_or_written_over(clinic: Clinic) -> None:
    row = write(clinic, make_patient(clinic=clinic))
    statement = (
        f"INSERT OR REPLACE INTO {TABLES[0]} SELECT * FROM {TABLES[0]}"
        if connection.vendor == "sqlite"
        else f"TRUNCATE {TABLES[0]} CASCADE"
    )
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    with pytest.raises(TypeError, match="never changed"):
        row.save()


def test_the_applications_role_on_postgresql_may_add_and_read_and_nothing_else(
    postgres_url: str,
) -> None:
    """With a real second role, as `audit_grants` has it; the tables' owner is the other one."""
    socket = Path(postgres_url.partition("@/")[2])
    owner = psycopg.connect(
        host=str(socket.parent), dbname=socket.name, user="aftercare", autocommit=True
    )
    name = f"trail_{uuid.uuid4().hex[:8]}"
    with owner, owner.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {name}".encode())
        cursor.execute(f"SET search_path TO {name}".encode())
        for table in TABLES:
            cursor.execute(f"CREATE TABLE {table} (id bigserial primary key, act text)".encode())
        cursor.execute(f"CREATE ROLE {name} LOGIN".encode())
        cursor.execute(grants(name).replace("SCHEMA public", f"SCHEMA {name}").encode())
        cursor.execute(f"SET ROLE {name}".encode())
        for table in TABLES:
            cursor.execute(f"INSERT INTO {table} (act) VALUES ('story') RETURNING id".encode())
            assert cursor.fetchone() == (1,)
            for statement in (
                f"UPDATE {table} SET act = ''",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
                f"ALTER TABLE {table} DISABLE TRIGGER ALL",
                f"DROP TABLE {table}",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    cursor.execute(statement.encode())
        cursor.execute(b"RESET ROLE")
        cursor.execute(f"DROP SCHEMA {name} CASCADE".encode())
        cursor.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())
    owner.close()


@pytest.mark.both_databases
@pytest.mark.only_postgres
def test_the_site_works_in_a_role_that_owns_nothing(clinic: Clinic) -> None:
    """Also with the table of a later version. The transaction takes the role back."""
    name = f"site_{uuid.uuid4().hex[:8]}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name}")
        cursor.execute(grants(name))
        cursor.execute("CREATE TABLE of_a_later_version (id bigserial primary key)")
        cursor.execute(f"SET ROLE {name}")
        cursor.execute("INSERT INTO of_a_later_version DEFAULT VALUES")
    treatment = log(patient=make_patient(clinic=clinic, last_name="Gomez"))
    assert find_patients(clinic, "gomes").almost == [treatment.patient]
    assert claim_due(now=timezone.now()).reminders
    record_receipt(token=uuid.uuid4(), provider_id="SM1", status="delivered", error_code="")
    audit.record(AuditAct.BOARD, clinic=clinic, role=AuditRow.Who.SYSTEM)
    link_new(now=timezone.now())
    assert list(troubles(now=timezone.now())) == []
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        AuditRow.objects.all().delete()


def test_the_grants_are_printed_for_a_plain_name_only(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("audit_grants", "aftercare_app")
    assert f"ON {', '.join(TABLES)} FROM aftercare_app;" in capsys.readouterr().out
    with pytest.raises(CommandError, match="small letters"):
        call_command("audit_grants", "app; DROP TABLE x")


# --- The chain ----------------------------------------------------------------------------------


@pytest.fixture
def rows(clinic: Clinic, transactional_db: None) -> list[AuditRow]:
    """Eight sealed rows, one of them about two patients."""
    one, two = make_patient(clinic=clinic), make_patient(clinic=clinic, phone="+12025550147")
    written = [write(clinic, one) for _ in range(7)] + [write(clinic, one, two)]
    assert link_new(now=timezone.now()) == len(AuditRow.objects.all())
    assert found() == []
    return written


def tamper(statement: str, *values: Any) -> None:
    with lowered(connection), connection.cursor() as cursor:
        cursor.execute(statement, values)


WRITTEN = sorted({str(one.column) for one in AuditRow._meta.concrete_fields} - {"id", "mac"})


@pytest.mark.both_databases
@pytest.mark.parametrize("column", WRITTEN)
def test_a_changed_row_is_found(rows: list[AuditRow], column: str) -> None:
    """Whatever of it was changed: when, whose, by whom, about whom, or what."""
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    values = {
        "at": timezone.now() - timedelta(seconds=1),
        "clinic_id": other.pk,
        "user_id": make_staff(clinic=other).pk,
        "patient_id": 999,
        "group": rows[-1].group,
    }
    changed = values.get(column, "x")
    tamper(f'UPDATE patients_auditrow SET "{column}" = %s WHERE id = %s', changed, rows[3].pk)
    assert found() == [f"Row {rows[3].pk} is not as it was written."]


@pytest.mark.both_databases
def test_a_removed_row_is_found(rows: list[AuditRow]) -> None:
    tamper("DELETE FROM patients_auditrow WHERE id = %s", rows[3].pk)
    assert found() == [f"Row {rows[3].pk} was removed."]


@pytest.mark.both_databases
def test_a_row_removed_with_its_link_is_found(rows: list[AuditRow]) -> None:
    link = AuditLink.objects.get(row=rows[3])
    tamper("DELETE FROM patients_auditlink WHERE number = %s", link.number)
    tamper("DELETE FROM patients_auditrow WHERE id = %s", rows[3].pk)
    assert found() == [f"Links {link.number} to {link.number} are missing."]


@pytest.mark.both_databases
def test_a_row_slipped_in_is_found_before_and_after_it_is_linked(
    rows: list[AuditRow], clinic: Clinic
) -> None:
    forged = AuditRow(at=timezone.now(), clinic=clinic, act="story", mac="0" * 64)
    forged.save()
    assert found() == [f"Row {forged.pk} is not as it was written."]
    link_new(now=timezone.now())
    assert found() == [f"Row {forged.pk} is not as it was written."]


@pytest.mark.both_databases
def test_a_patient_taken_out_of_a_group_is_found(rows: list[AuditRow]) -> None:
    group = rows[-1].group
    tamper("DELETE FROM patients_auditmember WHERE patient_id = %s", rows[0].patient_id or 0)
    assert found() == [f"Group {group} does not have the patients it had."]
    tamper("DELETE FROM patients_auditmember")
    assert found() == [f"Group {group} was removed."]


@pytest.mark.both_databases
def test_two_rows_that_changed_places_are_found(rows: list[AuditRow]) -> None:
    first, second = (AuditLink.objects.get(row=row).number for row in rows[2:4])
    tamper("UPDATE patients_auditlink SET row_id = -1 WHERE number = %s", first)
    tamper("UPDATE patients_auditlink SET row_id = %s WHERE number = %s", rows[2].pk, second)
    tamper("UPDATE patients_auditlink SET row_id = %s WHERE number = %s", rows[3].pk, first)
    assert f"Link {first} does not follow from the one before." in found()


def test_a_chain_whose_end_was_cut_off_is_found_by_a_link_that_is_known(
    rows: list[AuditRow],
) -> None:
    number, its_hash = head()
    tamper("DELETE FROM patients_auditlink WHERE number = %s", number)
    tamper("DELETE FROM patients_auditrow WHERE id = %s", rows[-1].pk)
    tamper("DELETE FROM patients_auditmember")
    assert found() == []  # from within, it looks whole
    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify_audit", holds=f"{number}:{its_hash}", stderr=StringIO())


def test_the_command_says_that_all_is_well_and_where_the_chain_ends(
    rows: list[AuditRow], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_audit")
    number, its_hash = head()
    said = capsys.readouterr().out
    assert "as it was written" in said
    assert f"{number}:{its_hash}" in said
    call_command("verify_audit", holds=f"{number}:{its_hash}")
    with pytest.raises(CommandError, match="Write --holds like"):
        call_command("verify_audit", holds="yesterday")


@pytest.mark.both_databases
def test_a_row_that_comes_late_is_linked_later_and_is_no_trouble(rows: list[AuditRow]) -> None:
    """A row is numbered before it is committed: the one after it may be linked first."""
    tamper(
        "DELETE FROM patients_auditlink WHERE number = (SELECT max(number) FROM patients_auditlink)"
    )
    assert found() == []
    assert link_new(now=timezone.now()) == 1
    assert found() == []


def test_a_row_that_stays_unlinked_is_told(rows: list[AuditRow], clinic: Clinic) -> None:
    row = write(clinic)
    assert list(troubles(now=timezone.now() + timedelta(minutes=11))) == [
        f"Row {row.pk} is in no link of the chain. Is the worker running?"
    ]

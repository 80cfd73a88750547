"""Where one role owns the tables and another runs the site: a restore brings what each may do.

On PostgreSQL servers of its own, because roles belong to a server and not to a database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from aftercare import sealed
from patients import audit
from patients.audit_chain import link_new
from patients.audit_wall import TABLES
from patients.management.commands.audit_grants import grants
from patients.models import AuditAct, AuditRow, Clinic, Patient
from reminders.claim import claim_due
from reminders.finding import find_patients
from tests.builders import log, make_clinic, make_patient
from tests.services.postgres import Postgres, running_postgres

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_postgres,
    pytest.mark.thorough,
]

OWNER, SITE = "clinic_owner", "clinic_site"
CHANGES = ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}", "DROP TABLE {0}")
WALLS = ("ALTER TABLE {0} DISABLE TRIGGER ALL", "DROP TRIGGER {0}_refuses ON {0}")


@contextmanager
def signed_in(server: Postgres, role: str) -> Iterator[None]:
    """All that is asked of the database is asked of that server, in that role."""
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"HOST": str(server.folder), "USER": role, "NAME": "clinic"}.items():
            patch.setitem(connection.settings_dict, name, value)
        try:
            yield
        finally:
            connection.close()


def ask(statement: str) -> list[tuple[object, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def old() -> Iterator[Postgres]:
    with running_postgres(fsync=False) as server:
        for role in (OWNER, SITE):
            server.execute(f"CREATE ROLE {role} LOGIN")
        server.execute(f"CREATE DATABASE clinic OWNER {OWNER}")
        yield server


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "backup.key"
    sealed.new_key(path)
    return path


@pytest.fixture(scope="module")
def made(
    old: Postgres, key: Path, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Path:
    """A backup of a site that has worked in a role that owns nothing."""
    path = key.with_name("a.age")
    with django_db_blocker.unblock():
        with signed_in(old, OWNER):
            call_command("migrate", verbosity=0)
            ask(grants(SITE))
        with signed_in(old, SITE):
            the_site_works(make_clinic())
        with signed_in(old, OWNER):
            call_command("backup", path, key=key, stdout=StringIO())
    return path


@pytest.fixture
def new() -> Iterator[Postgres]:
    """A machine that has the owner and an empty database, and nobody else."""
    with running_postgres(fsync=False) as server:
        server.execute(f"CREATE ROLE {OWNER} LOGIN")
        server.execute(f"CREATE DATABASE clinic OWNER {OWNER}")
        yield server


def the_site_works(clinic: Clinic) -> None:
    """In the role that is signed in: it logs, finds, claims, and the trail goes on."""
    treatment = log(patient=make_patient(clinic=clinic, last_name="Gomez"))
    assert treatment.patient in find_patients(clinic, "gomes").almost
    assert claim_due(now=timezone.now()).reminders
    audit.record(AuditAct.BOARD, clinic=clinic, role=AuditRow.Who.SYSTEM)
    link_new(now=timezone.now())
    call_command("verify_audit", stdout=StringIO(), stderr=StringIO())


def the_trail_is_walled_in() -> None:
    assert ask("SELECT current_user") == [(SITE,)]
    for table in TABLES:
        column = "number" if table.endswith("link") else "id"
        for statement in (*CHANGES, *WALLS):
            with pytest.raises(DatabaseError, match=r"permission denied|must be owner"):
                ask(statement.format(table, column))


def restore(path: Path, key: Path, **options: object) -> None:
    call_command("restore", path, key=key, stdout=StringIO(), **options)


def test_on_a_new_server_the_sites_role_works_on_and_cannot_touch_the_trail(
    made: Path, key: Path, new: Postgres
) -> None:
    new.execute(f"CREATE ROLE {SITE} LOGIN")
    with signed_in(new, OWNER):
        restore(made, key)
        call_command("verify_audit", stdout=StringIO(), stderr=StringIO())
        ask("CREATE TABLE of_a_later_version (id bigserial primary key)")
    with signed_in(new, SITE):
        the_trail_is_walled_in()
        the_site_works(Clinic.objects.get())
        ask("INSERT INTO of_a_later_version DEFAULT VALUES")


def test_over_the_same_database_the_trail_stays_walled_in(
    made: Path, key: Path, old: Postgres
) -> None:
    with signed_in(old, OWNER):
        restore(made, key, replace=True)
    with signed_in(old, SITE):
        the_trail_is_walled_in()
        the_site_works(Clinic.objects.get())


def test_without_the_sites_role_nothing_is_restored_and_it_says_what_to_do(
    made: Path, key: Path, new: Postgres
) -> None:
    with signed_in(new, OWNER):
        with pytest.raises(CommandError) as raised:
            restore(made, key)
        assert ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    assert str(raised.value) == (
        f"Nothing was restored. The backup says what the role {SITE} may do, and this PostgreSQL "
        f"has no such role. Make it first, as it was (CREATE ROLE {SITE} LOGIN), then restore."
    )
    new.execute(f"CREATE ROLE {SITE} LOGIN")
    with signed_in(new, OWNER):
        restore(made, key)
        assert Patient.objects.count() == 1

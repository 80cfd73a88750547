"""A migration of a site that people are using holds nobody up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import OperationalError, connection, connections, models, transaction
from django.db.migrations import AddIndex, CreateModel, Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from patients.live_index import AddLiveIndex
from patients.models import Clinic
from reminders.models import Alarm
from tests.builders import make_clinic
from tests.services.runtime import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

# Before the first release no table was in use.
BEFORE_THE_FIRST_RELEASE = {"patients": "0010_records_end", "reminders": "0006_texts_to_no"}


def on_disk() -> list[Migration]:
    found = MigrationLoader(None).disk_migrations.items()
    return [
        migration
        for (app, name), migration in sorted(found)
        if app in BEFORE_THE_FIRST_RELEASE and name[:4] > BEFORE_THE_FIRST_RELEASE[app][:4]
    ]


def complaints(migration: Migration) -> Iterator[str]:
    new = {one.name.lower() for one in migration.operations if isinstance(one, CreateModel)}
    for one in migration.operations:
        plain = isinstance(one, AddIndex) and not isinstance(one, AddLiveIndex)
        if plain and getattr(one, "model_name", "").lower() not in new:
            yield f"{migration.name}: an index on a table in use; take AddLiveIndex"
        if isinstance(one, AddLiveIndex) and migration.atomic:
            yield f"{migration.name}: AddLiveIndex needs atomic = False"
        if not migration.atomic and not isinstance(one, AddLiveIndex):
            yield f"{migration.name}: without a transaction it can only hold AddLiveIndex"


def test_no_migration_builds_an_index_in_everybodys_way() -> None:
    assert [said for one in on_disk() for said in complaints(one)] == []


def test_a_careless_migration_would_be_found() -> None:
    plain: Any = Migration("careless", "reminders")
    plain.operations = [AddIndex("reminder", models.Index(fields=["rule"], name="x"))]
    assert list(complaints(plain)) == ["careless: an index on a table in use; take AddLiveIndex"]
    plain.operations = [AddLiveIndex("reminder", models.Index(fields=["rule"], name="x"))]
    assert list(complaints(plain)) == ["careless: AddLiveIndex needs atomic = False"]


# --- PostgreSQL, with people at work --------------------------------------------------------------


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@contextmanager
def a_transaction(act: Callable[[], object]) -> Iterator[None]:
    """Somebody else's, in which `act` was done, and which is not over within the block."""
    with ThreadPoolExecutor(1) as pool:

        def begin() -> None:
            connection.set_autocommit(False)
            act()

        def end() -> None:
            connection.rollback()
            connection.set_autocommit(True)
            connections.close_all()

        pool.submit(begin).result()
        try:
            yield
        finally:
            pool.submit(end).result()


def meanwhile(act: Callable[[], object]) -> Future[None]:
    """`act` in a thread of its own, with its own connection; nobody waits for it here."""

    def go() -> None:
        try:
            act()
        finally:
            connections.close_all()

    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(go)
    finally:
        pool.shutdown(wait=False)


def build(operation: AddIndex) -> None:
    state = ProjectState.from_apps(apps)
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("patients", editor, state, state)


def drop() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS of_the_test")


def is_waiting(words: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND query LIKE %s AND pid <> pg_backend_pid()",
            [f"%{words}%"],
        )
        return bool(cursor.fetchone()[0])


def somebody_else_saves() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '1s'")
        make_clinic(slug="harbour", name="Harbour Skin", sms_sender="+12025550110")


@pytest.mark.only_postgres
@pytest.mark.parametrize("kind", [AddLiveIndex, AddIndex])
def test_an_index_is_built_while_others_save(clinic: Clinic, kind: type[AddIndex]) -> None:
    """Django's own shows that the test would notice."""
    operation = kind("clinic", models.Index(fields=["sms_name"], name="of_the_test"))
    try:
        with a_transaction(lambda: Clinic.objects.filter(pk=clinic.pk).update(name="Slow")):
            built = meanwhile(lambda: build(operation))
            wait_for(lambda: is_waiting("CREATE INDEX"), seconds=20, what="the index waits")
            if kind is AddLiveIndex:
                somebody_else_saves()
            else:
                with pytest.raises(OperationalError, match="lock timeout"):
                    somebody_else_saves()
            assert not built.done()
        built.result(30)
    finally:
        drop()


def test_a_half_built_index_is_built_anew(clinic: Clinic) -> None:
    operation = AddLiveIndex("clinic", models.Index(fields=["sms_name"], name="of_the_test"))
    for _ in range(2 if connection.vendor == "postgresql" else 1):
        build(operation)
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "patients_clinic")
    drop()
    assert "of_the_test" in found


@pytest.mark.only_postgres
def test_the_next_change_waits_no_longer_than_it_may(clinic: Clinic) -> None:
    """Only an index may wait without end."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '1500ms'")
        build(AddLiveIndex("clinic", models.Index(fields=["sms_name"], name="of_the_test")))
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("1500ms",)
        cursor.execute("SET lock_timeout = 0")
    drop()


@pytest.mark.only_postgres
def test_a_change_of_a_table_in_use_lets_others_go_first_and_is_tried_again(
    clinic: Clinic,
) -> None:
    """Back and forth over the table of alarms, while somebody reads it."""
    said = StringIO()
    with a_transaction(Alarm.objects.count):
        migrated = meanwhile(
            lambda: call_command("migrate", "reminders", "0006", verbosity=0, stdout=said)
        )
        wait_for(lambda: "A table is in use" in said.getvalue(), seconds=40, what="a try")
        assert not migrated.done()
    migrated.result(60)
    call_command("migrate", verbosity=0)
    assert re.fullmatch(r"(A table is in use; trying again\.\n)+", said.getvalue())
    assert Alarm.objects.count() == 0

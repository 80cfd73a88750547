"""Migrations are complete, and a running site survives each of them."""

import re

import pytest
from django.core.management import call_command
from django.db import connection
from django_migration_linter import MigrationLinter

from patients import audit_wall, patient_index

pytestmark = pytest.mark.both_databases

# Widens a text column, which neither database does by looking at a row.
WIDENS = ["0004_running_leases_and_long_provider_ids"]


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check_changes=True, dry_run=True)


@pytest.mark.django_db(transaction=True)  # SQLite changes no table inside one
def test_every_migration_can_run_while_the_old_code_still_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    linter = MigrationLinter(
        include_apps=["patients", "reminders"],
        ignore_name=WIDENS,
        no_cache=True,
        quiet=["ok", "ignore"],
        # The first release has no old code; its tables are created all at once.
        ignore_initial_migrations=True,
        # SQLite adds a column by making the table anew, and serves one machine, which migrates
        # before it starts: there only what loses data would matter.
        exclude_migration_tests=["NOT_NULL", "ADD_UNIQUE"] if connection.vendor == "sqlite" else [],
    )
    linter.lint_all_migrations()
    assert not linter.has_errors, capsys.readouterr().out


class Written:
    """An editor that only writes down what it is to do."""

    def __init__(self) -> None:
        self.connection = connection
        self.words = ""

    def execute(self, sql: str, params: None = None) -> None:
        self.words += sql + ";\n"


@pytest.mark.django_db
def test_what_the_database_does_by_itself_is_there_after_every_migration() -> None:
    """On SQLite a migration that makes a table anew drops its triggers: let it `install` again."""
    written = Written()
    patient_index.install(written)  # type: ignore[arg-type]
    audit_wall.install(written)
    made = r"CREATE (?:TRIGGER|INDEX|VIRTUAL TABLE)(?: IF NOT EXISTS)? (\w+)"
    wanted = set(re.findall(made, written.words))
    has = (
        "SELECT name FROM sqlite_master"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger UNION SELECT indexname FROM pg_indexes"
    )
    with connection.cursor() as cursor:
        cursor.execute(has)
        there = {name for (name,) in cursor.fetchall()}
    assert len(wanted) == {"sqlite": 13, "postgresql": 4}[connection.vendor]
    assert wanted <= there

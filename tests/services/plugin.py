"""The pytest plugin: the servers as fixtures, and the environment the settings are read from.

Loaded with `-p`, because pytest-django reads the settings before any conftest is imported.
A server or browser that is missing is a failure: `make quick` is for machines without.
"""

import contextlib
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from . import log_scan
from .environment import enter_test_environment
from .postgres import Postgres, running_postgres
from .running import Running, running_processes
from .runtime import runtime_folder
from .valkey import Valkey

if TYPE_CHECKING:
    from tests.phone.client import Phone

NEEDS_SERVICES = {"valkey", "postgres_url", "phone", "celery_processes", "site", "page"}
FOLDER = pytest.StashKey[Path]()
POSTGRES = pytest.StashKey[Postgres]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("aftercare")
    group.addoption("--database", choices=["sqlite", "postgres"], default="sqlite")
    group.addoption(
        "--no-fsync", action="store_true", help="a faster PostgreSQL that would not survive a crash"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    ending = contextlib.ExitStack()
    early_config.add_cleanup(ending.close)
    folder = ending.enter_context(runtime_folder("tests"))
    early_config.stash[FOLDER] = folder
    enter_test_environment(folder)
    if early_config.known_args_namespace.database == "postgres":
        os.environ["DATABASE_URL"] = start_postgres(early_config).url()


def start_postgres(config: pytest.Config) -> Postgres:
    """The session's server, started when first asked for."""
    if POSTGRES not in config.stash:
        fsync = not config.known_args_namespace.no_fsync
        ending = contextlib.ExitStack()
        config.add_cleanup(ending.close)
        config.stash[POSTGRES] = ending.enter_context(running_postgres(fsync=fsync))
    return config.stash[POSTGRES]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("only_postgres"):
            item.add_marker("both_databases")
        names = set(getattr(item, "fixturenames", ()))
        if names & NEEDS_SERVICES:
            item.add_marker("services")
        if "page" in names:
            item.add_marker("browser")
    if config.getoption("database") == "sqlite":  # said as deselected: none passes unasked
        elsewhere = [item for item in items if item.get_closest_marker("only_postgres")]
        items[:] = [item for item in items if item not in elsewhere]
        config.hook.pytest_deselected(items=elsewhere)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing is skipped: what did not run has not passed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


def pytest_sessionstart() -> None:
    log_scan.begin()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Somebody named in a log fails the run, whatever its tests say."""
    if log_scan.SCAN.findings and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if lines := log_scan.report():
        terminalreporter.section("somebody is named in a log", red=True)
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def run_folder(pytestconfig: pytest.Config) -> Path:
    """The session's own data folder, removed at its end."""
    return pytestconfig.stash[FOLDER]


@pytest.fixture(scope="session")
def postgres_url(pytestconfig: pytest.Config) -> str:
    """A real PostgreSQL, whatever database the tests themselves run on."""
    return start_postgres(pytestconfig).url()


@pytest.fixture(scope="session")
def valkey(run_folder: Path) -> Iterator[Valkey]:
    """The server REDIS_URL has named all along; until somebody asks for it, nobody answers."""
    server = Valkey(run_folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def running_phone() -> "Iterator[Phone]":
    """One for the session: to start it takes longer than most tests."""
    from tests.phone.client import start_phone

    with start_phone(
        account_sid=os.environ["TWILIO_ACCOUNT_SID"], auth_token=os.environ["TWILIO_AUTH_TOKEN"]
    ) as phone:
        yield phone


@pytest.fixture
def phone(running_phone: "Phone") -> "Phone":
    """The stand-in for Twilio and the mail server, emptied and put back for each test."""
    running_phone.reset()
    return running_phone


@pytest.fixture
def database_url(transactional_db: None) -> str:
    """The tests' own database, for a process of its own."""
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return (
        f"postgres://{connection.settings_dict['USER']}@/{connection.settings_dict['HOST']}/{name}"
    )


@pytest.fixture
def celery_processes(valkey: Valkey, database_url: str, tmp_path: Path) -> Iterator[Running]:
    """Starts real workers and beats on the tests' database; stops them before it is emptied."""
    os.environ["DATABASE_URL"], before = database_url, os.environ["DATABASE_URL"]
    with running_processes(tmp_path) as running:
        yield running
    os.environ["DATABASE_URL"] = before


@pytest.fixture
def site(celery_processes: Running) -> Callable[[Mapping[str, object] | None], str]:
    """Starts a real web server on the tests' database: `site({"NAME": value})` -> base URL."""
    return celery_processes.site

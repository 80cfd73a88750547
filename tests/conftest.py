"""What every test gets: quick hashing, plain static files, a database file of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db import connection
from playwright.sync_api import expect
from zeal.constants import initialize_app_registry
from zeal.patch import patch

from patients.audit_wall import lowered

CHROMIUM_ARGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def pytest_configure() -> None:
    # A busy machine may take its time; what stands there already is not waited for.
    expect.set_options(timeout=20_000)
    settings.AUDIT_STRICT = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Most tests begin behind the door; those of the door itself close it again.
    settings.SECOND_FACTOR_REQUIRED = False
    # The manifest exists only after collectstatic; the browser tests' server has a real one.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    # A request that asks the database once for each row fails, and says where it asks.
    settings.MIDDLEWARE = ["zeal.middleware.zeal_middleware", *settings.MIDDLEWARE]
    settings.ZEAL_ALLOWLIST = [
        {"model": "sessions.Session"},  # signing in makes a second one
        {"model": "mfa.Authenticator", "field": "get()"},  # allauth gets twice what it removes
        {"model": "reminders.Reminder", "field": "get()"},  # each is locked for itself
    ]
    initialize_app_registry()
    patch()  # what its app would do, were it installed before Django is set up


@pytest.fixture(scope="session", autouse=True)
def the_tests_own_database_can_be_emptied() -> Iterator[None]:
    """After a test that commits: the one place where the audit trail's walls come down."""
    handle = flush.Command.handle

    def lower_and_flush(self: flush.Command, **options: Any) -> None:
        with lowered(connection):
            handle(self, **options)

    flush.Command.handle = lower_and_flush  # type: ignore[method-assign]
    yield
    flush.Command.handle = handle  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(run_folder: Path) -> None:
    """A file, as in production: in memory, SQLite locks tables and shares with no process."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(run_folder / "test.sqlite3")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium, not one that Playwright would have to download."""
    return {
        **browser_type_launch_args,
        "executable_path": shutil.which("chromium") or "/usr/bin/chromium",
        "args": CHROMIUM_ARGS,
    }

"""The servers of a run: PostgreSQL with fsync, Valkey, the web server and the phone.

The contenders' processes come and go; each connects as the role `worker` and the web server as
`web`, so that PostgreSQL can say who asked for what.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import django
import psutil  # type: ignore[import-untyped]
from django.core.management import call_command

from tests.phone.client import Phone
from tests.services.environment import enter_test_environment
from tests.services.postgres import DATABASE, Postgres, running_postgres
from tests.services.running import Running, running_processes
from tests.services.runtime import runtime_folder, wait_for
from tests.services.valkey import Valkey

from .meters import statements_of

WORKER, WEB = "worker", "web"
SERVER_SETTINGS = {
    "shared_preload_libraries": "'pg_stat_statements'",
    "max_wal_size": "'4GB'",  # no checkpoint but our own
}
LONGEST_RUN = 90  # seconds
# A carrier's pace: each status so many seconds after the one before.
CARRIER_DELAYS: Mapping[str, float] = {"queued": 1.0, "sent": 1.0, "delivered": 3.0}


class Stage:
    """What everything is measured on."""

    def __init__(self, postgres: Postgres, valkey: Valkey, logs: Path) -> None:
        self.postgres = postgres
        self.valkey = valkey
        self.logs = logs
        self.phone: Phone
        self.base_url = ""
        self.web_pid = 0
        self._crews = 0

    def url(self, role: str) -> str:
        return self.postgres.url().replace("//aftercare@", f"//{role}@", 1)

    def fresh(self) -> None:
        """No patient, nothing rung, an empty phone with its knobs as at the start."""
        from . import rows

        self.phone.reset()
        self.wait_until_web_rests()  # a callback that came in meanwhile would meet the TRUNCATE
        rows.empty()
        self.silence()

    def wait_until_web_rests(self) -> None:
        """Until the web server has asked the database for nothing for a while."""
        asked = -1
        while asked != (now := statements_of(WEB).queries):
            asked = now
            time.sleep(0.4)

    def silence(self) -> None:
        """Forget every ring and everything cached."""
        from django.core.cache import cache

        cache._cache.get_client(None, write=True).flushall()  # type: ignore[attr-defined]

    @contextlib.contextmanager
    def crew(self) -> Iterator[Running]:
        """Where a contender's processes are started; they end with the block."""
        self._crews += 1  # a folder each: a process is ready when its own log says so
        logs = self.logs / f"crew-{self._crews}"
        logs.mkdir()
        with running_processes(logs) as running:
            yield running

    def environment(self, *, ours: bool = True, **more: object) -> Mapping[str, object]:
        """For a contender's process. Our own gets the site's settings and nothing else."""
        settings = "aftercare.settings" if ours else "tests.bench.settings"
        return {
            "DJANGO_SETTINGS_MODULE": settings,
            "DATABASE_URL": self.url(WORKER),
            "LOG_LEVEL": "INFO",
            **more,
        }

    def wait_until_all_left(self) -> None:
        """Until no due reminder is planned or being sent, or the longest run is over."""
        from . import rows

        with contextlib.suppress(TimeoutError):
            wait_for(lambda: not rows.count_unsent(), seconds=LONGEST_RUN, what="all has left")

    def accepted(self, latency_ms: float) -> dict[str, float]:
        """When each number's text was answered, in seconds since 1970."""
        half = latency_ms / 2000
        return {text["to"]: text["created_at"] + half for text in self.phone.messages()}


@contextlib.contextmanager
def running_stage(logs: Path) -> Iterator[Stage]:
    """Start the servers, enter the run's environment and set Django up."""
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    with contextlib.ExitStack() as ending:
        folder = ending.enter_context(runtime_folder("bench"))
        postgres = ending.enter_context(running_postgres(fsync=True))
        _tune(postgres)
        valkey = Valkey(folder)
        ending.callback(valkey.stop)
        valkey.start()
        stage = Stage(postgres, valkey, logs)
        _enter_environment(folder, stage)
        _open_house(stage, ending.enter_context(running_processes(logs)))
        yield stage


def _tune(postgres: Postgres) -> None:
    for name, value in SERVER_SETTINGS.items():
        postgres.execute(f"ALTER SYSTEM SET {name} = {value}")
    for role in (WORKER, WEB):
        postgres.execute(f"CREATE ROLE {role} LOGIN SUPERUSER")
    postgres.stop()
    postgres.start()


def _enter_environment(folder: Path, stage: Stage) -> None:
    enter_test_environment(folder)
    del os.environ["CACHE_URL"]  # the shared cache, as in production
    os.environ["DATABASE_URL"] = stage.postgres.url(DATABASE)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
    os.environ["LOG_LEVEL"] = "WARNING"  # the run's own words are its table
    django.setup()
    call_command("migrate", verbosity=0)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pg_stat_statements")


def _open_house(stage: Stage, running: Running) -> None:
    """The site, and the phone that reaches it; both addresses go into our settings."""
    from django.conf import settings
    from django.utils import timezone

    from reminders import heartbeat

    heartbeat.beat(now=timezone.now())  # a site without a tick calls itself unwell
    web = {
        "DATABASE_URL": stage.url(WEB),
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
    }
    stage.base_url = running.site(web)
    stage.web_pid = _child_named("gunicorn")
    stage.phone = _start_phone(stage, running)
    addresses = {"PUBLIC_BASE_URL": stage.base_url, "TWILIO_API_BASE": stage.phone.base_url}
    for name, value in addresses.items():
        os.environ[name] = str(value)
        setattr(settings, name, value)


def _child_named(word: str) -> int:
    """The process id of the child of ours with this word in its command line."""
    children = psutil.Process().children()
    return int(next(one.pid for one in children if word in " ".join(one.cmdline())))


def _start_phone(stage: Stage, running: Running) -> Phone:
    log = stage.logs / "phone.log"
    command = [
        *(sys.executable, "-m", "tests.phone", "--port=0", "--smtp-port=0"),
        f"--public-base={stage.base_url}",
        f"--account-sid={os.environ['TWILIO_ACCOUNT_SID']}",
        f"--auth-token={os.environ['TWILIO_AUTH_TOKEN']}",
    ]
    running.start(command, None, log)
    wait_for(lambda: log.exists() and b"}" in log.read_bytes(), seconds=40, what="the phone opens")
    ports = json.loads(log.read_text().splitlines()[0])
    return Phone(f"http://127.0.0.1:{ports['http']}", smtp_port=ports["smtp"])

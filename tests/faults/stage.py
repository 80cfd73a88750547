"""The servers of a run, started once: PostgreSQL with fsync, Valkey, the web server, the phone.

Every scenario begins on a fresh copy of a migrated database, an empty Valkey and an empty phone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import django
import psycopg
from django.core.management import call_command

from aftercare import processes
from tests.phone.client import Phone
from tests.services.environment import enter_test_environment
from tests.services.postgres import DATABASE, Postgres, running_postgres
from tests.services.running import READY, Running, running_processes
from tests.services.runtime import runtime_folder, wait_for
from tests.services.valkey import Valkey

from . import forks
from .times import SHORT, Times, apply

EMPTY = "empty"  # the migrated database that each scenario begins with
AT_MOST = 900.0  # seconds: only a limit, for something that would never end


class Stage:
    """What a scenario plays on."""

    def __init__(self, postgres: Postgres, valkey: Valkey, logs: Path) -> None:
        self.postgres = postgres
        self.valkey = valkey
        self.logs = logs
        self.times: Times = SHORT
        self.small = False
        self.phone: Phone
        self.base_url = ""

    # --- the database ---

    def stop_postgres(self, sig: signal.Signals) -> None:
        """SIGQUIT is an immediate-mode crash, SIGINT an orderly end."""
        from django.db import connections

        connections.close_all()
        self.postgres.stop(sig)

    def copy_database(self, source: str, target: str) -> None:
        """Replace `target` by a copy of `source`; whoever is connected is cut off."""
        from django.db import connections

        connections.close_all()
        self.postgres.execute(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)")
        deadline = time.monotonic() + 30
        while True:
            self.cut_off(source)
            try:
                self.postgres.execute(f"CREATE DATABASE {target} TEMPLATE {source}")
                return
            except psycopg.errors.ObjectInUse:
                if time.monotonic() > deadline:
                    raise

    def cut_off(self, database: str) -> None:
        sessions = f"FROM pg_stat_activity WHERE datname = '{database}'"
        self.postgres.execute(
            f"SELECT pg_terminate_backend(pid) {sessions} AND pid <> pg_backend_pid()"
        )

    def fresh(self) -> None:
        """An empty clinic's day: database, Valkey and phone as at the start."""
        self.flush_valkey()
        self.copy_database(EMPTY, DATABASE)
        self.phone.reset()
        self.fork_log.unlink(missing_ok=True)

    def flush_valkey(self) -> None:
        from django.core.cache import cache

        cache._cache.get_client(None, write=True).flushall()  # type: ignore[attr-defined]

    # --- our processes ---

    @contextlib.contextmanager
    def crew(
        self, *pools: str, beats: int = 1, calls_in_flight: int = 20
    ) -> Iterator[tuple[Running, list[subprocess.Popen[bytes]]]]:
        """Real workers, one for each pool named (`prefork`, `threads`), and beats; all ready."""
        with running_processes(self.logs) as running:
            started = [
                self.start_worker(running, pool, number, calls_in_flight)
                for number, pool in enumerate(pools)
            ]
            for _, log in started:
                _wait_until_ready(log)
            bells = [running.beat(self.times.environment()) for _ in range(beats)]
            workers = [child for child, _ in started]
            yield running, workers
            # What had to be settled is: nobody waits for an orderly end.
            processes.stop([*workers, *bells], within=5, sig=signal.SIGKILL)

    def start_worker(
        self, running: Running, pool: str, number: int, calls_in_flight: int
    ) -> tuple[subprocess.Popen[bytes], Path]:
        log = self.logs / f"worker-{number}.log"
        log.unlink(missing_ok=True)
        command = [
            *(sys.executable, "-m", "tests.faults.worker", "worker", "--pool", pool),
            *("--concurrency", "2", "--without-gossip", "--without-mingle"),
            *("--without-heartbeat", "--hostname", f"{number}@faults"),
        ]
        return running.start(command, self.times.environment(calls_in_flight), log), log

    @property
    def fork_log(self) -> Path:
        return self.logs / "forks.log"

    def said_in_forks(self, words: str) -> int:
        """How often the forks of this scenario wrote these words."""
        return (
            self.fork_log.read_text(errors="replace").count(words) if self.fork_log.exists() else 0
        )

    def fork(self, act: Callable[[], object]) -> int:
        """Begin `act` in a fresh process of ours, with the run's times; `forks.wait` for it."""
        return forks.start(partial(_shortened, self.times, act), self.fork_log)

    def do(self, act: Callable[[], object], *, within: float = AT_MOST) -> None:
        """Do `act` in a fresh process of ours, to its end."""
        forks.run(partial(_shortened, self.times, act), self.fork_log, within=within)


def _shortened(times: Times, act: Callable[[], object]) -> None:
    apply(times)
    act()


def _wait_until_ready(log: Path) -> None:
    wait_for(
        lambda: log.exists() and READY in log.read_bytes(), seconds=90, what=f"{log.stem} is ready"
    )


@contextlib.contextmanager
def running_stage(logs: Path) -> Iterator[Stage]:
    """Start the servers, enter the run's environment and set Django up."""
    logs.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as ending:
        folder = ending.enter_context(runtime_folder("faults"))
        # Who committed first is asked of PostgreSQL itself.
        asked = {"track_commit_timestamp": "on"}
        postgres = ending.enter_context(running_postgres(fsync=True, more=asked))
        valkey = Valkey(folder)
        ending.callback(valkey.stop)
        valkey.start()
        stage = Stage(postgres, valkey, logs)
        _enter_environment(folder, postgres)
        running = ending.enter_context(running_processes(logs))
        _open_house(stage, running)
        yield stage


def _enter_environment(folder: Path, postgres: Postgres) -> None:
    enter_test_environment(folder)
    del os.environ["CACHE_URL"]  # the shared cache, as in production
    os.environ["DATABASE_URL"] = postgres.url()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftercare.settings")
    django.setup()
    call_command("migrate", verbosity=0)


def _open_house(stage: Stage, running: Running) -> None:
    """The site, and the phone that reaches it; both addresses go into our settings."""
    from django.conf import settings
    from django.utils import timezone

    from reminders import heartbeat
    from reminders.models import Heartbeat

    heartbeat.beat(now=timezone.now())  # a site without a tick calls itself unwell
    stage.base_url = running.site({"LOG_LEVEL": "WARNING"})
    stage.phone = start_phone(stage.logs / "phone.log", running, stage.base_url)
    addresses = {
        "PUBLIC_BASE_URL": stage.base_url,
        "TWILIO_API_BASE": stage.phone.base_url,
        "EMAIL_PORT": stage.phone.smtp_port,
    }
    for name, value in addresses.items():
        os.environ[name] = str(value)
        setattr(settings, name, value)
    Heartbeat.objects.all().delete()
    stage.copy_database(DATABASE, EMPTY)


def start_phone(log: Path, running: Running, public_base: str) -> Phone:
    """As a child of the run, so that it does not outlive a run that is killed."""
    log.unlink(missing_ok=True)
    command = [
        *(sys.executable, "-m", "tests.phone", "--port=0", "--smtp-port=0"),
        f"--public-base={public_base}",
        f"--account-sid={os.environ['TWILIO_ACCOUNT_SID']}",
        f"--auth-token={os.environ['TWILIO_AUTH_TOKEN']}",
    ]
    running.start(command, None, log)
    wait_for(lambda: log.exists() and b"}" in log.read_bytes(), seconds=90, what="the phone opens")
    ports = json.loads(log.read_text().splitlines()[0])
    return Phone(f"http://127.0.0.1:{ports['http']}", smtp_port=ports["smtp"])


def pool_children(worker: subprocess.Popen[bytes]) -> list[int]:
    """The process ids of a prefork worker's pool, as the kernel has them."""
    try:
        listed = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text()
    except OSError:
        return []
    return [int(pid) for pid in listed.split()]

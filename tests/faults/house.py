"""A site on several machines, played on one: two web servers behind a balancer, two workers, beat.

Every part can be stopped, killed and started again by itself, from this code or from another
version's folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

from django.conf import settings
from django.db import connections

from aftercare import processes
from tests.phone.client import Phone
from tests.services.environment import ROOT, process_environment
from tests.services.running import READY, Running, running_processes
from tests.services.runtime import free_port, wait_for

from .balancer import Balancer, running_balancer
from .stage import Stage, start_phone

ENDS_WITHIN = 60  # seconds that a graceful end may take
ALL = ("web 0", "web 1", "worker 0", "worker 1", "beat")
POOLS = ("threads", "prefork")
OURS = ("aftercare", "patients", "reminders", "templates", "static", "manage.py")
NEXT = """
from django.db import migrations, models

from patients.live_index import AddLiveIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("reminders", "{newest}")]

    operations = [
        migrations.AddField("reminder", "next_words", models.CharField(max_length=40, null=True)),
        AddLiveIndex("reminder", models.Index(fields=["next_words"], name="of_the_next")),
    ]
"""


@dataclass(slots=True)
class Part:
    name: str
    process: subprocess.Popen[bytes]
    port: int = 0


@dataclass(slots=True)
class House:
    stage: Stage
    running: Running
    balancer: Balancer
    phone: Phone
    code: Path = ROOT
    parts: dict[str, Part] = field(default_factory=dict)

    def start_all(self, *names: str) -> None:
        """Side by side, which is quicker than one after the other."""
        waiting = [self._begin(name) for name in names or ALL]
        for part in waiting:
            self._wait_for(part)

    def start(self, name: str) -> None:
        """Start a part and wait until it is ready; a web server is then given connections."""
        self._wait_for(self._begin(name))

    def _begin(self, name: str) -> Part:
        kind, _, number = name.partition(" ")
        log = self.log_of(name)
        log.unlink(missing_ok=True)
        port = free_port() if kind == "web" else 0
        command = [sys.executable, *self._command(kind, number, port)]
        # Its folder comes first on Python's path, and Celery puts it there once more.
        process = self.running.start(command, self.environment(), log, self.code)
        self.parts[name] = Part(name, process, port)
        return self.parts[name]

    def _wait_for(self, part: Part) -> None:
        log = self.log_of(part.name)

        def is_up() -> bool:
            if part.process.poll() is not None:
                said = log.read_text(errors="replace")[-800:]
                raise RuntimeError(f"{part.name} ended: {said}")
            return is_ready(part.port) if part.port else READY in log.read_bytes()

        wait_for(is_up, seconds=90, what=f"{part.name} is ready")
        if part.port:
            self.balancer.ports.append(part.port)

    def log_of(self, name: str) -> Path:
        return self.stage.logs / f"drill-{name.replace(' ', '')}.log"

    def stop(self, name: str, sig: signal.Signals = signal.SIGTERM) -> None:
        """As a supervisor does: no new connections, the signal, and time to end. -9 gives none."""
        part = self.parts.pop(name)
        if part.port and sig == signal.SIGTERM:
            self.balancer.ports.remove(part.port)
        processes.stop([part.process], within=ENDS_WITHIN, sig=sig)
        if part.port in self.balancer.ports:
            self.balancer.ports.remove(part.port)

    def manage(self, *words: str | Path) -> str:
        """Run one of manage.py's commands; returns what it said. Raises if it failed."""
        connections.close_all()
        ended = subprocess.run(
            [sys.executable, self.code / "manage.py", *map(str, words)],
            cwd=self.code, env=process_environment(self.environment()),
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        if ended.returncode:
            raise RuntimeError(f"{words[0]}: {ended.stderr[-500:]}")
        return ended.stdout.strip()

    def environment(self) -> dict[str, object]:
        return {
            **self.stage.times.environment(20),
            "PUBLIC_BASE_URL": self.balancer.base_url,
            "TWILIO_API_BASE": self.phone.base_url,
            "EMAIL_PORT": self.phone.smtp_port,
            "LOG_LEVEL": "INFO",
            "PYTHONPATH": f"{self.code}{os.pathsep}{ROOT}",
            "BACKUP_KEY_FILE": self.stage.logs / "drill.key",
        }

    def _command(self, kind: str, number: str, port: int) -> list[str]:
        if kind == "web":
            return [
                *("-m", "gunicorn", "-c", "python:aftercare.web", "aftercare.wsgi"),
                *("--bind", f"127.0.0.1:{port}"),
            ]
        celery = ["-m", "tests.faults.worker", kind]
        if kind == "beat":
            schedule = self.stage.logs / "drill-beat.schedule"
            return [*celery, "--schedule", str(schedule), "--pidfile="]
        quick = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        pool = POOLS[int(number)]
        return [*celery, "--pool", pool, "--concurrency", "2", *quick, "--hostname", f"d{number}@f"]


def is_ready(port: int) -> bool:
    """Whether the server there would be sent requests by a proxy."""
    return answer_of(port, "/readyz/web")[0] == 200


def answer_of(port: int, path: str) -> tuple[int, str]:
    client = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        client.request("GET", path, headers={"Host": "localhost"})
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        client.close()


@contextlib.contextmanager
def open_house(stage: Stage) -> Iterator[House]:
    """With a phone of its own, which calls back through the balancer."""
    names = ("PUBLIC_BASE_URL", "TWILIO_API_BASE", "EMAIL_PORT")
    before = {name: getattr(settings, name) for name in names}
    with running_balancer() as balancer, running_processes(stage.logs) as running:
        phone = start_phone(stage.logs / "drill-phone.log", running, balancer.base_url)
        house = House(stage, running, balancer, phone)
        settings.PUBLIC_BASE_URL = balancer.base_url
        try:
            yield house
        finally:
            for name, value in before.items():
                setattr(settings, name, value)


@contextlib.contextmanager
def next_version() -> Iterator[Path]:
    """A folder with tomorrow's code: another word at `/healthz`, one more column and index."""
    folder = Path("/tmp") / f"aftercare-next-{os.getpid()}"  # noqa: S108
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        for name in OURS:
            source = ROOT / name
            if source.is_dir():
                # With what is compiled, but for what somebody is compiling at this moment.
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
            else:
                shutil.copy(source, folder / name)
        migrations = folder / "reminders" / "migrations"
        newest = max(path.stem for path in migrations.glob("0*.py"))
        (migrations / "0999_of_the_next_version.py").write_text(NEXT.format(newest=newest))
        health = folder / "reminders" / "views" / "health.py"
        health.write_text(health.read_text().replace('"alive"', '"alive and new"'))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""Our own processes, started for real: Celery's worker and beat, and the web server."""

import contextlib
import functools
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from aftercare import processes

from .environment import ROOT, process_environment
from .log_scan import SCAN
from .runtime import free_port, wait_for

CELERY = (sys.executable, "-m", "celery", "-A", "aftercare")
READY = b"aftercare.celery ready"  # what our own signal handler logs
QUICK_START = ("--without-gossip", "--without-mingle", "--without-heartbeat")


class Running:
    """Processes of one test; each call starts one and returns when it is ready.

    `changes` are settings by their environment names, on top of the test run's own.
    """

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._written: set[Path] = set()
        self._children: list[subprocess.Popen[bytes]] = []

    def worker(
        self, changes: Mapping[str, object] | None = None, *, pool: str = "threads", size: int = 2
    ) -> subprocess.Popen[bytes]:
        options = ("--pool", pool, "--concurrency", str(size), *QUICK_START)
        log = self._log("worker")
        child = self.start([*CELERY, "worker", *options], changes, log)
        return self._when_ready(child, log, lambda: READY in log.read_bytes())

    def beat(self, changes: Mapping[str, object] | None = None) -> subprocess.Popen[bytes]:
        log = self._log("beat")
        schedule = log.with_suffix(".schedule")
        child = self.start([*CELERY, "beat", "--schedule", schedule, "--pidfile="], changes, log)
        return self._when_ready(child, log, lambda: READY in log.read_bytes())

    def site(self, changes: Mapping[str, object] | None = None) -> str:
        """A gunicorn on a free port; returns its base URL, e.g. http://localhost:40001."""
        collect_static_files()
        port = free_port()
        base_url = f"http://localhost:{port}"
        log = self._log("site")
        own = {"PORT": port, "PUBLIC_BASE_URL": base_url, **(changes or {})}
        command = [
            *(sys.executable, "-m", "gunicorn", "-c", "python:aftercare.web", "aftercare.wsgi"),
            *("--bind", f"127.0.0.1:{port}", "--graceful-timeout", "1"),
        ]
        child = self.start(command, own, log)
        self._when_ready(child, log, lambda: answers(base_url))
        return base_url

    def start(
        self,
        command: Sequence[str | Path],
        changes: Mapping[str, object] | None,
        log: Path,
        cwd: Path = ROOT,
    ) -> subprocess.Popen[bytes]:
        """Any other command of ours, with the environment of the test's processes."""
        environment = process_environment(changes)
        self._written.add(log)
        with log.open("ab") as output:
            child = processes.start(command, env=environment, output=output, cwd=cwd)
        self._children.append(child)
        return child

    def stop(self) -> None:
        processes.stop(self._children, within=5)
        self._children.clear()
        for log in self._written:
            SCAN.look_into(log)
        self._written.clear()

    def _log(self, name: str) -> Path:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self.logs / f"{name}-{len(self._children)}.log"

    def _when_ready(
        self, child: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool]
    ) -> subprocess.Popen[bytes]:
        try:
            wait_for(
                lambda: ready() or child.poll() is not None, seconds=90, what=f"{log.stem} is ready"
            )
            if child.poll() is not None:
                raise RuntimeError(f"{log.stem} ended with {child.returncode}.")
        except (TimeoutError, RuntimeError) as error:
            error.add_note(log.read_text(errors="replace")[-3000:])
            raise
        return child


@functools.cache
def collect_static_files() -> None:
    """Once a run: the web server serves the hashed and compressed files, as in production."""
    subprocess.run(
        [sys.executable, ROOT / "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        env=process_environment(), check=True,
    )  # fmt: skip


def answers(base_url: str) -> bool:
    """Whether our web server answers there, be it with an error page."""
    netloc = urlsplit(base_url).netloc
    # By address: a bare container need not know the name `localhost`.
    client = HTTPConnection(netloc.replace("localhost", "127.0.0.1"), timeout=5)
    try:
        client.request("GET", "/healthz", headers={"Host": netloc})
        return client.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        client.close()


@contextlib.contextmanager
def running_processes(logs: Path) -> Iterator[Running]:
    running = Running(logs)
    try:
        yield running
    finally:
        running.stop()

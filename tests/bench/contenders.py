"""How each contender is started and set off, and what its processes cost.

A run takes the due rows as they are, ends when all of them have left, and returns the processor
time of the contender's own processes in milliseconds.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from reminders.bell import ring
from reminders.models import Reminder
from tests.services.environment import ROOT
from tests.services.running import QUICK_START, READY, Running
from tests.services.runtime import wait_for

from .meters import cpu_ms, forget_statements
from .stage import LONGEST_RUN, Stage

PROCESSES, IN_FLIGHT = 2, 100
PYTHON = (sys.executable, "-m")

Run = Callable[[Stage, Running], float]


def ours(stage: Stage, running: Running) -> float:
    """A prefork worker of two; each of its processes is rung for once, as a tick would."""
    changes = stage.environment(CALLS_IN_FLIGHT=IN_FLIGHT)
    worker = running.worker(changes, pool="prefork", size=PROCESSES)
    forget_statements()
    before = cpu_ms([worker.pid])
    for _ in range(PROCESSES):
        ring()
    stage.wait_until_all_left()
    return cpu_ms([worker.pid]) - before


def loop(stage: Stage, running: Running) -> float:
    forget_statements()
    return _cpu_at_end(_start(stage, running, "loop"))


def start_loop(stage: Stage, running: Running) -> int:
    """The loop between two of its minutes; its process id."""
    program = _start(stage, running, "loop", 0, "--stay")
    wait_for(lambda: _is_ready(program), seconds=60, what="the loop rests")
    return program.process.pid


def limit(stage: Stage, running: Running) -> float:
    """Both processes make their forms first, and begin together when `go` is there."""
    go = running.logs / "go"
    shared = ("--parts", PROCESSES, "--in-flight", IN_FLIGHT, "--go", go)
    programs = [
        _start(stage, running, "limit", part, "--part", part, *shared) for part in range(PROCESSES)
    ]
    wait_for(lambda: all(_is_ready(one) for one in programs), seconds=120, what="the forms")
    go.touch()
    return sum(_cpu_at_end(program) for program in programs)


def _is_ready(program: Program) -> bool:
    return b"ready" in program.log.read_bytes() or program.process.poll() is not None


def eta(stage: Stage, running: Running) -> float:
    """Prefork of two; the tasks are published first and fall due together."""
    from .peers.eta import send_reminder

    worker = start_eta_worker(stage, running)
    forget_statements()
    before = cpu_ms([worker.pid])
    pks = due_pks()
    at = timezone.now() + timedelta(seconds=2 + len(pks) / 500)
    for pk in pks:
        send_reminder.apply_async((pk,), eta=at)
    stage.wait_until_all_left()
    return cpu_ms([worker.pid]) - before


def start_eta_worker(stage: Stage, running: Running) -> subprocess.Popen[bytes]:
    log = running.logs / "eta.log"
    command = [
        *(*PYTHON, "celery", "-A", "tests.bench.peers.eta", "worker"),
        *("--concurrency", str(PROCESSES), *QUICK_START),
    ]
    worker = running.start(command, stage.environment(ours=False, CONN_MAX_AGE=0), log)
    wait_for(lambda: READY in log.read_bytes(), seconds=60, what="the worker is ready")
    return worker


def jobs(stage: Stage, running: Running, *, concurrency: int = 1) -> float:
    """Two workers; the jobs are deferred first and fall due together."""
    workers = start_job_workers(stage, running, concurrency=concurrency)
    forget_statements()
    before = cpu_ms(workers)
    defer(due_pks(), at=timezone.now() + timedelta(seconds=1))
    stage.wait_until_all_left()
    return cpu_ms(workers) - before


def start_job_workers(stage: Stage, running: Running, *, concurrency: int) -> list[int]:
    command = [
        *(sys.executable, str(ROOT / "manage.py"), "procrastinate", "worker"),
        f"--concurrency={concurrency}",
    ]
    environment = stage.environment(ours=False, LOG_LEVEL="WARNING")
    workers = [
        running.start(command, environment, running.logs / f"jobs-{number}.log").pid
        for number in range(PROCESSES)
    ]
    wait_for(lambda: _job_workers() == PROCESSES, seconds=60, what="the workers are ready")
    return workers


def defer(pks: Iterable[int], *, at: datetime) -> None:
    from .peers.jobs import send_reminder

    arguments: list[Any] = [{"pk": pk} for pk in pks]
    send_reminder.configure(schedule_at=at).batch_defer(*arguments)


def _job_workers() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_workers")
        count: int = cursor.fetchone()[0]
    return count


def due_pks() -> list[int]:
    return list(Reminder.objects.due(timezone.now()).values_list("pk", flat=True))


class Program(NamedTuple):
    """One of the small programs in `peers`; its log ends with its processor time."""

    process: subprocess.Popen[bytes]
    log: Path


def _start(stage: Stage, running: Running, name: str, part: int = 0, *more: object) -> Program:
    log = running.logs / f"{name}-{part}.log"
    command = [*PYTHON, f"tests.bench.peers.{name}", *(str(one) for one in more)]
    return Program(running.start(command, stage.environment(ours=False), log), log)


def _cpu_at_end(program: Program) -> float:
    process, log = program
    if process.wait(LONGEST_RUN) != 0:
        raise RuntimeError(f"It ended with {process.returncode}:\n{log.read_text()[-3000:]}")
    return float(log.read_text().splitlines()[-1])

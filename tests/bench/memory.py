"""What a worker keeps in memory: idle, and with a hundred thousand reminders waiting.

Ours as `manage.py up` starts it (one process, two threads) and as a prefork of two; beside them
the loop between two of its minutes, the Celery worker that holds every waiting task because it was
published with `eta=`, and procrastinate's two workers. Ours is rung once before each look, so that
what a tick loads is loaded. In the limit nothing waits: its forms are all made beforehand.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from redis import Redis

from reminders.bell import ring
from reminders.models import Heartbeat, Reminder
from tests.services.runtime import wait_for

from . import rows
from .contenders import defer, start_eta_worker, start_job_workers, start_loop
from .meters import Memory, memory
from .sizes import Sizes
from .stage import Stage
from .table import Row, Target, Tell

LIMIT_MB = 130
JOBS_LOOK = 7.0  # seconds: procrastinate asks every five


def run(stage: Stage, sizes: Sizes, tell: Tell) -> None:
    waiting = sizes.waiting
    for what, pool in (("worker", "threads"), ("prefork of two", "prefork")):
        idle, full = _ours(stage, pool, waiting)
        note = f"RSS {idle.rss:.0f} MB in all, {idle.largest_rss:.0f} MB the largest process"
        limit = Target(at_most=LIMIT_MB, of="figure") if pool == "threads" else None
        tell(Row(f"memory, {what}, idle", idle.pss, "MB (PSS)", target=limit, note=note))
        tell(_row(f"memory, {what}, {waiting:,} waiting", full, idle, Target(at_most=1.02)))
    for what, (idle, full) in _peers(stage, waiting):
        tell(Row(f"memory, {what}, idle", idle.pss, "MB (PSS)"))
        tell(_row(f"memory, {what}, {waiting:,} waiting", full, idle, None))


def _row(name: str, full: Memory, idle: Memory, target: Target | None) -> Row:
    return Row(name, full.pss, "MB (PSS)", f"idle {idle.pss:.0f}", full.pss / idle.pss, target)


def _ours(stage: Stage, pool: str, waiting: int) -> tuple[Memory, Memory]:
    stage.fresh()
    with stage.crew() as running:
        worker = running.worker(stage.environment(), pool=pool, size=2)
        _tick()
        idle = memory([worker.pid])
        rows.make_due(waiting, at=timezone.now() + timedelta(days=1))
        _tick()
        return idle, memory([worker.pid])


def _tick() -> None:
    """Ring, and wait until a worker has looked."""
    rung_at = timezone.now()
    for _ in range(2):
        ring()
    wait_for(lambda: Heartbeat.objects.filter(at__gt=rung_at).exists(), seconds=30, what="a tick")
    time.sleep(0.5)


def _peers(stage: Stage, waiting: int) -> Iterator[tuple[str, tuple[Memory, Memory]]]:
    """On the same rows; a worker of theirs knows only what it has been told."""
    stage.fresh()
    idle = _loop(stage)
    rows.make_due(waiting, at=timezone.now() + timedelta(days=1))
    yield "loop", (idle, _loop(stage))
    yield "eta", _eta(stage, waiting)
    yield "jobs 30", _jobs(stage)


def _loop(stage: Stage) -> Memory:
    with stage.crew() as running:
        return memory([start_loop(stage, running)])


def _jobs(stage: Stage) -> tuple[Memory, Memory]:
    with stage.crew() as running:
        workers = start_job_workers(stage, running, concurrency=30)
        idle = memory(workers)
        defer(_ahead(), at=timezone.now() + timedelta(days=1))
        time.sleep(JOBS_LOOK)
        return idle, memory(workers)


def _ahead() -> Iterable[int]:
    return Reminder.objects.filter(leaves_at__gt=timezone.now()).values_list("pk", flat=True)


def _eta(stage: Stage, waiting: int) -> tuple[Memory, Memory]:
    with stage.crew() as running:
        worker = start_eta_worker(stage, running)
        idle = memory([worker.pid])
        _publish_and_wait(stage, waiting)
        return idle, memory([worker.pid])


def _publish_and_wait(stage: Stage, waiting: int) -> None:
    """Every task is in the worker's memory once none is left in the broker's queue."""
    from .peers.eta import NUMBER, app, send_reminder

    at = timezone.now() + timedelta(days=1)
    with app.producer_pool.acquire(block=True) as producer:
        for pk in _ahead():
            send_reminder.apply_async((pk,), eta=at, producer=producer)
    broker = Redis(unix_socket_path=str(stage.valkey.socket), db=NUMBER)
    wait_for(
        lambda: broker.llen("celery") == 0 and broker.hlen("unacked") >= waiting,
        seconds=240,
        what=f"{waiting:,} tasks are held by the worker",
    )
    broker.close()
    connection.close()

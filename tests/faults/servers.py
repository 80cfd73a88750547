"""The broker forgets or goes away; the database crashes or stays down."""

from __future__ import annotations

import math
import random
import signal
import time
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from tests.phone.client import Phone

from .carry_on import wait_until_settled
from .cohort import make_due
from .judge import LINK, judge
from .stage import Stage
from .table import Finding

PER_SECOND = 20  # reminders that fall due in each second of an outage
LATE = 60.0  # seconds beyond a tick: what the specification allows
CRASHES, BLINKS = 3, 3
DEAF = "the connection is closed"


def spread(seconds: float, *, starts_in: float = 0.5) -> list[datetime]:
    """Moments of falling due, evenly over so many seconds from now on."""
    number = max(1, round(seconds * PER_SECOND))
    first = timezone.now() + timedelta(seconds=starts_in)
    return [first + timedelta(seconds=seconds * index / number) for index in range(number)]


def valkey_flushed(stage: Stage, flushes: int) -> Finding:
    """Everything in the broker and the cache is forgotten, again and again."""
    with stage.crew("prefork", "threads"):
        moments = spread(flushes * 0.4 + 1)
        make_due(len(moments), due_at=moments)
        for _ in range(flushes):
            time.sleep(random.uniform(0.2, 0.6))
            stage.flush_valkey()
        _wait_for_all(moments, stage)
    late = latest(stage.phone, moments, back_at=moments[0])
    finding = Finding(f"{flushes} × FLUSHALL, {len(moments)} messages", judge(stage.phone))
    finding.note = f"the latest was {late:.1f} s late"
    _check_lateness(finding, late, stage)
    return finding


def valkey_away(stage: Stage, seconds: int) -> Finding:
    """The broker is stopped and started again; nobody touches the workers or beat."""
    with stage.crew("prefork", "threads"):
        moments = spread(seconds + 3)
        make_due(len(moments), due_at=moments)
        time.sleep(1.5)
        stage.valkey.stop()
        time.sleep(seconds)
        stage.valkey.start()
        back_at = timezone.now()
        _wait_for_all(moments, stage)
    late = latest(stage.phone, moments, back_at=back_at)
    finding = Finding(f"{seconds} s away, {len(moments)} messages", judge(stage.phone))
    finding.note = f"the last one left {late:.1f} s after the server was back, without a hand"
    _check_lateness(finding, late, stage)
    return finding


def latest(phone: Phone, moments: list[datetime], *, back_at: datetime) -> float:
    """Seconds the latest text is late, counted from when it fell due or the server was back.

    The first text is the first moment's, and so on: they fall due one after the other.
    """
    came: list[float] = sorted(
        text["created_at"] for text in phone.messages() if LINK.search(text["body"])
    )
    due = [max(moment, back_at).timestamp() for moment in moments]
    if len(came) < len(due):
        return math.inf
    return max(at - moment for at, moment in zip(came, due, strict=False))


def _wait_for_all(moments: list[datetime], stage: Stage) -> None:
    time.sleep(max(0.0, (moments[-1] - datetime.now(UTC)).total_seconds()))
    wait_until_settled(LATE * 2 + stage.times.longest)


def _check_lateness(finding: Finding, late: float, stage: Stage) -> None:
    if late > stage.times.tick + LATE:
        finding.problems.append(f"later than a tick and {LATE:g} s")


# --- PostgreSQL ---


def postgres_crashed(stage: Stage, messages: int) -> Finding:
    """Three immediate-mode crashes while calls are under way."""
    stage.phone.control(latency_ms=200)
    with stage.crew("prefork", "threads", calls_in_flight=10):
        make_due(messages)
        for crash in range(1, CRASHES + 1):
            _wait_until_called(stage.phone, messages * crash // (CRASHES + 2))
            stage.stop_postgres(signal.SIGQUIT)
            time.sleep(random.uniform(0.2, 1.0))
            stage.postgres.start()
        began = time.monotonic()
        wait_until_settled(stage.times.longest * 4 + 60)
        took = time.monotonic() - began
    verdict = judge(stage.phone)
    note = f"{verdict.calls} calls, each with its claim; settled {took:.0f} s after the last crash"
    return Finding(f"{CRASHES} crashes, {messages} messages", verdict, note=note)


def postgres_down(stage: Stage, seconds: int) -> Finding:
    """The database is away while the workers idle and more falls due; nobody touches a worker."""
    with stage.crew("prefork"):
        make_due(PER_SECOND)
        wait_until_settled(60)
        for _ in range(BLINKS):
            _stay_away(stage, 1.0)
            time.sleep(3 * stage.times.tick)
        moments = spread(seconds + 2, starts_in=2.0)
        make_due(len(moments), due_at=moments)
        calls = _stay_away(stage, seconds)
        back_at = timezone.now()
        _wait_for_all(moments, stage)
        deaf = _still_deaf(stage)
    late = latest(stage.phone, [back_at] * PER_SECOND + moments, back_at=back_at)
    finding = Finding(f"{seconds} s down, {PER_SECOND + len(moments)} messages", judge(stage.phone))
    finding.note = (
        f"before that {BLINKS} times for 1 s; {calls} calls meanwhile; the last one left "
        f"{late:.1f} s after the server was back, without a hand"
    )
    _check_lateness(finding, late, stage)
    if deaf:
        finding.problems.append("a worker process stays on its dead connection: its tasks all fail")
    return finding


def _stay_away(stage: Stage, seconds: float) -> int:
    """Stop the database for so long; how many calls were begun meanwhile."""
    stage.stop_postgres(signal.SIGQUIT)
    before: int = stage.phone.stats(brief=True)["calls"]
    time.sleep(seconds)
    meanwhile: int = stage.phone.stats(brief=True)["calls"] - before
    stage.postgres.start()
    return meanwhile


def _still_deaf(stage: Stage) -> bool:
    """Whether tasks go on failing for want of a connection, well after the server is back."""
    log = stage.logs / "worker-0.log"
    before = log.read_text(errors="replace").count(DEAF)
    time.sleep(8 * stage.times.tick)
    return log.read_text(errors="replace").count(DEAF) > before


def _wait_until_called(phone: Phone, calls: int) -> None:
    deadline = time.monotonic() + 60
    while phone.stats(brief=True)["calls"] < calls and time.monotonic() < deadline:
        time.sleep(0.05)

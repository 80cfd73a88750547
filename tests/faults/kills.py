"""kill -9 of a worker: at five exact points, and at random while ten thousand go out."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from functools import partial

from reminders import dispatch
from reminders.models import Attempt, Reminder, State
from tests.services.running import Running

from . import forks
from .carry_on import carry_on, wait_until_settled
from .cohort import make_due
from .judge import judge
from .points import Point, arm
from .stage import Stage, pool_children
from .table import Finding

BATCH = 4
LATENCY = 0.06  # seconds of the provider
MOST_PASSES = {Point.DURING_CALL: 6, Point.BEFORE_CLAIM: 3}
PAUSE = 0.3  # seconds between two random kills
OPEN_OR_UNKNOWN = (Attempt.Outcome.OPEN, Attempt.Outcome.UNKNOWN)
POOLS = ("prefork", "prefork", "threads")


def killed_at(point: Point, stage: Stage, kills: int) -> Finding:
    """So many workers die at one point, each in the middle of its work; the next one carries on."""
    stage.phone.control(latency_ms=LATENCY * 1000, receipts=False)
    make_due(10 * BATCH)
    done = 0
    while done < kills:
        if Reminder.objects.filter(state=State.PLANNED).count() < 5 * BATCH:
            make_due(10 * BATCH)
        ended = forks.wait(stage.fork(partial(_die_at, point)))
        done += ended == -signal.SIGKILL
    in_doubt = Attempt.objects.filter(outcome__in=OPEN_OR_UNKNOWN).count()
    seconds = 10 * stage.times.longest + 60 + in_doubt / 20  # each is asked about, three times
    stage.do(partial(carry_on, seconds))
    verdict = judge(stage.phone)
    begun = Attempt.objects.count()
    note = (
        f"{verdict.due} messages, {begun} attempts, {verdict.calls} calls; callbacks off: only the "
        "list tells"
    )
    return Finding(f"{done} kills", verdict, note=note)


def _die_at(point: Point) -> None:
    passes = random.randint(1, MOST_PASSES.get(point, 2))
    arm(point, passes=passes, batch=BATCH, latency=LATENCY)
    dispatch.drain()


# --- at random ---


def killed_at_random(stage: Stage, messages: int) -> Finding:
    """Somebody of three workers is killed every 0.3 s until everything has been taken up."""
    stage.phone.control(latency_ms=500, delays=0.2)
    make_due(messages)
    struck: Counter[str] = Counter()
    with stage.crew(*POOLS) as (running, workers):
        deadline = time.monotonic() + 120 + messages / 8
        while _still_going_out() and time.monotonic() < deadline:
            if who := _strike(stage, running, workers):
                struck[who] += 1
            time.sleep(PAUSE)
        _bring_back(stage, running, workers)
        wait_until_settled(stage.times.longest * 6 + 120)
    verdict = judge(stage.phone)
    kills = sum(struck.values())
    who = ", ".join(f"{number} {name}" for name, number in struck.most_common())
    return Finding(
        f"{kills} kills, {verdict.due} messages", verdict, note=f"{who}; {verdict.calls} calls"
    )


def _still_going_out() -> bool:
    return Reminder.objects.filter(state__in=[State.PLANNED, State.SENDING]).exists()


def _strike(stage: Stage, running: Running, workers: list[subprocess.Popen[bytes]]) -> str:
    """Kill one process: mostly one of a pool, sometimes a whole worker; which, or nobody yet."""
    _bring_back(stage, running, workers)
    children = [pid for worker in workers[:2] for pid in pool_children(worker)]
    if not children:
        return ""
    if random.random() < 0.95:
        _kill(random.choice(children))
        return "pool processes"
    whole = random.choice(workers)
    _kill(whole.pid)
    whole.wait()
    return "whole workers"


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _bring_back(stage: Stage, running: Running, workers: list[subprocess.Popen[bytes]]) -> None:
    """What a supervisor does: start again whatever has gone."""
    for number, pool in enumerate(POOLS):
        if workers[number].poll() is not None:
            workers[number], _ = stage.start_worker(running, pool, number, 20)

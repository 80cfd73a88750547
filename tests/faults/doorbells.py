"""Two of everything, and every ring ten times: the rows decide, not the rings."""

from __future__ import annotations

import time

from celery import current_app

from . import forks
from .carry_on import wait_until_settled
from .cohort import make_due
from .judge import judge
from .servers import spread
from .stage import Stage
from .table import Finding

TIMES = 10
TASKS = ("reminders.tasks.drain", "reminders.tasks.settle")


def rung_ten_times(stage: Stage, messages: int) -> Finding:
    """Two beats, two dispatchers, each task delivered ten times."""
    stage.phone.control(latency_ms=20)
    seconds = 4.0 + messages / 200
    with stage.crew("prefork", "prefork", beats=2):
        make_due(messages - len(spread(seconds)))
        moments = spread(seconds)
        make_due(len(moments), due_at=moments)
        ringing = stage.fork(lambda: _ring(seconds, stage.times.tick))
        forks.wait(ringing, within=seconds + 60)
        wait_until_settled(stage.times.longest * 2 + 60)
    verdict = judge(stage.phone)
    finding = Finding(f"{verdict.due} messages", verdict, note=f"{verdict.calls} calls")
    if verdict.calls != verdict.due:
        finding.problems.append("calls and messages differ")
    return finding


def _ring(seconds: float, tick: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for task in TASKS * TIMES:
            current_app.send_task(task, ignore_result=True)
        time.sleep(tick)

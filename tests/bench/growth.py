"""What a tick and a claim cost with much behind them, against little.

In this process, on one connection: a tick with nothing due, and the claim of one batch, which is
rolled back so that the same rows are claimed again. The plans PostgreSQL chose are printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from reminders import dispatch, heartbeat
from reminders.claim import BATCH, claim_due

from . import rows
from .meters import median
from .plans import plans_of
from .sizes import Sizes
from .stage import Stage
from .table import Row, Target, Tell

MOST = Target(at_most=1.3)


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds, the middle of many."""

    tick: float
    claim: float


def run(stage: Stage, sizes: Sizes, tell: Tell) -> None:
    little, _ = _look(stage, sizes.little_history, sizes)
    much, plans = _look(stage, sizes.history, sizes)
    behind = f"{sizes.history:,} rows behind it"
    peer = f"{sizes.little_history:,} rows:"
    tell(
        Row(
            f"tick with nothing due, {behind}", much.tick, "ms",
            f"{peer} {little.tick:.2f} ms", much.tick / little.tick, MOST,
        )
    )  # fmt: skip
    tell(
        Row(
            f"claim of {BATCH}, {behind}", much.claim, "ms",
            f"{peer} {little.claim:.1f} ms", much.claim / little.claim, MOST,
        )
    )  # fmt: skip
    print("\n".join(plans))


def _look(stage: Stage, history: int, sizes: Sizes) -> tuple[Cost, list[str]]:
    stage.fresh()
    rows.make_history(history)
    tick, plans = _middle_ms(_tick, sizes.looks), plans_of(_tick)
    rows.make_due(BATCH, at=timezone.now())
    return Cost(tick, _middle_ms(_claim, sizes.claims)), [*plans, *plans_of(_claim)]


def _tick() -> None:
    heartbeat.beat(now=timezone.now())
    dispatch.drain()


def _claim() -> None:
    with transaction.atomic():
        claim = claim_due(now=timezone.now())
        transaction.set_rollback(True)
    if len(claim.reminders) != BATCH:
        raise RuntimeError(f"{len(claim.reminders)} were claimed, not {BATCH}.")


def _middle_ms(act: Callable[[], None], times: int) -> float:
    act()  # what is read once a process is read now
    connection.ensure_connection()
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        spent.append(1000 * (time.perf_counter() - began))
    return median(spent)

"""Every fault of the run, in the table's order: its name, its words, its size."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from . import (
    backlog,
    callbacks,
    clocks,
    doorbells,
    drill,
    kills,
    orders,
    provider,
    races,
    restore,
    servers,
    soak,
    webhooks,
)  # fmt: skip
from .carry_on import BROKEN
from .judge import Verdict
from .points import Point
from .stage import Stage
from .table import Finding, Row, row_of
from .told_while_down import told_while_down

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fault:
    """`full`, `small`: how often, or with how many messages, it is done in either mode.

    `alone`: at its full size it is about speed too, so that nothing may be played beside it.
    """

    name: str
    words: str
    play: Callable[[Stage, int], Finding]
    full: int
    small: int
    must_pass: bool = True
    alone: bool = False


KILLS = tuple(
    Fault(
        f"kill-{point.name.lower().replace('_', '-')}", f"kill -9 {point}",
        partial(kills.killed_at, point), full=200, small=5,
    )
    for point in Point
)  # fmt: skip
FAULTS = (
    *KILLS,
    Fault("kill-at-random", "kill -9 every 0.3 s", kills.killed_at_random, 10_000, 200),
    Fault("valkey-flushed", "Valkey: FLUSHALL", servers.valkey_flushed, 50, 5),
    Fault("valkey-away", "Valkey stopped, started again", servers.valkey_away, 60, 3),
    Fault("postgres-crashed", "PostgreSQL crashes", servers.postgres_crashed, 2_000, 100),
    Fault("postgres-down", "PostgreSQL down", servers.postgres_down, 120, 4),
    Fault("told-while-down", "STOPs while PostgreSQL is down", told_while_down, 400, 20),
    Fault(
        "rung-ten-times", "two beats, two workers, every task × 10",
        doorbells.rung_ten_times, 2_000, 120,
    ),
    Fault("provider-429", "provider: a storm of 429", provider.storm_of_429, 1_000, 100),
    Fault(
        "provider-unclear", "provider: no clear answer",
        provider.unclear_answers, 200, 8, alone=True,
    ),
    Fault(
        "callbacks-any-order", "callbacks shuffled, × 3, early, replayed",
        callbacks.in_any_order, 2_000, 60,
    ),
    Fault("callbacks-lost", "callbacks lost", callbacks.lost, 2_000, 60),
    Fault("webhooks-forged", "webhooks nobody sent", webhooks.forged, 10_000, 300),
    Fault("stop-races", "STOP races the dispatcher", races.stopped, 1_000, 50),
    Fault("clock-jumps", "clock jumps ±1 h", clocks.jumped, 1_000, 60),
    Fault("clock-jumps-in-doubt", "clock jumps ±1 h, in doubt", clocks.jumped_in_doubt, 200, 10),
    Fault("summer-time", "DST both ways, every US zone", clocks.summer_time, 660, 8),
    Fault("backlog", "six hours of backlog", backlog.six_hours, 4_000, 200),
    Fault(
        "backlog-machine-off", "six hours of backlog, cache lost",
        backlog.six_hours_without_cache, 1_000, 100,
    ),
    Fault("corrected-while-queued", "corrected or voided", races.corrected, 600, 40),
    Fault(
        "restored", "a backup from an hour ago restored",
        partial(restore.restored, cache_is_lost=False), 1_000, 60,
    ),
    Fault(
        "restored-cache-lost", "the same, cache lost too",
        partial(restore.restored, cache_is_lost=True), 1_000, 60,
    ),
    Fault("any-order", "any order of everything", orders.played, 200, 5),
    Fault("deployed", "the next version under load", drill.rolled_out, 3, 1),
    Fault("each-killed", "each process killed in turn", drill.killed_in_turn, 5, 1),
    Fault(
        "restored-by-command", "backup, an hour's work, restore",
        drill.restored_by_command, 600, 40,
    ),
    Fault("soak", "a clinic's twenty busy days", soak.soaked, 1_800, 20, alone=True),
    Fault(
        "list-lags", "the provider's list lags, callbacks lost",
        provider.hidden_in_the_list, 200, 20, must_pass=False,
    ),
)  # fmt: skip


def run(fault: Fault, stage: Stage, *, small: bool) -> Row:
    """Play one fault on a fresh stage."""
    began = time.monotonic()
    size = fault.small if small else fault.full
    try:
        stage.fresh()
        finding = fault.play(stage, size)
        if broken := stage.said_in_forks(BROKEN):
            finding.problems.append(f"{broken} tasks broke")
    except Exception as error:  # the other faults are still worth playing
        logger.exception("%s broke", fault.name)
        finding = Finding(str(size), Verdict(), problems=[f"broke: {error!r:.300}"])
    return row_of(
        fault.name, fault.words, finding,
        seconds=time.monotonic() - began, must_pass=fault.must_pass,
    )  # fmt: skip


def not_played(fault: Fault, why: str) -> Row:
    """A fault that left no row has not passed."""
    finding = Finding("–", Verdict(), problems=[why])
    return row_of(fault.name, fault.words, finding, seconds=0.0, must_pass=True)

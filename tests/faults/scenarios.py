"""Every fault of the run, in the table's order: its name, its words, its size."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from . import kills
from .points import Point
from .stage import Stage
from .table import Finding, Row, row_of


@dataclass(frozen=True, slots=True)
class Fault:
    """`full`, `small`: how often, or with how many messages, it is done in either mode."""

    name: str
    words: str
    play: Callable[[Stage, int], Finding]
    full: int
    small: int
    must_pass: bool = True


FAULTS: tuple[Fault, ...] = (
    *(
        Fault(f"kill-{point.name.lower().replace('_', '-')}", f"kill -9 {point}",
              partial(kills.killed_at, point), full=200, small=6)
        for point in Point
    ),
    Fault("kill-at-random", "kill -9 every 0.3 s", kills.killed_at_random, full=10_000, small=300),
)  # fmt: skip


def run(fault: Fault, stage: Stage, *, small: bool) -> Row:
    """Play one fault on a fresh stage."""
    began = time.monotonic()
    stage.fresh()
    finding = fault.play(stage, fault.small if small else fault.full)
    return row_of(
        fault.name, fault.words, finding,
        seconds=time.monotonic() - began, must_pass=fault.must_pass,
    )  # fmt: skip

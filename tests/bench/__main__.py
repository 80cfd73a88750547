"""The command line of the benchmark; see the package for what is measured and how."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from tests.services.environment import ROOT

from .sizes import QUICK, TINY, USUAL, Sizes
from .stage import Stage, running_stage
from .table import Row, Tell, heading, keep, machine

PARTS = ("sending", "memory", "lateness", "planning", "pages", "growth", "search", "board")
SIZES: Mapping[str, Sizes] = {"tiny": TINY, "quick": QUICK, "usual": USUAL}
BUSY = 0.5  # runnable processes a core, before we begin


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=(__doc__ or "").partition("\n")[0]
    )
    size = parser.add_mutually_exclusive_group()
    for name, meaning in {
        "quick": "small numbers, a few minutes",
        "tiny": "only whether everything runs",
    }.items():
        size.add_argument(f"--{name}", dest="size", action="store_const", const=name, help=meaning)
    parser.add_argument("--only", action="append", default=[], choices=PARTS)
    parser.add_argument("--kept", type=Path, default=ROOT / "var" / "bench.json")
    parser.add_argument("--logs", type=Path, default=ROOT / "var" / "bench-log")
    parser.set_defaults(size="usual")
    return parser.parse_args()


def measure(arguments: argparse.Namespace) -> list[Row]:
    """Measure the parts asked for; rows are printed and kept as they are found."""
    began = machine()
    found: list[Row] = []

    def tell(row: Row) -> None:
        found.append(row)
        print(row.line(), flush=True)
        keep(found, arguments.kept, size=arguments.size, began=began)

    with running_stage(arguments.logs) as stage:
        for name in PARTS:
            if not arguments.only or name in arguments.only:
                started = time.monotonic()
                part_of(name)(stage, SIZES[arguments.size], tell)
                print(f"    {name}: {time.monotonic() - started:.0f} s", flush=True)
    return found


def part_of(name: str) -> Callable[[Stage, Sizes, Tell], None]:
    """Imported only now: a part's models need Django set up."""
    run: Callable[[Stage, Sizes, Tell], None] = import_module(f".{name}", __package__).run
    return run


def main() -> int:
    arguments = read_arguments()
    # So that an ordinary end of the run, asked for from outside, still stops its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    print(f"{cores} cores, load {load:.1f} before the run.", end=" ")
    print("Others are busy: trust only ratios." if load / cores > BUSY else "", end="\n\n")
    print(heading(), flush=True)
    began = time.monotonic()
    found = measure(arguments)
    missed = [row.name for row in found if row.met is False]
    print(
        f"\n{len(found)} rows in {time.monotonic() - began:.0f} s; targets missed: {len(missed)}."
    )
    print(f"Load afterwards {os.getloadavg()[0]:.1f}. The rows are in {arguments.kept}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

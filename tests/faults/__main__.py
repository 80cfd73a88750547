"""The command line of the fault run; see the package for how to read its table."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from tests.services.environment import ROOT

from .stage import Stage, running_stage
from .times import SHORT, SHORTER

KEPT = ROOT / "var" / "faults.json"


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--small", action="store_true", help="each fault once or a few times")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--list", action="store_true", help="the names of the faults")
    parser.add_argument("--logs", type=Path, default=ROOT / "var" / "faults-log")
    return parser.parse_args()


def play_all(stage: Stage, arguments: argparse.Namespace) -> bool:
    """Play the faults asked for, print and keep their rows; whether all passed that must."""
    from .scenarios import FAULTS, run
    from .table import heading, keep, line_of

    mode = "small" if arguments.small else "full"
    words = stage.times.words()
    print(f"Shortened for this run: {words}.\n\n{heading()}", flush=True)
    rows = []
    for fault in FAULTS:
        if arguments.only and fault.name not in arguments.only:
            continue
        rows.append(run(fault, stage, small=arguments.small))
        print(line_of(rows[-1]), flush=True)
        keep(rows, KEPT, mode=mode, times=words)
    failed = [row.fault for row in rows if row.must_pass and not row.passed]
    print(f"\n{len(rows)} faults; {len(failed)} not passed; the rows are in {KEPT}.")
    return not failed


def names() -> list[str]:
    """Needs Django, but no server."""
    import django

    from tests.services.environment import enter_test_environment
    from tests.services.runtime import runtime_folder

    with runtime_folder("faults") as folder:
        enter_test_environment(folder)
        django.setup()
        from .scenarios import FAULTS

        return [fault.name for fault in FAULTS]


def main() -> int:
    arguments = read_arguments()
    # So that an ordinary end of the run, asked for from outside, still stops its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if arguments.list:
        print("\n".join(names()))
        return 0
    began = time.monotonic()
    with running_stage(arguments.logs) as stage:
        stage.times = SHORTER if arguments.small else SHORT
        passed = play_all(stage, arguments)
        print(f"{time.monotonic() - began:.0f} s in all.")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

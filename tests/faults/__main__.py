"""The command line of the fault run; see the package for how to read its table."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import django

from tests.services.environment import ROOT, enter_test_environment
from tests.services.runtime import runtime_folder

from . import lanes
from .table import Row, Run, heading, keep, line_of
from .times import SHORT, SHORTER

if TYPE_CHECKING:
    from .scenarios import Fault

KEPT = ROOT / "var" / "faults.json"
LANES = 2


def read_arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--small", action="store_true", help="each fault once or a few times")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--list", action="store_true", help="the names of the faults")
    parser.add_argument("--logs", type=Path, default=ROOT / "var" / "faults-log")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where the rows are kept")
    parser.add_argument(
        "--lanes", type=int, choices=range(1, 9), default=LANES, metavar="N",
        help=f"how many are played at once; {LANES} if not said",
    )  # fmt: skip
    return parser.parse_args(words)


@contextlib.contextmanager
def table() -> Iterator[Sequence[Fault]]:
    """The faults in the table's order. Needs Django, but no server."""
    with runtime_folder("faults") as folder:
        enter_test_environment(folder)
        django.setup()
        from .scenarios import FAULTS

        yield FAULTS


def play_all(
    faults: Sequence[Fault], arguments: argparse.Namespace, *, serve: lanes.Serve = lanes.serve
) -> bool:
    """Play the faults asked for, print and keep their rows; whether all passed that must."""
    from .scenarios import not_played

    mode, words = ("small", SHORTER.words()) if arguments.small else ("full", SHORT.words())
    run = Run(mode, words, [one.name for one in faults])
    asked = [one for one in faults if not arguments.only or one.name in arguments.only]
    print(f"Shortened for this run: {words}.\n\n{heading()}", flush=True)
    rows: dict[str, Row] = {}
    printed = 0
    with contextlib.closing(_each(asked, arguments, serve)) as each:
        for fault, said in each:
            rows[fault.name] = said if isinstance(said, Row) else not_played(fault, said)
            keep(rows.values(), arguments.kept, run)
            while printed < len(asked) and asked[printed].name in rows:
                print(line_of(rows[asked[printed].name]), flush=True)
                printed += 1
    failed = [row for row in rows.values() if row.must_pass and not row.passed]
    print(f"\n{len(rows)} faults; {len(failed)} not passed; the rows are in {arguments.kept}.")
    print(run.ending(arguments.lanes))
    return not failed and len(rows) == len(asked)


def _each(
    asked: Sequence[Fault], arguments: argparse.Namespace, serve: lanes.Serve
) -> Generator[tuple[Fault, lanes.Said], None, None]:
    """Side by side; then, one after the other, those whose figures a neighbour would spoil."""
    named = {one.name: one for one in asked}
    alone = [] if arguments.small else [one.name for one in asked if one.alone]
    beside = [name for name in named if name not in alone]
    logs, small = arguments.logs, arguments.small
    for names, number in ((beside, arguments.lanes), (alone, 1)):
        for name, said in lanes.play(names, number, logs=logs, small=small, serve=serve):
            yield named[name], said


def main() -> int:
    arguments = read_arguments()
    # So that an ordinary end of the run, asked for from outside, still stops its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with table() as faults:
        if arguments.list:
            print("\n".join(one.name for one in faults))
            return 0
        if unknown := set(arguments.only) - {one.name for one in faults}:
            sys.exit(f"No fault is named {', '.join(sorted(unknown))}; --list names them.")
        passed = play_all(faults, arguments)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

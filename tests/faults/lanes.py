"""Lanes: faults played side by side, each lane in a process and on a stage of its own.

Whoever is free takes the next fault, some from the table's beginning and some from its end: there
stand those that keep a processor busy, beside which the others may wait. A lane that dies leaves a
red row behind, and is opened anew.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path

from aftercare import processes

from .table import Row

ENDS_WITHIN = 60.0  # seconds: a stage stops its servers in order
SPAWN = get_context("spawn")  # the faults fork; a lane must begin with nothing of ours

Serve = Callable[[Connection, Path, bool], None]
Said = Row | str  # a fault's row, or why there is none


def serve(pipe: Connection, logs: Path, small: bool) -> None:
    """A lane's own process: says None when its stage stands, then a row for each name it is told.

    It ends when it is told None, and when whoever asked has gone.
    """
    processes.die_with_parent(signal.SIGTERM, parent=os.getppid())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches us too; we are told to end
    from .stage import running_stage
    from .times import SHORT, SHORTER

    with running_stage(logs) as stage, contextlib.suppress(EOFError, OSError):
        from .scenarios import FAULTS, run

        stage.small, stage.times = small, SHORTER if small else SHORT
        named = {fault.name: fault for fault in FAULTS}
        pipe.send(None)
        while (name := pipe.recv()) is not None:
            pipe.send(run(named[name], stage, small=small))


class Lane:
    def __init__(self, number: int, serve: Serve, logs: Path, small: bool) -> None:
        self.number = number
        self.playing: str | None = None
        self.pipe, theirs = SPAWN.Pipe()
        arguments = (theirs, logs / f"lane-{number}", small)
        self.process = SPAWN.Process(target=serve, args=arguments)
        self.process.start()
        theirs.close()  # or its end would not be seen here

    def play_one_of(self, left: deque[str]) -> None:
        self.playing = left.pop() if self.number % 2 else left.popleft()
        with contextlib.suppress(OSError):  # if it has died meanwhile, its pipe says so next
            self.pipe.send(self.playing)

    def listen(self) -> Said | None:
        """Its next row, or why there will be none; None when it has become ready."""
        try:
            said: Row | None = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(ENDS_WITHIN)
            return f"the lane that played it ended with {self.process.exitcode}"
        return said

    def end(self) -> None:
        """In order; the stage's servers stop with it."""
        with contextlib.suppress(OSError):
            self.pipe.send(None)
        self.process.join(ENDS_WITHIN)
        self.stop()

    def stop(self) -> None:
        """At once, whatever it does."""
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(ENDS_WITHIN)
        self.process.kill()
        self.process.join()
        self.pipe.close()


def play(
    names: Sequence[str], lanes: int, *, logs: Path, small: bool, serve: Serve = serve
) -> Iterator[tuple[str, Said]]:
    """What became of each fault, as it comes: as many as there are names, whatever happens."""
    left = deque(names)
    open_ = [Lane(number, serve, logs, small) for number in range(min(lanes, len(names)))]
    try:
        while open_:
            ready = wait([lane.pipe for lane in open_])
            for lane in [one for one in open_ if one.pipe in ready]:
                played, said = lane.playing, lane.listen()
                if played is not None and said is not None:
                    yield played, said
                if isinstance(said, str):
                    open_.remove(lane)
                    lane.stop()
                    # One that died before it was ready would only do so again.
                    if played is not None and left:
                        open_.append(Lane(lane.number, serve, logs, small))
                elif left:
                    lane.play_one_of(left)
                else:
                    open_.remove(lane)
                    lane.end()
        for name in left:
            yield name, "no lane could be opened; its words stand above"
    finally:
        for lane in open_:
            lane.process.terminate()  # all together; then each is waited for
        for lane in open_:
            lane.stop()

"""Starts child processes, restarts one that dies by itself, stops all of them together.

Each child writes to its own log; what the person at the terminal must know is said in one line
through `say`. Gives up when a child keeps dying, because a loop of restarts hides the reason.
"""

import collections
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aftercare import processes

DEATHS_ALLOWED = 5
WITHIN_SECONDS = 60.0
STOP_SECONDS = 1.8  # of the demo: nobody waits for a made-up clinic
LOG_ROTATES_AT = 5_000_000  # bytes


class GaveUp(Exception):
    """A child died too often; the text names its log."""


@dataclass(eq=False)
class Child:
    """One process: its command line and its log, and how often it has died lately."""

    name: str
    command: Sequence[str | Path]
    log: Path
    stops_last: bool = False
    process: subprocess.Popen[bytes] | None = None
    deaths: collections.deque[float] = field(default_factory=lambda: collections.deque(maxlen=5))

    def start(self, env: Mapping[str, str]) -> None:
        with self.log.open("ab") as output:
            self.process = processes.start(self.command, env=env, output=output)

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def ending(self) -> str:
        code = self.process.returncode if self.process else 0
        return f"signal {-code}" if code < 0 else f"exit code {code}"


class Supervisor:
    def __init__(
        self,
        logs: Path,
        *,
        env: Mapping[str, str],
        say: Callable[[str], object],
        stops_within: float = STOP_SECONDS,
    ) -> None:
        self.logs = logs
        self.stops_within = stops_within
        self.env = env
        self.say = say
        self.children: list[Child] = []

    def start(self, name: str, command: Sequence[str | Path], *, stops_last: bool = False) -> None:
        log = self.logs / f"{name}.log"
        rotate(log)
        child = Child(name, command, log, stops_last)
        self.children.append(child)
        child.start(self.env)

    def look(self) -> None:
        """Restart whatever died since the last look; raises GaveUp when it dies too often."""
        for child in self.children:
            if child.has_died():
                self._restart(child)

    def _restart(self, child: Child) -> None:
        now = time.monotonic()
        child.deaths.append(now)
        if len(child.deaths) == DEATHS_ALLOWED and now - child.deaths[0] < WITHIN_SECONDS:
            raise GaveUp(
                f"{child.name} ended {DEATHS_ALLOWED} times within a minute ({child.ending()}), "
                f"so everything was stopped. Its log says why: {child.log}"
            )
        self.say(f"{child.name} ended by itself ({child.ending()}); started again. See {child.log}")
        child.start(self.env)

    def stop(self) -> None:
        """Stop all; what others need to finish their work goes last."""
        first = [c.process for c in self.children if c.process and not c.stops_last]
        last = [c.process for c in self.children if c.process and c.stops_last]
        processes.stop(first, within=self.stops_within)
        processes.stop(last, within=0.4)


def rotate(log: Path) -> None:
    """Keep one older log; a log is cut only at a start, so no line is lost."""
    if log.exists() and log.stat().st_size > LOG_ROTATES_AT:
        log.replace(log.with_suffix(".1.log"))

"""One launcher of the demo, seen from outside: what it prints, starts and leaves behind."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .environment import INHERITED, settings_of_tests
from .runtime import wait_for

ROOT = Path(__file__).parents[2]
READY = "Ctrl-C stops everything."
# How the `make` that runs the tests was called is nothing to the `make run` of a test.
OF_MAKE = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
LAUNCHER = [sys.executable, "manage.py", "up"]


class Up:
    """One launcher of the demo on the data folder `var`, and everything that came from it."""

    def __init__(self, var: Path, *, command: list[str], port: int, more: dict[str, str]) -> None:
        self.var = var
        self.port = port
        self.printed = var.parent / f"{port}.out"
        ours = {*settings_of_tests(var), *INHERITED, *OF_MAKE, "CI"}
        env = {name: value for name, value in os.environ.items() if name not in ours}
        env |= {"ENV_FILE": os.devnull, "DEMO": "1", "PORT": str(port), "VAR_DIR": str(var)}
        env |= more
        with self.printed.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=output, stderr=output, start_new_session=True
            )

    def text(self) -> str:
        return self.printed.read_text()

    def wait_until_ready(self) -> None:
        wait_for(
            lambda: READY in self.text() or self.process.poll() is not None,
            seconds=60,
            what="the launcher is ready",
        )
        assert READY in self.text(), self.text()

    def interrupt(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def family(self, part: str = "") -> list[int]:
        """The living processes on this data folder whose command line contains `part`."""
        return [pid for pid, line in processes_on(self.var) if part in line]

    def wait_until_gone(self) -> None:
        """Patient: how soon depends on the machine, that nobody is left does not."""
        wait_for(lambda: self.process.poll() is not None, seconds=60, what="the launcher ends")
        wait_for(lambda: not self.family(), seconds=60, what="everybody is gone")


def processes_on(var: Path) -> Iterator[tuple[int, str]]:
    """Numbers and command lines; Valkey writes over its environment, but names its socket."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            settings = (folder / "environ").read_bytes().split(b"\0")
            # A process that has ended but was not yet collected has an empty command line.
            if line and (f"VAR_DIR={var}".encode() in settings or str(var) in line):
                yield int(folder.name), line

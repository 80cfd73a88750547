"""Work in a fork of the runner: Django is loaded, so a fresh process costs milliseconds.

What a fork patches, dies with it. It opens connections of its own, and it does not outlive us.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from django.db import connections

from aftercare.processes import die_with_parent


class ForkFailed(RuntimeError):
    pass


def start(act: Callable[[], object], log: Path) -> int:
    """Begin `act` in a fork; returns its process id. Its output goes to `log`."""
    connections.close_all()
    sys.stdout.flush()
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        die_with_parent(signal.SIGKILL, parent=parent)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _write_to(log)
        act()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a fork must end here, whatever happened
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _write_to(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def wait(child: int, *, within: float = 120.0) -> int:
    """Wait for a fork: 0, its exit code, or minus the signal that killed it.

    One that still runs after `within` seconds is killed, and `ForkFailed` raised.
    """
    deadline = time.monotonic() + within
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise ForkFailed(f"A fork was still busy after {within:g} s.")
        time.sleep(0.002)


def run(act: Callable[[], object], log: Path, *, within: float = 120.0) -> None:
    """Do `act` in a fork, to its end. Raises `ForkFailed` with what it wrote if it broke."""
    code = wait(start(act, log), within=within)
    if code:
        raise ForkFailed(f"A fork ended with {code}:\n{log.read_text(errors='replace')[-2000:]}")

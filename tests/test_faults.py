"""Every fault of the fault run, small: nothing lost, nothing doubled.

One runner in a process of its own holds the servers for all of them; it plays on call. The full
run, with the numbers we publish, is `make faults`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

import pytest

from tests.faults.scenarios import FAULTS
from tests.services.running import running_processes
from tests.services.runtime import runtime_folder, wait_for

pytestmark = pytest.mark.services

Play = Callable[[str], dict[str, Any]]
SLOWEST = 240.0  # seconds one small fault may take on a busy machine


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Plays one fault by its name; returns its row."""
    logs = tmp_path_factory.mktemp("faults")
    with runtime_folder("runner") as folder, running_processes(logs) as running:
        socket, log = folder / "calls.sock", logs / "runner.log"
        command: list[str | Path] = [sys.executable, "-m", "tests.faults"]
        command += ["--serve", socket, "--logs", logs]
        runner = running.start(command, None, log)
        wait_for(lambda: socket.exists() or runner.poll() is not None, seconds=120, what="a stage")
        assert runner.poll() is None, log.read_text()
        with Client(str(socket), "AF_UNIX") as caller:
            yield lambda name: _ask(caller, name, log)
        runner.wait(timeout=60)


def _ask(caller: Connection, name: str, log: Path) -> dict[str, Any]:
    caller.send(name)
    assert caller.poll(SLOWEST), f"{name} has not ended:\n{log.read_text()[-3000:]}"
    row: dict[str, Any] = caller.recv()
    return row


@pytest.mark.parametrize("name", [fault.name for fault in FAULTS])
def test_nothing_is_lost_or_doubled(play: Play, name: str) -> None:
    row = play(name)
    assert row["passed"] or not row["must_pass"], row

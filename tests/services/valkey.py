"""A private Valkey on a unix socket, from the same binary `manage.py up` starts."""

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from aftercare import processes, valkey

from .runtime import runtime_folder


class Valkey:
    def __init__(self, folder: Path) -> None:
        self.socket = folder / valkey.SOCKET_NAME
        self.log = folder / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("Valkey does not run.")
        return self._process.pid

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = processes.start(valkey.command(self.socket), output=output)
        valkey.wait_until_answers(self.socket)

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            processes.stop([self._process], within=5, sig=sig)
            self._process = None


@contextlib.contextmanager
def running_valkey() -> Iterator[Valkey]:
    with runtime_folder("valkey") as folder:
        server = Valkey(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()

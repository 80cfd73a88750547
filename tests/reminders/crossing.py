"""Two transactions that meet at a chosen statement."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection

PAUSE = 0.4  # seconds: long enough for the other one to come as far as it can


@contextmanager
def pausing_after(statement: str, reached: threading.Event) -> Iterator[None]:
    """This thread's connection rests once after the first SQL with these words."""

    def rest(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        answer = execute(sql, *args)
        if statement in sql and not reached.is_set():
            reached.set()
            time.sleep(PAUSE)
        return answer

    with connection.execute_wrapper(rest):
        yield


def cross(first: Callable[[], Any], second: Callable[[], Any], *, after: str) -> list[Any]:
    """`second` begins while `first` rests after the statement; what each returned.

    Whatever one of them raises is raised here.
    """
    reached = threading.Event()

    def run_first() -> Any:
        try:
            with pausing_after(after, reached):
                return first()
        finally:
            reached.set()
            connection.close()

    def run_second() -> Any:
        reached.wait()
        try:
            return second()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run_first), pool.submit(run_second)]
    return [run.result() for run in runs]

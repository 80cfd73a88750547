"""What is measured from outside: processor time, memory, statements, and where a value lies."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]
from django.db import connection

ROWS_OF_ACTS = 5
NANOSECONDS_A_MS = 1_000_000
MEGABYTE = 1_000_000
# What only opens, ends or tunes a transaction.
TURNS = "^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|SHOW|RESET|DISCARD)"


def family(pids: Iterable[int]) -> list[psutil.Process]:
    """These processes and everything they have started."""
    found = []
    for pid in pids:
        process = psutil.Process(pid)
        found += [process, *process.children(recursive=True)]
    return found


def cpu_ms(pids: Iterable[int]) -> float:
    """User and system time of these processes and their children so far."""
    times = [process.cpu_times() for process in family(pids)]
    return float(1000 * sum(one.user + one.system for one in times))


def own_cpu_ms() -> float:
    return 1000 * time.process_time()


def least_ms(act: Callable[[], None], times: int) -> float:
    """Processor time of one `act`, this process's and its PostgreSQL backend's together.

    Of some rows of `times` in all the quickest row's mean. Not the wall clock, and the quickest:
    whatever else the machine does only adds.
    """
    connection.ensure_connection()
    backend, rows = connection.connection.info.backend_pid, min(times, ROWS_OF_ACTS)
    each, spent = times // rows, []
    for _ in range(rows):
        before = own_cpu_ms() + _on_processor_ms(backend)
        for _ in range(each):
            act()
        spent.append((own_cpu_ms() + _on_processor_ms(backend) - before) / each)
    return min(spent)


def _on_processor_ms(pid: int) -> float:
    """What Linux counts for its scheduler: the other counts go by hundredths of a second."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / NANOSECONDS_A_MS


class Memory(NamedTuple):
    """In megabytes (1,000,000 bytes), over a family of processes."""

    pss: float
    rss: float
    largest_rss: float


def memory(pids: Iterable[int]) -> Memory:
    infos = [process.memory_full_info() for process in family(pids)]
    return Memory(
        sum(info.pss for info in infos) / MEGABYTE,
        sum(info.rss for info in infos) / MEGABYTE,
        max(info.rss for info in infos) / MEGABYTE,
    )


class Statements(NamedTuple):
    """What a database role has asked for: `queries`, and the `turns` (BEGIN, COMMIT, SET …)."""

    queries: int
    turns: int


def forget_statements() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_statements_reset()")


def statements_of(role: str) -> Statements:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(calls) FILTER (WHERE query !~* %s), 0), "
            "coalesce(sum(calls) FILTER (WHERE query ~* %s), 0) "
            "FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid WHERE rolname = %s",
            [TURNS, TURNS, role],
        )
        queries, turns = cursor.fetchone()
    return Statements(int(queries), int(turns))


def share(values: Sequence[float], part: float) -> float:
    """The value that `part` of all values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(part * len(ranked)) - 1)]


def median(values: Sequence[float]) -> float:
    return share(values, 0.5)

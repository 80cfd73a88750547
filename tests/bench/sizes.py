"""How much of everything: three sizes of the same run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of reminders unless the name says otherwise; `_0` at no latency, `_100` at 100 ms."""

    latencies: tuple[int, ...] = (0, 100)  # of the provider, in milliseconds
    loop_0: int = 1_000
    loop_100: int = 100
    eta_0: int = 1_000
    eta_100: int = 200
    jobs_0: int = 1_000
    jobs_100: int = 200
    ours: int = 10_000
    rounds: int = 2  # of ours and the limit, in turns
    burst: int = 10_000
    loop_burst: int = 200  # at their rates 10,000 would take minutes
    eta_burst: int = 300
    jobs_burst: int = 2_000
    handovers: int = 40
    waiting: int = 100_000
    history: int = 10_000_000
    little_history: int = 10_000
    looks: int = 100  # how often a tick is timed
    claims: int = 20  # how often a claim is timed
    planned: int = 10_000  # treatments
    pages: int = 300  # requests
    patients: int = 100_000  # who are searched
    little_patients: int = 1_000
    names: int = 30  # that are searched for
    searches: int = 5  # how often each is timed
    board: int = 1_000_000  # behind 200 patients of today
    little_board: int = 1_000


USUAL = Sizes()
QUICK = Sizes(
    loop_0=300, loop_100=30, eta_0=200, eta_100=40, jobs_0=200, jobs_100=60, ours=2_000, rounds=1,
    burst=2_000, loop_burst=40, eta_burst=60, jobs_burst=400, handovers=10, waiting=5_000,
    history=100_000, planned=300, pages=100, patients=20_000, names=15, board=100_000,
)  # fmt: skip
TINY = Sizes(
    latencies=(0,), loop_0=20, loop_100=20, eta_0=20, eta_100=20, jobs_0=20, jobs_100=20,
    ours=50, rounds=1, burst=50, loop_burst=10, eta_burst=10, jobs_burst=20, handovers=2,
    waiting=50, history=400, little_history=40,
    looks=3, claims=2, planned=20, pages=100,
    patients=400, little_patients=40, names=3, searches=2, board=1_000, little_board=200,
)  # fmt: skip

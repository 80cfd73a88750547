"""The soak: twenty busy days of a clinic in half an hour, on one machine's processes.

A busy day is taken to be 40 treatments, 400 openings of a page and 60 texts from patients, with
the board read every ten seconds. What grows shows here: memory, answers that get slower, errors.
"""

from __future__ import annotations

import statistics
import time

import psutil  # type: ignore[import-untyped]

from .carry_on import wait_until_settled
from .cohort import clinic_at_noon, make_due
from .drill import READERS
from .house import House, open_house
from .judge import judge
from .load import Answer, Load, Rates
from .stage import Stage
from .table import Finding

DAYS, HALF_AN_HOUR = 20, 1_800  # seconds
RATES = Rates(
    page=400 * DAYS / HALF_AN_HOUR,
    desk=40 * DAYS / HALF_AN_HOUR,
    text=60 * DAYS / HALF_AN_HOUR,
    board=0.1,
)
PARTS = ("web 0", "worker 0", "beat")
SAMPLES = 30
WARM = 0.2  # of the time: caches fill, threads start
JUDGED_FROM = 600  # seconds: in less nobody can tell a trend from a warm-up
FLAT, SLACK, AT_ALL = 1.1, 5.0, 60.0  # times; MB; MB that even a short run may not grow by
SLOWER = 1.2


def soaked(stage: Stage, seconds: int) -> Finding:
    with open_house(stage) as house:
        house.start_all(*PARTS)
        base_url = f"http://localhost:{house.parts['web 0'].port}"
        load = Load(base_url, house.phone, clinic_at_noon(), make_due(READERS), RATES)
        memory: dict[str, list[float]] = {name: [] for name in (*PARTS, "Valkey")}
        with load.running():
            for _ in range(SAMPLES):
                time.sleep(seconds / SAMPLES)
                for name, used in _used(house).items():
                    memory[name].append(used)
        wait_until_settled(stage.times.longest * 2 + 60)
        finding = Finding(f"{seconds} s, {len(load.answers)} requests", judge(house.phone))
        finding.note = load.counted()
        _judge_answers(finding, load, seconds)
        _judge_memory(finding, memory, seconds)
        if broken := sum(_errors(house, name) for name in PARTS):
            finding.problems.append(f"{broken} errors in the logs")
        return finding


def _used(house: House) -> dict[str, float]:
    """Each part's memory with its children's, in MB."""
    pids = {name: part.process.pid for name, part in house.parts.items()}
    pids["Valkey"] = house.stage.valkey.pid
    return {name: _resident(psutil.Process(pid)) for name, pid in pids.items()}


def _resident(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    return float(sum(one.memory_info().rss for one in family)) / 1e6


def _judge_answers(finding: Finding, load: Load, seconds: int) -> None:
    if load.failures():
        finding.problems.append(f"failed: {dict(load.failures())}")
    pages = [one for one in load.answers if one.kind == "page" and one.at > WARM * seconds]
    third = (1 - WARM) * seconds / 3
    start = _p99([one for one in pages if one.at < WARM * seconds + third])
    end = _p99([one for one in pages if one.at > seconds - third])
    finding.note += f"; p99 of the page {start:.0f} ms at the start, {end:.0f} ms at the end"
    if seconds >= JUDGED_FROM and end > SLOWER * start:
        finding.problems.append(f"the page got {end / start:.2f} times slower")


def _p99(answers: list[Answer]) -> float:
    """In milliseconds."""
    return 1000 * statistics.quantiles([one.seconds for one in answers], n=100)[98]


def _judge_memory(finding: Finding, memory: dict[str, list[float]], seconds: int) -> None:
    words = []
    for name, used in memory.items():
        warm = int(WARM * SAMPLES)
        before, after = statistics.median(used[warm : 2 * warm]), statistics.median(used[-warm:])
        words.append(f"{name} {before:.0f} → {after:.0f} MB")
        limit = before * FLAT + SLACK if seconds >= JUDGED_FROM else before + AT_ALL
        if after > limit:
            finding.problems.append(f"{name} grew from {before:.0f} to {after:.0f} MB")
    finding.note += f"; memory: {', '.join(words)}"


def _errors(house: House, name: str) -> int:
    return house.log_of(name).read_text(errors="replace").count(" ERROR ")

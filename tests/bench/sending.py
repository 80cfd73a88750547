"""Reminders a second, processor time and queries each: every contender on the same rows."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.db.models import Max
from django.utils import timezone

from reminders.models import Attempt, Reminder, State

from . import contenders, rows
from .contenders import Run
from .meters import cpu_ms, statements_of
from .sizes import Sizes
from .stage import CARRIER_DELAYS, LONGEST_RUN, WEB, WORKER, Stage
from .table import Row, Target, Tell

OURS, QUICK, LATER, LIMIT = "ours", "ours, at once", "ours, later", "limit"
RUNS: Mapping[str, Run] = {
    "loop": contenders.loop,
    "eta": contenders.eta,
    "jobs": contenders.jobs,
    "jobs 30": partial(contenders.jobs, concurrency=30),
    OURS: contenders.ours,
    QUICK: contenders.ours,
    LATER: contenders.ours,
    LIMIT: contenders.limit,
}
# How Celery's log tells of a task that raised.
BROKEN = re.compile(r"raised unexpected: (.{1,60})")
# When the receipts come, in seconds after the one before. A carrier takes a second or more; at
# once, three a message, they take the two processors from what is being measured; `later` is when
# the run is over, and they are dropped then.
RECEIPTS: Mapping[str, Mapping[str, float]] = {
    OURS: CARRIER_DELAYS,
    QUICK: {"queued": 0.0, "sent": 0.3, "delivered": 0.8},
    LATER: {"queued": 600.0, "sent": 600.0, "delivered": 600.0},
}
TARGETS: Mapping[tuple[str, int], Target] = {
    ("loop", 0): Target(at_least=12),
    ("eta", 0): Target(at_least=40),
    ("loop", 100): Target(at_least=100),
    (OURS, 100): Target(at_least=0.9),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. `rate`: reminders a second; the rest is for each reminder, or each receipt.

    `trouble` says what kept the run from sending every reminder once; then its rate counts only
    those that were accepted and recorded.
    """

    number: int
    rate: float
    cpu_ms: float
    queries: float
    turns: float
    receipts: int = 0
    receipt_queries: float = 0.0
    receipt_cpu_ms: float = 0.0
    trouble: str = ""


def measure(stage: Stage, name: str, number: int, latency_ms: int) -> Measured:
    """One run of one contender over `number` due reminders."""
    stage.fresh()
    rows.make_due(number, at=timezone.now())
    stage.silence()
    stage.phone.control(latency_ms=latency_ms, receipts=name in RECEIPTS)
    if name in RECEIPTS:
        stage.phone.control(delays=RECEIPTS[name])
    web_before = cpu_ms([stage.web_pid])
    with stage.crew() as running:
        cpu = RUNS[name](stage, running)
        asked, web_cpu = statements_of(WORKER), cpu_ms([stage.web_pid]) - web_before
        receipts, receipt_queries = _receipts(stage), statements_of(WEB).queries
        trouble = _trouble(stage, name, running.logs)
    accepted = stage.accepted(latency_ms).values()
    first = min(accepted) - latency_ms / 1000
    last = max(accepted) if name == LIMIT else _last_recorded()
    done = number - (0 if name == LIMIT else rows.count_unsent())
    return Measured(
        number=number,
        rate=done / (last - first),
        cpu_ms=cpu / number,
        queries=asked.queries / number,
        turns=asked.turns / number,
        receipts=receipts,
        receipt_queries=receipt_queries / receipts if receipts else 0.0,
        receipt_cpu_ms=web_cpu / receipts if receipts else 0.0,
        trouble=trouble,
    )


def _receipts(stage: Stage) -> int:
    taken: int = stage.phone.stats(brief=True)["callbacks"].get("taken", 0)
    return taken


def _trouble(stage: Stage, name: str, logs: Path) -> str:
    """A figure counts only if every reminder went out, and went out once: else this says why."""
    unsent = 0 if name == LIMIT else rows.count_unsent()
    doubled = stage.phone.stats(brief=True)["doubled_texts"]
    if not unsent and not doubled:
        return ""
    broken = [why for log in logs.glob("*.log") for why in BROKEN.findall(log.read_text())]
    because = f"; {len(broken)} tasks broke: {broken[0]}" if broken else ""
    return f"! {unsent} not sent within {LONGEST_RUN} s, {doubled} doubled{because}"


def _last_recorded() -> float:
    ended = Attempt.objects.aggregate(last=Max("ended_at"))["last"]
    sent = Reminder.objects.filter(state=State.SENT).aggregate(last=Max("state_at"))["last"]
    moment = ended or sent
    assert moment is not None
    return float(moment.timestamp())


def run(stage: Stage, sizes: Sizes, tell: Tell) -> None:
    for latency in sizes.latencies:
        found = _measure_all(stage, sizes, latency)
        for name in found:
            tell(_rate_row(found, name, latency))
        if latency == 0:
            _tell_costs(found, tell)


def _measure_all(stage: Stage, sizes: Sizes, latency: int) -> dict[str, Measured]:
    """The peers once; ours and the limit in turns, so that both meet the same machine."""
    numbers = {
        "loop": (sizes.loop_0, sizes.loop_100),
        "eta": (sizes.eta_0, sizes.eta_100),
        "jobs": (sizes.jobs_0, sizes.jobs_100),
        "jobs 30": (sizes.jobs_0, 2 * sizes.jobs_100),
    }
    found = {
        name: measure(stage, name, pair[latency > 0], latency) for name, pair in numbers.items()
    }
    turns: dict[str, list[Measured]] = {name: [] for name in (*RECEIPTS, LIMIT)}
    for _ in range(sizes.rounds):
        for name, seen in turns.items():
            seen.append(measure(stage, name, sizes.ours, latency))
    return {**found, **{name: _middle(seen) for name, seen in turns.items()}}


def _middle(runs: list[Measured]) -> Measured:
    numbers = [name for name in Measured.__dataclass_fields__ if name != "trouble"]
    middles = {name: statistics.median(getattr(one, name) for one in runs) for name in numbers}
    return Measured(**middles, trouble="".join({one.trouble for one in runs}))


def _rate_row(found: Mapping[str, Measured], name: str, latency: int) -> Row:
    """A peer's rate, and how many times that ours is; ours as a share of the limit."""
    one, other = found[name], LIMIT if name in RECEIPTS else OURS
    ratio = one.rate / found[LIMIT].rate if other == LIMIT else found[OURS].rate / one.rate
    what = "of the limit's" if other == LIMIT else "ours to it"
    return Row(
        name=f"rate, {name}, {latency} ms, N={one.number:,.0f}",
        figure=one.rate,
        unit="reminders/s",
        peer=f"{what} {found[other].rate:,.0f}",
        ratio=ratio,
        target=TARGETS.get((name, latency)),
        note=one.trouble or _when(name),
    )


def _when(name: str) -> str:
    delays = RECEIPTS.get(name, {})
    said = ", ".join(f"{status} after {seconds:g} s" for status, seconds in delays.items())
    return f"receipts: {said}" if said else ""


def _tell_costs(found: Mapping[str, Measured], tell: Tell) -> None:
    ours, told = found[OURS], found[QUICK]
    for name, one in found.items():
        target = Target(at_most=0.5, of="figure") if name == OURS else None
        ratio = one.cpu_ms / ours.cpu_ms
        tell(Row(f"worker CPU, {name}", one.cpu_ms, "ms/reminder", OURS, ratio, target))
    for name, one in found.items():
        if name == LIMIT:
            continue
        target = Target(at_most=0.05, of="figure") if name == OURS else None
        note = f"and {one.turns:.3f} BEGIN, COMMIT, SET …"
        ratio = one.queries / ours.queries
        tell(Row(f"queries, {name}", one.queries, "a reminder", OURS, ratio, target, note))
    if told.receipts:
        count = f"of {told.receipts:,.0f} while it ran"
        tell(Row(f"receipt, queries {count}", told.receipt_queries, "a receipt"))
        tell(Row(f"receipt, web CPU {count}", told.receipt_cpu_ms, "ms/receipt"))

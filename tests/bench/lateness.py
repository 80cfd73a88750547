"""How late a burst is, and how long somebody at the desk waits for a handover in the middle of it.

Beside ours the peers and the limit, each in a burst of a size that it sends in less than a minute.
They are given a start: their lateness counts from their first call, ours from the due moment.

Ours with what a site runs: a prefork worker of two, 100 calls in flight each, beat with its usual
tick, 100 ms to the provider, receipts on, at a carrier's pace; for the burst also at once. When a
text counts as accepted: when its answer left.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.utils import timezone

from tests.builders import log, make_patient

from . import contenders, rows
from .contenders import IN_FLIGHT, PROCESSES, Run
from .meters import median, share
from .sizes import Sizes
from .stage import CARRIER_DELAYS, LONGEST_RUN, Stage
from .table import Row, Target, Tell

LATENCY_MS = 100
AHEAD = timedelta(seconds=7)  # more than a tick: beat is in its stride when the burst falls due
HANDOVER_EVERY = 0.15  # seconds
HANDOVER_NUMBER = 3025550000


def run(stage: Stage, sizes: Sizes, tell: Tell) -> None:
    peers: Mapping[str, tuple[Run, int]] = {
        "loop": (contenders.loop, sizes.loop_burst),
        "eta": (contenders.eta, sizes.eta_burst),
        "jobs 30": (partial(contenders.jobs, concurrency=30), sizes.jobs_burst),
        "limit": (contenders.limit, sizes.burst),
    }
    for name, (play, burst) in peers.items():
        _tell_peer(stage, tell, name, play, burst, of=sizes.burst)
    _tell_burst(stage, sizes, tell, "", CARRIER_DELAYS)
    _tell_burst(stage, sizes, tell, ", receipts at once", None)
    _tell_handovers(stage, sizes, tell)


@contextmanager
def _crew(
    stage: Stage, burst: int, *, at: datetime, delays: Mapping[str, float] | None
) -> Iterator[None]:
    """The site's processes, and a burst that falls due at `at`; None: the phone's own delays."""
    stage.fresh()
    stage.phone.control(latency_ms=LATENCY_MS, **({"delays": dict(delays)} if delays else {}))
    with stage.crew() as running:
        changes = stage.environment(CALLS_IN_FLIGHT=IN_FLIGHT)
        running.worker(changes, pool="prefork", size=PROCESSES)
        rows.make_due(burst, at=at)
        running.beat(changes)
        yield


def _tell_peer(stage: Stage, tell: Tell, name: str, play: Run, burst: int, *, of: int) -> None:
    """A smaller burst goes at the same rate: how long one of `of` would take is said beside it."""
    stage.fresh()
    rows.make_due(burst, at=timezone.now())
    stage.silence()
    stage.phone.control(latency_ms=LATENCY_MS, receipts=False)
    with stage.crew() as running:
        play(stage, running)
    accepted = stage.accepted(LATENCY_MS).values()
    first = min(accepted) - LATENCY_MS / 1000
    late = [one - first for one in accepted]
    note = _left_behind(burst - len(late)).strip()
    what = f"lateness, {name}, {len(late):,} due at one minute"
    tell(Row(f"{what}, p50", median(late), "s"))
    tell(Row(f"{what}, p99", share(late, 0.99), "s"))
    whole = f"{of:,} at this rate: {max(late) * of / len(late):,.0f} s"
    tell(Row(f"{what}, last", max(late), "s", whole, note=note))


def _tell_burst(
    stage: Stage, sizes: Sizes, tell: Tell, which: str, delays: Mapping[str, float] | None
) -> None:
    at = timezone.now() + AHEAD + timedelta(seconds=3)
    with _crew(stage, sizes.burst, at=at, delays=delays):
        time.sleep(max(0.0, at.timestamp() - time.time()))
        stage.wait_until_all_left()
        late = [one - at.timestamp() for one in stage.accepted(LATENCY_MS).values()]
        note = _left_behind(sizes.burst - len(late))
    what = f"lateness, {len(late):,} due at one minute, tick {settings.TICK_SECONDS:g} s{which}"
    ideal = len(late) * LATENCY_MS / 1000 / (IN_FLIGHT * PROCESSES)
    tell(Row(f"{what}, p50", median(late), "s"))
    tell(Row(f"{what}, p99", share(late, 0.99), "s"))
    target = Target(at_most=10, of="figure") if delays else None
    last = max(late)
    alone = f"calls alone {ideal:.1f} s"
    tell(Row(f"{what}, last", last, "s", alone, last / ideal, target, note))


def _tell_handovers(stage: Stage, sizes: Sizes, tell: Tell) -> None:
    at = timezone.now()
    saved: dict[str, float] = {}
    with _crew(stage, sizes.burst, at=at, delays=CARRIER_DELAYS):
        clinic = rows.clinic_at_noon()
        for number in range(sizes.handovers):
            phone = f"+1{HANDOVER_NUMBER + number}"
            log(patient=make_patient(clinic=clinic, phone=phone))
            saved[phone] = time.time()
            time.sleep(HANDOVER_EVERY)
        still_due = rows.count_due()
        stage.wait_until_all_left()
        accepted = stage.accepted(LATENCY_MS)
    waits = [accepted[phone] - at for phone, at in saved.items() if phone in accepted]
    what = f"handover, saved to accepted, {sizes.burst:,} others due, N={len(waits)}"
    note = f"{still_due:,} of the others were still due when the last one was saved"
    note += _left_behind(len(saved) - len(waits))
    tell(Row(f"{what}, p50", median(waits), "s", note=note))
    target = Target(at_most=2, of="figure")
    tell(Row(f"{what}, p99", share(waits, 0.99), "s", target=target))


def _left_behind(number: int) -> str:
    return f" ! {number:,} were not accepted within {LONGEST_RUN} s" if number else ""

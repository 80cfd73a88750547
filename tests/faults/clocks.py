"""Clocks that jump by an hour, and clocks that change twice a year."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import time_machine
from django.utils import timezone

from patients.protocol import Session
from reminders import dispatch
from reminders.models import Attempt, Reminder, State
from tests.builders import log, make_clinic, make_patient
from tests.reminders.oracle import US_CITIES, Case, Oracle, clock_changes, is_quiet

from . import forks
from .carry_on import tick
from .cohort import FIRST_NUMBER, make_due
from .judge import judge
from .stage import Stage
from .table import Finding

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
# The clock of the machine at each tick, against the true time. It goes forward and back.
JUMPS = (0, 60, 0, 30, -60, 0, 61, 0, 125, 60, 130)


def jumped(stage: Stage, messages: int) -> Finding:
    """Each tick on a clock that has jumped since the last; one drain is under way meanwhile."""
    stage.phone.control(receipts=False, latency_ms=800)
    now = timezone.now()
    moments = [
        now + timedelta(minutes=130) * index / messages - 5 * MINUTE for index in range(messages)
    ]
    make_due(messages, due_at=moments)
    under_way = stage.fork(partial(_tick_at, timedelta()))
    for minutes in JUMPS:
        stage.do(partial(_tick_at, timedelta(minutes=minutes)))
    forks.wait(under_way)
    _settle_everything(stage)
    verdict = judge(stage.phone, by=now + 3 * HOUR)
    early = sum(
        one.called_at < one.reminder.due_at for one in Attempt.objects.select_related("reminder")
    )
    finding = Finding(f"{len(JUMPS)} jumps, {messages} messages", verdict)
    finding.note = f"{verdict.calls} calls, {early} before their moment by the clock of the day"
    if early:
        finding.problems.append("sent before its moment")
    return finding


def jumped_in_doubt(stage: Stage, messages: int) -> Finding:
    """The clock is an hour ahead, then an hour behind, while calls end without a clear answer."""
    stage.phone.control(receipts=False, next={"500_after": messages})
    now = timezone.now()
    make_due(messages, due_at=[now - 65 * MINUTE] * messages)
    for minutes in (60, -60):
        _next_half(messages, ahead=minutes == 60)
        stage.do(partial(_tick_at, timedelta(minutes=minutes)))
    _settle_everything(stage)
    verdict = judge(stage.phone, by=now + 3 * HOUR)
    return Finding(f"2 jumps, {messages} messages", verdict, note=f"{verdict.calls} calls")


def _next_half(messages: int, *, ahead: bool) -> None:
    """The first half is due on the fast clock alone, the rest on the slow one."""
    rows = list(Reminder.objects.order_by("id").values_list("pk", flat=True))
    later = timezone.now() + 5 * HOUR
    held = rows[messages // 2 :] if ahead else []
    Reminder.objects.filter(pk__in=held).update(leaves_at=later)
    if not ahead:
        Reminder.objects.filter(state=State.PLANNED).update(leaves_at=timezone.now() - 2 * HOUR)


def _tick_at(ahead: timedelta) -> None:
    with time_machine.travel(timezone.now() + ahead, tick=True):
        tick()


def _settle_everything(stage: Stage) -> None:
    """Once more on every clock that was seen, and well behind the last of their windows."""
    for minutes in (0, 60, 131, 132, 133, 134):
        stage.do(partial(_tick_at, timedelta(minutes=minutes)))


# --- summer time ---


class Treated(NamedTuple):
    case: Case
    phone: str


ZONES = (
    *(f"America/{city}" for city in US_CITIES),
    "Pacific/Honolulu",
    "Pacific/Guam",
    "Pacific/Pago_Pago",
)
YEAR = 2027
# Around a change: a week and a day before it, inside the gap and both halves of the fold, after.
BESIDE = (
    -7 * 24 * HOUR - 30 * MINUTE, -25 * HOUR, -24 * HOUR + 30 * MINUTE, -6 * HOUR, -90 * MINUTE,
    -30 * MINUTE, timedelta(), 30 * MINUTE, 5 * HOUR, 11 * HOUR,
)  # fmt: skip


def summer_time(stage: Stage, treatments: int) -> Finding:
    """Both changes of 2027 in every US zone; ticks a second before and at each foretold instant."""
    stage.phone.control(receipts=False)
    treated = _treatments(treatments)
    stage.do(partial(_log, treated), within=300)
    instants = sorted({at for one in treated for at in _foretold(one.case).values()})
    stage.do(partial(_tick_through, instants), within=1800)
    verdict = judge(stage.phone, by=instants[-1] + HOUR)
    right, quiet = _compare(treated)
    wanted = sum(len(_foretold(one.case)) for one in treated)
    finding = Finding(f"{len(treated)} treatments, {wanted} instants", verdict)
    finding.note = (
        f"{right} of {wanted} at their exact instant in "
        f"{len({one.case.zone.key for one in treated})} zones, {quiet} in quiet hours"
    )
    if right != wanted or verdict.created != wanted or quiet:
        finding.problems.append("not exact, or in quiet hours")
    return finding


def _treatments(number: int) -> list[Treated]:
    """So many of the moments beside the changes of all zones."""
    zones = random.sample(ZONES, min(number, len(ZONES)))
    moments = [
        (key, change + beside) for key in zones for change in _changes(key) for beside in BESIDE
    ]
    treated = []
    for index, (key, at) in enumerate(random.sample(moments, min(number, len(moments)))):
        session = random.choice(list(Session)).value
        case = Case(at, ZoneInfo(key), at, session=session)
        treated.append(Treated(case, f"+{FIRST_NUMBER + index}"))
    return treated


def _changes(key: str) -> list[datetime]:
    """When the zone's clocks change; a zone without summer time takes New York's moments."""
    own = [at for at in clock_changes(key) if at.year == YEAR]
    return own or _changes("America/New_York")


def _foretold(case: Case) -> dict[str, datetime]:
    """Rule → the instant at which it must leave, by the clinical content read independently."""
    fates = Oracle(case).foretell()
    return {rule: fate.due_at for rule, fate in fates.items() if fate.due_at is not None}


def _log(treated: Sequence[Treated]) -> None:
    clinic = make_clinic()
    for case, phone in treated:
        patient = make_patient(clinic=clinic, phone=phone, zone=case.zone.key)
        log(patient=patient, treated_at=case.treated_at, session=Session(case.session))


def _tick_through(instants: Sequence[datetime]) -> None:
    for instant in instants:
        for at in (instant - SECOND, instant):
            with time_machine.travel(at, tick=False):
                dispatch.drain()


def _compare(treated: Sequence[Treated]) -> tuple[int, int]:
    """How many left at their very instant; how many, handovers apart, in quiet hours."""
    cases = {one.phone: one.case for one in treated}
    right = quiet = 0
    for attempt in Attempt.objects.select_related("reminder"):
        case, rule = cases[attempt.to_address], attempt.reminder.rule
        right += _foretold(case).get(rule) == attempt.called_at.astimezone(UTC)
        quiet += rule != "handover" and is_quiet(attempt.called_at, case.zone)
    return right, quiet

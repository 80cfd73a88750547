"""A provider that refuses, breaks, hangs or loses its answer; and one that hides what it has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from reminders.models import Attempt, Reminder

from .carry_on import carry_on, wait_until_settled
from .cohort import make_due
from .judge import judge
from .stage import Stage
from .table import Finding

# Each of these leaves it open whether the message exists; half of them made one.
UNCLEAR: Mapping[str, str] = {
    "500": "500 before creating",
    "500_after": "500 after creating",
    "timeout": "time-out",
    "reset_before": "reset before creating",
    "reset": "reset after write",
    "garbage": "unreadable answer",
}
REFUSALS = 2  # how often each message meets a 429, on average
LATE = 60.0  # seconds beyond the window: what the specification allows


def storm_of_429(stage: Stage, messages: int) -> Finding:
    """The provider refuses everything twice over, then takes it."""
    stage.phone.control(next={"429": messages * REFUSALS}, receipts=False)
    make_due(messages)
    stage.do(partial(carry_on, 180.0))
    verdict = judge(stage.phone)
    return Finding(f"{messages} messages", verdict, note=f"{verdict.calls} calls")


def unclear_answers(stage: Stage, each: int) -> Finding:
    """Every way of not knowing; only the list can tell, for callbacks are off."""
    stage.phone.control(next=dict.fromkeys(UNCLEAR, each), receipts=False, latency_ms=20)
    messages = each * len(UNCLEAR)
    with stage.crew("prefork", "threads"):
        make_due(messages)
        wait_until_settled(stage.times.settle + LATE + messages / 4)
    verdict = judge(stage.phone)
    closed = closed_within()
    finding = Finding(f"{messages} messages", verdict)
    finding.note = (
        f"{each} each of: {', '.join(UNCLEAR.values())}; {verdict.calls} calls; "
        f"the last doubt ended after {closed:.1f} s (window {stage.times.settle:g} s)"
    )
    if closed > stage.times.settle + LATE:
        finding.problems.append(f"open for longer than the window and {LATE:g} s")
    return finding


def closed_within() -> float:
    """The longest time, in seconds, from an attempt's unclear end to its reminder's final move."""
    first: dict[int, Attempt] = {}
    for attempt in Attempt.objects.exclude(ended_at=None).order_by("-id"):
        first[attempt.reminder_id] = attempt
    moved = dict(Reminder.objects.filter(pk__in=first).values_list("pk", "state_at"))
    return max(
        (
            (moved[pk] - attempt.ended_at).total_seconds()
            for pk, attempt in first.items()
            if attempt.ended_at is not None
        ),
        default=0.0,
    )


def hidden_in_the_list(stage: Stage, messages: int) -> Finding:
    """The provider made the message, lost its answer, lists it too late and calls nobody back.

    Nobody without idempotency keys can tell this from a message that never was.
    """
    lag = 10 * stage.times.settle
    stage.phone.control(next={"500_after": messages}, receipts=False, list_lag_s=lag)
    make_due(messages)
    stage.do(partial(carry_on, stage.times.longest * 3 + 60))
    verdict = judge(stage.phone)
    share = verdict.doubled / messages
    note = (
        f"as measured: {share:.0%} doubled when the list lags {lag:g} s behind a window of "
        f"{stage.times.settle:g} s and every callback is lost"
    )
    return Finding(f"{messages} messages", verdict, note=note)

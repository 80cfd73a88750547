"""Six hours in which nobody sent: what is still useful goes, oldest first."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from django.core.cache import cache
from django.utils import timezone

from reminders import heartbeat
from reminders.models import Attempt, Heartbeat, Reminder, State
from reminders.moments import Skip

from .carry_on import carry_on
from .cohort import make_due
from .judge import judge
from .stage import Stage
from .table import Finding

HOURS = 6
# Rules by how long they stay useful after they are due.
USEFUL = {"first-hour": timedelta(hours=2), "cleanse": timedelta(hours=18)}


def last_ticked(at: datetime) -> None:
    """Rows and cache agree that the last tick was then."""
    Heartbeat.objects.update_or_create(name=heartbeat.TICK, defaults={"at": at})
    cache.set(heartbeat.TICK, at, timeout=None)


def six_hours(stage: Stage, messages: int) -> Finding:
    """Workers and beat were away; the database and the cache were not."""
    stage.phone.control(receipts=False)
    _wait_in_line(messages)
    stage.do(partial(carry_on, 300.0))
    finding = _found(stage, messages)
    late = _out_of_order()
    if late:
        finding.problems.append(f"{late} begun before an older one")
    return finding


def six_hours_without_cache(stage: Stage, messages: int) -> Finding:
    """The whole machine was off: it might have been restored, so the provider is asked first."""
    stage.phone.control(receipts=False)
    _wait_in_line(messages)
    stage.flush_valkey()
    stage.do(partial(carry_on, 300.0))
    finding = _found(stage, messages)
    finding.note += f"; all asked about first, so {_out_of_order()} begun before an older one"
    return finding


def _wait_in_line(messages: int) -> None:
    now = timezone.now()
    last_ticked(now - timedelta(hours=HOURS))
    for rule, useful in USEFUL.items():
        number = messages // len(USEFUL)
        moments = [now - timedelta(hours=HOURS) * (index + 1) / number for index in range(number)]
        limits = [moment + useful for moment in moments]
        make_due(number, due_at=moments, not_after=limits, rule=rule)


def _found(stage: Stage, messages: int) -> Finding:
    verdict = judge(stage.phone)
    sent = {one.reminder_id for one in Attempt.objects.filter(outcome="accepted")}
    skipped = Reminder.objects.filter(state=State.SKIPPED, skip_reason=Skip.NOT_USEFUL.value)
    note = f"{len(sent)} sent, {skipped.count()} skipped as no longer useful"
    finding = Finding(f"{messages} messages", verdict, note=note)
    stale = sum(
        one.called_at > one.reminder.not_after + timedelta(minutes=1)
        for one in Attempt.objects.exclude(error_code="restored").select_related("reminder")
    )
    if stale:
        finding.problems.append(f"{stale} sent when no longer useful")
    if len(sent) + skipped.count() != messages:
        finding.problems.append("some neither sent nor skipped with that reason")
    return finding


def _out_of_order() -> int:
    """Calls begun although an older reminder's had not."""
    begun = Attempt.objects.exclude(error_code="restored").order_by("id")
    dues = list(begun.values_list("reminder__due_at", flat=True))
    return sum(later < earlier for earlier, later in pairwise(dues))

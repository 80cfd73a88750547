"""A backup from an hour ago is restored: what may have gone is asked about, not sent blind."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.utils import timezone

from reminders.models import Reminder, State
from reminders.moments import Skip
from tests.services.postgres import DATABASE

from .backlog import last_ticked
from .carry_on import carry_on
from .cohort import make_due
from .judge import judge
from .stage import Stage
from .table import Finding

BACKUP = "backup"


def restored(stage: Stage, messages: int, *, cache_is_lost: bool) -> Finding:
    """Three in four went out after the backup; the restored rows know of none."""
    stage.phone.control(receipts=False)
    now = timezone.now()
    last_ticked(now - timedelta(hours=1))
    moments = [now - timedelta(minutes=55) * (index + 1) / messages for index in range(messages)]
    make_due(messages, due_at=moments)
    stage.copy_database(DATABASE, BACKUP)
    _keep_back(messages // 4)
    stage.do(partial(carry_on, 120.0))
    stats = stage.phone.stats()
    before, gone = stats["created"], set(stats["attempts"])
    stage.copy_database(BACKUP, DATABASE)
    if cache_is_lost:
        stage.flush_valkey()
    stage.do(partial(carry_on, 120.0))
    verdict = judge(stage.phone, gone=gone)
    note = f"{before} had gone before the restore and none again; {messages - before} went after it"
    return Finding(f"{messages} messages", verdict, note=note)


def _keep_back(number: int) -> None:
    """These do not go out before the restore: in the backup they wait like all the others."""
    chosen = list(Reminder.objects.order_by("?").values_list("pk", flat=True)[:number])
    Reminder.objects.filter(pk__in=chosen).update(
        state=State.SKIPPED, skip_reason=Skip.OTHER_CHANNEL.value
    )

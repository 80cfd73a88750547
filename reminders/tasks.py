"""Celery's doors: a few lines each, no arguments, safe to run twice or not at all."""

from celery import shared_task
from django.utils import timezone

from patients import audit_chain, sessions
from reminders import (
    alarms,
    alerts,
    circuits,
    dispatch,
    escalation,
    heartbeat,
    imports,
    notices,
    page_acts,
    retention,
    summary,
)
from reminders import settle as settling
from reminders.bell import ring

# A long list needs more than what is usual for a task; after its lease another worker has it.
LEASE_SECONDS = int(imports.LEASE.total_seconds())


@shared_task(name="reminders.tasks.drain", ignore_result=True)
def drain() -> None:
    """Send what is due. Rung by beat every few seconds and after every treatment logged."""
    heartbeat.beat(now=timezone.now())
    if dispatch.drain():
        ring()


@shared_task(name="reminders.tasks.settle", ignore_result=True)
def settle() -> None:
    """Tell staff what they must know, and ask the provider what is not known yet."""
    alerts.send_waiting(now=timezone.now())
    notices.send_waiting(now=timezone.now())
    circuits.close_delivered()
    settling.settle()


@shared_task(name="reminders.tasks.hear", ignore_result=True)
def hear() -> None:
    """Take up what patients did on their pages; tell the nurses what cannot wait."""
    now = timezone.now()
    page_acts.take_up(now=now)
    escalation.escalate(now=now)
    alerts.send_waiting(now=now)


@shared_task(
    name="reminders.tasks.take_in",
    ignore_result=True,
    soft_time_limit=LEASE_SECONDS - 60,
    time_limit=LEASE_SECONDS - 30,
)
def take_in() -> None:
    """Take in the lists that were accepted at a desk."""
    if imports.take_in_accepted():
        ring()


@shared_task(name="reminders.tasks.sum_up", ignore_result=True)
def sum_up() -> None:
    """Mail the day's summary where its hour has come; look what became of the last hour's."""
    now = timezone.now()
    summary.send_due(now=now)
    alarms.watch_messages(now=now)


@shared_task(name="reminders.tasks.seal_audit", ignore_result=True)
def seal_audit() -> None:
    """Put the audit trail's new rows into its chain."""
    audit_chain.link_new(now=timezone.now())


@shared_task(name="reminders.tasks.forget", ignore_result=True)
def forget() -> None:
    """Redact the records whose clinic's period is over; remove sessions nobody came back to."""
    sessions.remove_over()
    retention.redact_due(now=timezone.now())

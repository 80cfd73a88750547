"""Celery's doors: a few lines each, no arguments, safe to run twice or not at all."""

from celery import shared_task
from django.utils import timezone

from reminders import alerts, dispatch, heartbeat
from reminders import settle as settling
from reminders.bell import ring


@shared_task(name="reminders.tasks.drain", ignore_result=True)
def drain() -> None:
    """Send what is due. Rung by beat every few seconds and after every treatment logged."""
    heartbeat.beat(now=timezone.now())
    if dispatch.drain():
        ring()


@shared_task(name="reminders.tasks.settle", ignore_result=True)
def settle() -> None:
    """Ask the provider what is not known yet, and tell staff what they must know."""
    settling.settle()
    alerts.send_waiting(now=timezone.now())

"""Celery's doors: a few lines each, no arguments, safe to run twice or not at all."""

from celery import shared_task

from reminders import dispatch
from reminders.bell import ring


@shared_task(name="reminders.tasks.drain", ignore_result=True)
def drain() -> None:
    """Send what is due. Rung by beat every few seconds and after every treatment logged."""
    if dispatch.drain():
        ring()

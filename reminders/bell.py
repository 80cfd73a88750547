"""Ring for the workers. The database row is the truth; a ring that is lost costs one tick."""

from __future__ import annotations

import logging

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

DRAIN = "reminders.tasks.drain"


def ring() -> None:
    """Ask a worker to look for due reminders now. Never raises: beat's next tick finds the row."""
    try:
        current_app.send_task(DRAIN, ignore_result=True)
    except (OperationalError, OSError):
        logger.warning("The broker did not answer; what is due leaves with the next tick.")

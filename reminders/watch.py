"""Who watches the worker: the web server and beat, each in a thread of its own.

A dead worker cannot say so. While it is silent the watch does what cannot wait: what patients
report on their pages reaches the nurses, and every alert goes out. While the database is away,
nothing can be read or written; then staff are told directly, at the addresses last seen.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import Error, connections
from django.utils import timezone

from patients.patience import within
from reminders import alarms, alerts, escalation, page_acts

logger = logging.getLogger(__name__)

EVERY = 15.0  # seconds
PATIENCE = 30.0  # seconds that one look waits for the database
TOLD = "watch-told-of-the-database"  # the process that has it in the cache tells
AWAY = "The database does not answer: pages and reminders stand still. Start PostgreSQL."
BACK = "All clear: the database answers again."


class Watch:
    """What one process knows from its earlier looks."""

    def __init__(self, *, now: datetime) -> None:
        self._began = self._database_seen = now
        self._contacts: list[alerts.Contact] = []
        self._told = False

    def look(self, *, now: datetime) -> None:
        try:
            if alarms.watch_dispatcher(now=now, since=self._began):
                page_acts.take_up(now=now)
                escalation.escalate(now=now)
                alerts.send_waiting(now=now)
            self._contacts = alerts.contacts()
        except Error:
            self._database_is_away(now)
            return
        self._database_seen = now
        if self._told:
            self._told = False
            _forget()
            self._tell(BACK)

    def _database_is_away(self, now: datetime) -> None:
        self._began = now  # a worker cannot run without it either; once it is back it has time
        away = now - self._database_seen
        logger.warning("The database has not answered for %.0f s.", away.total_seconds())
        if away > timedelta(seconds=settings.ALARM_SECONDS) and not self._told and _is_first():
            self._told = True
            self._tell(AWAY)

    def _tell(self, words: str) -> None:
        for contact in self._contacts:
            alerts.tell(contact, words)


def start() -> None:
    """Watch for as long as this process lives."""
    threading.Thread(target=_watch, daemon=True, name="watch").start()


def _watch() -> None:
    watch = Watch(now=timezone.now())
    while True:
        time.sleep(min(EVERY, settings.ALARM_SECONDS / 4))
        try:
            with within(PATIENCE):
                watch.look(now=timezone.now())
        except Exception:  # the next look may do better, and nobody else watches
            logger.exception("A look at the worker broke.")
        finally:
            connections.close_all()


def _is_first() -> bool:
    """Of several processes that notice, one tells; if the cache is away, too, each does."""
    try:
        return bool(cache.add(TOLD, 1, timeout=3600))
    except Exception:  # noqa: BLE001 - whatever the cache lacks, somebody must be told
        return True


def _forget() -> None:
    try:
        cache.delete(TOLD)
    except Exception:  # noqa: BLE001 - it ends by itself
        return

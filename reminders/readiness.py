"""Whether this process could do its work now, and in plain words why not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader

from reminders import letterbox
from reminders.heartbeat import last_tick, oldest_overdue

QUEUE = "celery"  # the broker's list of rings
PATIENCE = 1.0  # seconds


def reasons_not_to_serve() -> list[str]:
    """For a proxy that asks whether to send requests here: only what every page needs."""
    try:
        missing = _unapplied()
    except DatabaseError:
        return ["The database does not answer."]
    if missing:
        return [f"{missing} migrations are not applied. Run: manage.py migrate"]
    return []


def reasons_not_to_be_well(*, now: datetime) -> list[str]:
    """For an alarm: whether all of the site works, the sending included."""
    found = reasons_not_to_serve()
    if rings_waiting() is None:
        found.append("Valkey or Redis (REDIS_URL) does not answer.")
    if not found or "database" not in found[0]:
        found += _about_sending(now)
    if number := words_set_aside():
        found.append(f"Kept webhooks that were set aside and not taken in: {number}.")
    return found


def _about_sending(now: datetime) -> Iterator[str]:
    try:
        tick, overdue = last_tick(), oldest_overdue(now=now).total_seconds()
    except DatabaseError:  # before the first migration
        return
    if tick is None:
        yield "No worker has ever looked for due reminders."
    elif (silent := (now - tick).total_seconds()) > settings.ALARM_SECONDS:
        yield f"No worker has looked for due reminders for {silent:.0f} s."
    if overdue > settings.ALARM_SECONDS:
        yield f"The oldest due reminder is {overdue:.0f} s late."


def rings_waiting() -> int | None:
    """How many rings wait in the broker; None if it does not answer."""
    return _length(QUEUE)


def words_set_aside() -> int | None:
    """How many webhooks wait for an operator; None if the Redis server does not answer."""
    return _length(letterbox.REFUSED)


def _length(name: str) -> int | None:
    broker = redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
    )
    try:
        return int(broker.llen(name))
    except redis.RedisError:
        return None
    finally:
        broker.close()


def _unapplied() -> int:
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT app, name FROM django_migrations")
        except DatabaseError:
            if not connection.introspection.table_names(cursor):
                return len(_wanted())  # an empty database answers, too
            raise
        return len(_wanted() - set(cursor.fetchall()))


@lru_cache(maxsize=1)
def _wanted() -> frozenset[tuple[str, str]]:
    """Every migration of this code; read from its files once a process."""
    loader = MigrationLoader(None)
    return frozenset(loader.graph.nodes)

"""Django's PostgreSQL, whose answers are waited for only as long as `patients.patience` says."""

from __future__ import annotations

import time
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError

from patients.patience import patience

EVERY = 0.1  # seconds; psycopg's own rhythm of looking whether it was interrupted


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        connection: Connection[Any] = super().get_new_connection(conn_params)
        connection.wait = _impatient(connection)  # type: ignore[method-assign]
        return connection


def _impatient(connection: Connection[Any]) -> Any:
    wait = connection.wait

    def answered(gen: Any, interval: float = EVERY, timeout: float | None = None) -> Any:
        mine = patience()
        if mine is None or timeout is not None:
            return wait(gen, interval, timeout)
        began = time.monotonic()
        try:
            return wait(gen, interval, max(0.0, mine.left))
        except OperationalError:
            if time.monotonic() - began >= mine.left:
                # What comes now would be taken for the answer to the next question.
                connection.pgconn.finish()
            raise
        finally:
            mine.left -= time.monotonic() - began

    return answered

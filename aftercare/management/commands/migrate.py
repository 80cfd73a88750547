"""`manage.py migrate`, as Django has it, on tables that people are using.

On PostgreSQL a change of a table waits for whoever is using it, and everybody after that waits
behind the change. So it waits two seconds at most, lets the others go on, and tries again.
"""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from psycopg.errors import LockNotAvailable

WAITS_AT_MOST = "2s"
TRIES, PAUSE = 60, 1.0  # seconds


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        for _ in range(TRIES):
            with connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = '{WAITS_AT_MOST}'")
            try:
                super().handle(*args, **options)
                return
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable):
                    raise
                self.stdout.write("A table is in use; trying again.")
            finally:
                with connection.cursor() as cursor:
                    cursor.execute("SET lock_timeout = 0")
            time.sleep(PAUSE)
        raise CommandError("A table is in use all the time. What is done is done; try again later.")

"""Moments come from PostgreSQL by psycopg's loader in C.

Django's own is Python and takes 4 µs for each; a claimed reminder has a dozen of them. All it adds
is the zone, and that is UTC on both ends of every connection of ours.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg import adapters
from psycopg.adapt import Loader
from psycopg.pq import Format


class InUtc:
    """Makes psycopg's loader. Django asks what is registered for its zone; that one has no such
    attribute and takes none.
    """

    format = Format.TEXT
    timezone = UTC

    def __new__(cls, oid: int, context: Any = None) -> Loader:  # type: ignore[misc]
        return adapters.get_loader(oid, cls.format)(oid, context)  # type: ignore[misc,return-value]


def listen() -> None:
    connection_created.connect(_read_in_c, dispatch_uid=__name__)


def _read_in_c(connection: BaseDatabaseWrapper, **_: object) -> None:
    if connection.vendor == "postgresql" and connection.timezone is UTC:
        connection.connection.adapters.register_loader("timestamptz", InUtc)

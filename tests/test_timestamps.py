"""How moments come out of the database: the same from either, and on PostgreSQL without Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection
from psycopg import adapters
from psycopg.pq import Format

from reminders.models import Heartbeat

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 20, 18, 0, tzinfo=UTC),
        datetime(2026, 11, 20, 18, 0, 0, 120, tzinfo=UTC),
        datetime(2026, 3, 8, 2, 30, 59, 999_999, tzinfo=timezone(-timedelta(hours=5))),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
    ids=str,
)
def test_a_moment_comes_back_in_utc_as_it_was_written(moment: datetime) -> None:
    Heartbeat.objects.create(name="test", at=moment)
    read = Heartbeat.objects.values_list("at", flat=True).get(name="test")
    assert (read, read.tzinfo) == (moment, UTC)


def test_postgres_moments_are_read_in_c() -> None:
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        oid = adapters.types["timestamptz"].oid
        made = connection.connection.adapters.get_loader(oid, Format.TEXT)(
            oid, connection.connection
        )
        assert type(made).__module__ == "psycopg_binary._psycopg"
        with connection.cursor() as cursor:  # which Django gives a loader of its own if it must
            assert cursor.adapters.get_loader(oid, Format.TEXT).timezone is UTC

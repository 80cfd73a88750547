"""Many new rows at once, quickly where everybody else waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models

BATCH = 5_000  # rows of one insert
# Their values go into the database as they are.
PLAIN = (
    models.CharField, models.TextField, models.IntegerField, models.BooleanField, models.ForeignKey,
)  # fmt: skip


def insert_all(rows: Sequence[models.Model]) -> None:
    """Insert them, all of one model; they do not learn their ids.

    On SQLite nobody else can save meanwhile, and `bulk_create` would spend most of that time
    writing statements: here one that is prepared takes every row.
    """
    if not rows:
        return
    model = type(rows[0])
    if connection.vendor != "sqlite":
        model._default_manager.bulk_create(rows, batch_size=BATCH)
        return
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    name = connection.ops.quote_name
    columns = ", ".join(name(str(field.column)) for field in fields)
    marks = ", ".join("%s" for _ in fields)
    insert = f"INSERT INTO {name(model._meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(insert, [[_value(field, row) for field in fields] for row in rows])


def _value(field: models.Field[Any, Any], row: models.Model) -> Any:
    value = getattr(row, field.attname)
    if value is None or isinstance(field, PLAIN):
        return value
    return field.get_db_prep_save(value, connection)

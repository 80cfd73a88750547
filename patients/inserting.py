"""Many new rows at once, quickly where everybody else waits for it.

What takes time is done before anybody waits: `reserve` gives ids, as a sequence does, and
`prepare` turns rows into the values a database takes. `insert` only sends them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection, models, transaction

PLAIN = (str, int, bytes)  # go into the database as they are


class Prepared(NamedTuple):
    """Rows of one model, as values."""

    table: str
    columns: list[str]
    values: list[list[Any]]


def reserve(model: type[models.Model], number: int) -> list[int]:
    """So many ids that nobody else gets; those never used are a gap, as after any rollback."""
    table = model._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                [table, str(model._meta.pk.column), number],
            )
            return [row[0] for row in cursor.fetchall()]
        # Where AUTOINCREMENT keeps the highest id so far; it knows no table without a row.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
        last = found[0] if found else 0
        change = "UPDATE sqlite_sequence SET seq = %s WHERE name = %s"
        if not found:
            change = "INSERT INTO sqlite_sequence (seq, name) VALUES (%s, %s)"
        cursor.execute(change, [last + number, table])
        return list(range(last + 1, last + number + 1))


def prepare(rows: Sequence[models.Model]) -> list[Prepared]:
    """The values of these rows, all of one model; with their ids, if they have been given any."""
    if not rows:
        return []
    model, has_ids = type(rows[0]), rows[0].pk is not None
    fields = [field for field in model._meta.concrete_fields if has_ids or not field.primary_key]
    values = [[_value(field, row) for field in fields] for row in rows]
    return [Prepared(model._meta.db_table, [str(field.column) for field in fields], values)]


def insert(rows: Prepared) -> None:
    """One statement for all: where nobody else can save meanwhile, `bulk_create` would spend most
    of that time on writing its statements.
    """
    name = connection.ops.quote_name
    columns = ", ".join(map(name, rows.columns))
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            marks = ", ".join("%s" for _ in rows.columns)
            cursor.executemany(
                f"INSERT INTO {name(rows.table)} ({columns}) VALUES ({marks})",  # noqa: S608
                rows.values,
            )
            return
        with (
            connection.wrap_database_errors,
            cursor.copy(f"COPY {name(rows.table)} ({columns}) FROM STDIN") as copy,
        ):
            for row in rows.values:
                copy.write_row(row)


def insert_all(rows: Sequence[models.Model]) -> None:
    """Insert them, all of one model; they do not learn their ids."""
    for prepared in prepare(rows):
        insert(prepared)


def _value(field: models.Field[Any, Any], row: models.Model) -> Any:
    value = field.pre_save(row, add=True)
    if value is None or (isinstance(value, PLAIN) and not isinstance(field, models.JSONField)):
        return value
    return field.get_db_prep_save(value, connection)

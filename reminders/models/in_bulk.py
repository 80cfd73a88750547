"""Many rows by one statement: what `bulk_create` does, for rows that differ in a few columns.

Its general way costs more processor time than rendering the texts. Here what is the same for all
rows is bound once, and what differs travels as one JSON list, which both databases can read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import connections, models, router


def insert(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[tuple[int | str | None, ...]],
    *,
    same: dict[str, object],
    returning: str = "",
    ignore_conflicts: bool = False,
    of: tuple[str, models.QuerySet[Any]] | None = None,
) -> list[tuple[Any, ...]]:
    """Insert `rows`, values of `columns`, with the values in `same` in every one.

    Returns the new ids, each with its `returning` column, in no order; nothing without that. Every
    column without a default in the database must be named. Of ids and keys write a UUID as `.hex`.
    `of`: one of `columns`, and what it may point at, locked if that says so; the rest is left out.
    """
    if not rows:
        return []
    connection = connections[router.db_for_write(model)]
    known = {field.name: field for field in model._meta.concrete_fields}
    fields = [known[name] for name in (*columns, *same)]
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    on_postgres = connection.vendor == "postgresql"
    if on_postgres:
        source = "json_array_elements(%s::json) AS given(value)"
        picked = [f"(value->>{n})::{f.db_type(connection)}" for n, f in enumerate(fields)]
    else:
        source = "json_each(%s)"
        picked = [f"json_extract(value, '$[{n}]')" for n in range(len(columns))]
    chosen = ", ".join([*picked[: len(columns)], *["%s"] * len(same)])
    fixed = [
        field.get_db_prep_save(value, connection)
        for field, value in zip(fields[len(columns) :], same.values(), strict=True)
    ]
    values, first = [*fixed, json.dumps(rows)], ""
    if of is not None:
        column, allowed = of
        compiler = allowed.values("pk").query.get_compiler(connection=connection)
        held, asked = compiler.as_sql()
        first, values = f"WITH held(pk) AS ({held}) ", [*asked, *values]
        source += f" JOIN held ON held.pk = {picked[columns.index(column)]}"
    table = connection.ops.quote_name(model._meta.db_table)
    # Only names of our own models stand in it.
    statement = f"{first}INSERT INTO {table} ({names}) SELECT {chosen} FROM {source} WHERE true"  # noqa: S608
    if ignore_conflicts:
        statement += " ON CONFLICT DO NOTHING"
    if returning:
        statement += f" RETURNING id, {connection.ops.quote_name(returning)}"
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if returning else []

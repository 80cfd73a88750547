"""The plans PostgreSQL chooses for the statements of a piece of work, in a few lines each."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

from django.db import connection

EXPLAINED = ("SELECT", "UPDATE", "DELETE")
WIDTH = 150


def plans_of(act: Callable[[], None]) -> list[str]:
    """Run `act`; each different statement it made, with the plan for its own parameters."""
    seen: dict[str, str] = {}

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(EXPLAINED) and sql not in seen:
            with context["connection"].connection.cursor() as cursor:
                seen[sql] = _plan(cursor, sql, params)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        act()
    return list(seen.values())


def _plan(cursor: Any, sql: str, params: Any) -> str:
    cursor.execute(f"EXPLAIN (COSTS OFF) {sql}", params)
    lines = [row[0] for row in cursor.fetchall()]
    steps = [line for line in lines if "->" in line or not line.startswith(" ")]
    heading = textwrap.shorten(sql.replace('"', ""), WIDTH, placeholder=" …")
    return "\n".join([heading, *(f"    {line[:WIDTH]}" for line in steps)])
